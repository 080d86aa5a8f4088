import SepalGraph
import SepalTensor

/// Seeded inputs for a graph: standard normal for floating point, small integers, random bools.
public struct InputGenerator: Sendable {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func inputs(for graph: Graph) -> [String: Tensor] {
    var inputs: [String: Tensor] = [:]
    for id in graph.inputs {
      let value = graph.value(id)
      inputs[value.name] = tensor(value.type)
    }
    return inputs
  }

  public mutating func tensor(_ type: TensorType) -> Tensor {
    let values = (0..<type.count).map { _ in
      switch type.element {
      case .bool: Double(next() & 1)
      case let element where element.isInteger: Double(next() % 8)
      default: normal()
      }
    }
    return Tensor(type.element, type.shape, doubles: values)
  }

  /// SplitMix64.
  private mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// The sum of twelve uniform numbers: mean 0, variance 1, never beyond ±6, and the same on every machine.
  private mutating func normal() -> Double {
    (0..<12).reduce(-6.0) { sum, _ in sum + Double(next() >> 11) * 0x1p-53 }
  }
}
