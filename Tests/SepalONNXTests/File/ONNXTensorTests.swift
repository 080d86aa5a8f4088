import SepalONNX
import SepalTensor
import Testing

@Suite struct ONNXTensorTests {
  /// Raw bytes, typed field, its number, and the values that both stand for.
  struct Encoding: CustomTestStringConvertible, Sendable {
    var type: ONNXDataType
    var raw: [UInt8]
    var field: UInt64
    var list: [Int64]
    var values: [Double]

    var testDescription: String { "\(type)" }
  }

  static let integers: [Encoding] = [
    Encoding(type: .int8, raw: [0x80, 0x7F], field: 5, list: [-128, 127], values: [-128, 127]),
    Encoding(type: .uint8, raw: [0, 255], field: 5, list: [0, 255], values: [0, 255]),
    Encoding(type: .bool, raw: [0, 1], field: 5, list: [0, 1], values: [0, 1]),
    Encoding(
      type: .int16, raw: Wire.littleEndian([-32768, 7] as [Int16]), field: 5, list: [-32768, 7],
      values: [-32768, 7]),
    Encoding(
      type: .uint16, raw: Wire.littleEndian([65535, 7] as [UInt16]), field: 5, list: [65535, 7],
      values: [65535, 7]),
    Encoding(
      type: .float16, raw: Wire.littleEndian([0x3C00, 0xC000] as [UInt16]), field: 5, list: [0x3C00, 0xC000],
      values: [1, -2]),
    Encoding(
      type: .bfloat16, raw: Wire.littleEndian([0x3F80, 0xC000] as [UInt16]), field: 5,
      list: [0x3F80, 0xC000], values: [1, -2]),
    Encoding(
      type: .int32, raw: Wire.littleEndian([.min, 5] as [Int32]), field: 5, list: [Int64(Int32.min), 5],
      values: [Double(Int32.min), 5]),
    Encoding(
      type: .uint32, raw: Wire.littleEndian([.max, 5] as [UInt32]), field: 11, list: [Int64(UInt32.max), 5],
      values: [Double(UInt32.max), 5]),
    Encoding(
      type: .int64, raw: Wire.littleEndian([-1 << 40, 5] as [Int64]), field: 7, list: [-1 << 40, 5],
      values: [-0x1p40, 5]),
    Encoding(
      type: .uint64, raw: Wire.littleEndian([1 << 63, 5] as [UInt64]), field: 11, list: [.min, 5],
      values: [0x1p63, 5]),
  ]

  @Test(arguments: integers) func everyEncodingOfAVariableLengthTypeGivesTheSameValues(
    _ encoding: Encoding
  ) throws {
    let head = Wire.tensor("t", encoding.type, [2])
    let spellings = [
      head.data(9, encoding.raw),
      head.packed(encoding.field, encoding.list),
      encoding.list.reduce(head) { $0.int(encoding.field, $1) },
      encoding.list.reduce(head) { $0.packed(encoding.field, [$1]) },
      head.packed(encoding.field, [encoding.list[0]]).int(encoding.field, encoding.list[1]),
    ]
    for (index, wire) in spellings.enumerated() {
      let tensor = try decode(wire)
      #expect(tensor.type == TensorType(try #require(encoding.type.element), [2]))
      #expect(tensor.doubles() == encoding.values, "spelling \(index)")
    }
  }

  @Test func everyEncodingOfAFixedLengthTypeGivesTheSameValues() throws {
    let (floats, doubles): ([Float], [Double]) = ([0.5, -2], [0.5, -2])
    let float = Wire.tensor("t", .float, [2])
    let double = Wire.tensor("t", .double, [2])
    let spellings = [
      float.data(9, Wire.littleEndian(floats)), float.data(4, Wire.littleEndian(floats)),
      float.float(4, 0.5).float(4, -2), float.data(4, Wire.littleEndian([0.5] as [Float])).float(4, -2),
      double.data(9, Wire.littleEndian(doubles)), double.data(10, Wire.littleEndian(doubles)),
      double.double(10, 0.5).double(10, -2),
    ]
    for (index, wire) in spellings.enumerated() {
      #expect(try decode(wire).doubles() == doubles, "spelling \(index)")
    }
  }

  @Test func unpackedElementsMaySurroundOtherFields() throws {
    let wire = Wire().int(1, 3).float(4, 1).int(2, 1).float(4, 2).string(8, "t").float(4, 3)
    #expect(try decode(wire).floats() == [1, 2, 3])
  }

  @Test func scalarsAndEmptyTensorsAreRead() throws {
    #expect(try decode(.tensor("t", .float, []).float(4, 3)).floats() == [3])
    #expect(try decode(.tensor("t", .float, [0, 5])).shape == [0, 5])
    #expect(try decode(.tensor("t", .float, [2, 0]).data(9, [])).count == 0)
    #expect(try decode(.tensor("t", .float, [1]).data(9, []).float(4, 3)).floats() == [3])
  }

