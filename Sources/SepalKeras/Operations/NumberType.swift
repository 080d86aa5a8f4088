import SepalTensor

/// The type of an operand where types are promoted: an element type, or that of a bare Python number, which yields to
/// any element type of its kind.
package enum NumberType: Hashable {
  case element(ElementType)
  case weakInt
  case weakFloat

  /// The types directly above in Keras 3's lattice, which is JAX's.
  private var above: [NumberType] {
    switch self {
    case .element(.bool): [.weakInt]
    case .weakInt: [.element(.uint8), .element(.int8)]
    case .element(.uint8): [.element(.int16), .element(.uint16)]
    case .element(.uint16): [.element(.int32), .element(.uint32)]
    case .element(.uint32): [.element(.int64), .element(.uint64)]
    case .element(.int8): [.element(.int16)]
    case .element(.int16): [.element(.int32)]
    case .element(.int32): [.element(.int64)]
    case .element(.int64), .element(.uint64): [.weakFloat]
    case .weakFloat: [.element(.bfloat16), .element(.float16)]
    case .element(.bfloat16), .element(.float16): [.element(.float32)]
    case .element(.float32): [.element(.float64)]
    case .element(.float64): []
    }
  }

  private var upperBounds: Set<NumberType> {
    above.reduce(into: [self]) { $0.formUnion($1.upperBounds) }
  }

  /// The element type in which Keras 3 computes with operands of these types: the least that is above all of them.
  package static func promoted(_ types: [NumberType]) -> ElementType {
    guard let first = types.first else { return .float32 }
    let common = types.dropFirst().reduce(first.upperBounds) { $0.intersection($1.upperBounds) }
    // float64 is above everything, so there is always a common bound, and in a lattice a least one.
    let least = common.first { common.isSubset(of: $0.upperBounds) } ?? .element(.float64)
    switch least {
    // Keras keeps to 32 bits where there is no sign.
    case .element(.uint64): return .uint32
    case .element(let element): return element
    case .weakInt: return .int32
    case .weakFloat: return .float32
    }
  }
}
