import SepalONNX
import SepalTensor

/// A protobuf message, written field by field.
struct Wire {
  var bytes: [UInt8] = []

  init() {}

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  static func varint(_ value: UInt64) -> [UInt8] {
    var rest = value
    var bytes: [UInt8] = []
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  static func tag(_ field: UInt64, _ wireType: UInt64) -> [UInt8] { varint(field << 3 | wireType) }

  static func littleEndian<Value>(_ values: [Value]) -> [UInt8] {
    values.withUnsafeBytes { Array($0) }
  }

  func int(_ field: UInt64, _ value: Int64) -> Wire {
    Wire(bytes + Self.tag(field, 0) + Self.varint(UInt64(bitPattern: value)))
  }

  func float(_ field: UInt64, _ value: Float) -> Wire {
    Wire(bytes + Self.tag(field, 5) + Self.littleEndian([value]))
  }

  func double(_ field: UInt64, _ value: Double) -> Wire {
    Wire(bytes + Self.tag(field, 1) + Self.littleEndian([value]))
  }

  func data(_ field: UInt64, _ value: [UInt8]) -> Wire {
    Wire(bytes + Self.tag(field, 2) + Self.varint(UInt64(value.count)) + value)
  }

  func string(_ field: UInt64, _ value: String) -> Wire { data(field, Array(value.utf8)) }

  func message(_ field: UInt64, _ value: Wire) -> Wire { data(field, value.bytes) }

  func messages(_ field: UInt64, _ values: [Wire]) -> Wire {
    values.reduce(self) { $0.message(field, $1) }
  }

  func packed(_ field: UInt64, _ values: [Int64]) -> Wire {
    data(field, values.flatMap { Self.varint(UInt64(bitPattern: $0)) })
  }

  func raw(_ suffix: [UInt8]) -> Wire { Wire(bytes + suffix) }
}

extension Wire {
  static func model(_ graph: Wire, opset: Int64 = 17) -> Wire {
    Wire().int(1, 8).string(2, "test").message(7, graph).message(8, Wire().int(2, opset))
  }

  static func graph(nodes: [Wire] = [], initializers: [Wire] = []) -> Wire {
    Wire().messages(1, nodes).string(2, "g").messages(5, initializers)
  }

  static func node(
    _ opType: String, name: String = "n", inputs: [String] = ["x"], outputs: [String] = ["y"],
    attributes: [Wire] = []
  ) -> Wire {
    let operands = outputs.reduce(inputs.reduce(Wire()) { $0.string(1, $1) }) { $0.string(2, $1) }
    return operands.string(3, name).string(4, opType).messages(5, attributes)
  }

  static func tensor(_ name: String, _ type: ONNXDataType, _ dims: [Int64]) -> Wire {
    dims.reduce(Wire()) { $0.int(1, $1) }.int(2, Int64(type.rawValue)).string(8, name)
  }

  static func value(_ name: String, _ type: ONNXDataType, _ dims: [Wire]) -> Wire {
    let tensor = Wire().int(1, Int64(type.rawValue)).message(2, Wire().messages(1, dims))
    return Wire().string(1, name).message(2, Wire().message(1, tensor))
  }

  /// A model that uses most of what the reader knows.
  static var sample: Wire {
    let attributes = [
      Wire().string(1, "pads").int(8, 0).int(8, 1).int(8, 0).int(8, 1).int(20, 7),
      Wire().string(1, "alpha").float(2, 0.25).int(20, 1),
      Wire().string(1, "mode").string(4, "same").int(20, 3),
      Wire().string(1, "value").message(5, Wire.tensor("v", .int64, [2]).packed(7, [3, -1])).int(20, 4),
    ]
    let weight = Wire.tensor("w", .float, [2, 2]).data(9, Wire.littleEndian([1, 2, 3, 4] as [Float]))
    let graph = Wire.graph(
      nodes: [
        Wire.node("Conv", name: "conv1", inputs: ["x", "w", ""], attributes: attributes),
        Wire.node("Relu", name: "", inputs: ["y"], outputs: ["z"]),
      ], initializers: [weight])
    let dims = [Wire().string(2, "N"), Wire().int(1, 2), Wire()]
    return .model(
      graph.message(11, Wire.value("x", .float, dims)).message(12, Wire.value("z", .float, [])))
  }

  func read() throws(ONNXError) -> ONNXModel { try ONNXModel(bytes.storage, folder: nil) }

  /// The error that reading gives, if any.
  var rejection: ONNXError? {
    do {
      _ = try read()
      return nil
    } catch {
      return error
    }
  }
}

extension [UInt8] {
  var storage: TensorStorage { TensorStorage(byteCount: count) { $0.copyBytes(from: self) } }
}

/// The single initializer of a model that holds `wire`, decoded.
func decode(_ wire: Wire) throws(ONNXError) -> Tensor {
  let model = try Wire.model(.graph(initializers: [wire])).read()
  return try model.graph.initializers[0].tensor()
}

/// The error that decoding gives, if any.
func rejection(_ wire: Wire) -> ONNXError? {
  do {
    _ = try decode(wire)
    return nil
  } catch {
    return error
  }
}