  @Test func wrongElementCountsAreRefused() {
    let four = Wire.littleEndian([1, 2, 3, 4] as [Float])
    let cases: [(Wire, String)] = [
      (.tensor("t", .float, [3]).data(9, four), "has 16 bytes, expected 12 bytes for float32[3]"),
      (.tensor("t", .float, [5]).data(4, four), "has 16 bytes, expected 20 bytes for float32[5]"),
      (.tensor("t", .float, [2]), "has no elements, expected 8 bytes for float32[2]"),
      (.tensor("t", .int64, [2]).packed(7, [1]), "has 1 element, expected 16 bytes for int64[2]"),
      (.tensor("t", .float, [3]).data(4, [1, 2, 3]), "has 3 bytes"),
      (.tensor("t", .int64, [2]).data(4, four), "has its elements in float_data, expected int64_data"),
    ]
    for (wire, text) in cases {
      let error = rejection(wire)
      #expect(error?.tensor == "t")
      #expect(error?.message.contains(text) == true, "\(error.map(String.init) ?? "accepted"): \(text)")
    }
  }

  @Test func elementsThatTheirTypeCannotHoldAreRefused() {
    let cases: [(ONNXDataType, UInt64, Int64)] = [
      (.int8, 5, 128), (.uint8, 5, -1), (.uint8, 5, 256), (.int16, 5, 40000), (.uint16, 5, 65536),
      (.float16, 5, 65536), (.bfloat16, 5, -1), (.uint32, 11, 1 << 32),
    ]
    for (type, field, value) in cases {
      let error = rejection(.tensor("t", type, [2]).packed(field, [1, value]))
      #expect(error?.message.contains("at index 1") == true, "\(type) \(value)")
    }
  }

  @Test func absurdShapesAreRefusedBeforeAnythingIsAllocated() {
    let cases: [([Int64], ONNXError.Code)] = [
      ([1 << 60], .limit), ([1 << 31, 1 << 31, 1 << 31], .limit), ([.max, .max], .limit),
      ([0, .max, .max], .limit),
      ([1 << 59], .invalid), ([-1], .invalid), ([.min], .invalid),
      (Array(repeating: 1, count: 9), .limit), (Array(repeating: 2, count: 5000), .limit),
    ]
    for (dims, code) in cases {
      #expect(rejection(.tensor("t", .float, dims).data(9, [1, 2, 3, 4]))?.code == code, "\(dims.prefix(9))")
    }
    #expect(rejection(.tensor("t", .int64, [1 << 59]).packed(7, [1]))?.code == .limit)
  }

  @Test(arguments: [0, 8, 14, 15, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, -1] as [Int32])
  func unsupportedTypesAreRefusedByName(_ number: Int32) {
    let type = ONNXDataType(rawValue: number)
    let error = rejection(.tensor("t", type, [1]).data(9, [0, 0, 0, 0]))
    #expect(error?.code == .unsupported)
    #expect(error?.message.contains("\(type)") == true)
  }

  @Test func everySupportedTypeConvertsBothWays() {
    for element in ElementType.allCases { #expect(ONNXDataType(element).element == element) }
  }

  @Test func segmentsAreRefused() {
    let wire = Wire.tensor("t", .float, [1]).message(3, Wire().int(1, 0).int(2, 1)).float(4, 1)
    #expect(rejection(wire)?.code == .unsupported)
  }

  private func sparse(_ indices: [Int64], _ indexDims: [Int64], _ dims: [Int64]) throws(ONNXError) -> Tensor {
    let values = Wire.tensor("s", .float, [2]).data(9, Wire.littleEndian([5, 6] as [Float]))
    let sparse = Wire().message(1, values).message(2, .tensor("i", .int64, indexDims).packed(7, indices))
    let graph = Wire.graph().message(15, dims.reduce(sparse) { $0.int(3, $1) })
    return try Wire.model(graph).read().graph.initializers[0].tensor()
  }

  @Test func sparseTensorsBecomeDense() throws {
    #expect(try sparse([1, 5], [2], [2, 3]).floats() == [0, 5, 0, 0, 0, 6])
    #expect(try sparse([0, 1, 1, 2], [2, 2], [2, 3]).floats() == [0, 5, 0, 0, 0, 6])
  }

  @Test func sparseTensorsThatLeaveTheirShapeOrTheMemoryAreRefused() {
    #expect(throws: ONNXError.self) { try sparse([1, 6], [2], [2, 3]) }
    #expect(throws: ONNXError.self) { try sparse([0, 0, 0, 3], [2, 2], [2, 3]) }
    #expect(throws: ONNXError.self) { try sparse([-1, 0], [2], [2, 3]) }
    #expect(throws: ONNXError.self) { try sparse([0], [1], [2, 3]) }
    let error = #expect(throws: ONNXError.self) { try sparse([0, 1], [2], [1 << 40]) }
    #expect(error?.code == .limit)
  }
}
