import SepalKeras
import SepalTensor
import Testing

/// Types meet as `keras.backend.result_type` of Keras 3.15 says, all pairs of which are recorded here.
struct NumberTypeTests {
  /// In JAX's abbreviations: `i` and `f` are bare Python numbers, others have their bytes.
  static let names = ["b", "i", "f", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "bf", "f2", "f4", "f8"]

  static let results = [
    "b i4 f4 u1 u2 u4 u4 i1 i2 i4 i8 bf f2 f4 f8",
    "i4 i4 f4 u1 u2 u4 u4 i1 i2 i4 i8 bf f2 f4 f8",
    "f4 f4 f4 f4 f4 f4 f4 f4 f4 f4 f4 bf f2 f4 f8",
    "u1 u1 f4 u1 u2 u4 u4 i2 i2 i4 i8 bf f2 f4 f8",
    "u2 u2 f4 u2 u2 u4 u4 i4 i4 i4 i8 bf f2 f4 f8",
    "u4 u4 f4 u4 u4 u4 u4 i8 i8 i8 i8 bf f2 f4 f8",
    "u4 u4 f4 u4 u4 u4 u4 f4 f4 f4 f4 bf f2 f4 f8",
    "i1 i1 f4 i2 i4 i8 f4 i1 i2 i4 i8 bf f2 f4 f8",
    "i2 i2 f4 i2 i4 i8 f4 i2 i2 i4 i8 bf f2 f4 f8",
    "i4 i4 f4 i4 i4 i8 f4 i4 i4 i4 i8 bf f2 f4 f8",
    "i8 i8 f4 i8 i8 i8 f4 i8 i8 i8 i8 bf f2 f4 f8",
    "bf bf bf bf bf bf bf bf bf bf bf bf f4 f4 f8",
    "f2 f2 f2 f2 f2 f2 f2 f2 f2 f2 f2 f4 f2 f4 f8",
    "f4 f4 f4 f4 f4 f4 f4 f4 f4 f4 f4 f4 f4 f4 f8",
    "f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8",
  ]

  private func type(_ name: String) throws -> NumberType {
    switch name {
    case "i": .weakInt
    case "f": .weakFloat
    default: .element(try element(name))
    }
  }

  private func element(_ name: String) throws -> ElementType {
    let elements: [String: ElementType] = [
      "b": .bool, "u1": .uint8, "u2": .uint16, "u4": .uint32, "u8": .uint64, "i1": .int8, "i2": .int16,
      "i4": .int32,
      "i8": .int64, "bf": .bfloat16, "f2": .float16, "f4": .float32, "f8": .float64,
    ]
    return try #require(elements[name])
  }

  @Test func pairsArePromotedAsRecorded() throws {
    for (row, first) in Self.names.enumerated() {
      let results = Self.results[row].split(separator: " ").map(String.init)
      for (second, result) in zip(Self.names, results) {
        let promoted = NumberType.promoted([try type(first), try type(second)])
        #expect(promoted == (try element(result)), "\(first) and \(second)")
      }
    }
  }

  @Test func threeTypesMeetAboveAllOfThem() throws {
    #expect(NumberType.promoted([.element(.bool), .element(.int8), .weakFloat]) == .float32)
    #expect(NumberType.promoted([.element(.uint8), .element(.int8), .weakInt]) == .int16)
    #expect(NumberType.promoted([.element(.int32)]) == .int32)
  }
}
