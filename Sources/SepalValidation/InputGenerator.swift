import SepalGraph
import SepalTensor

/// Seeded inputs for a graph: standard normal for floating point, small integers, random bools.
public struct InputGenerator: Sendable {
  /// The number by which `schemas/FORMAT.md` knows this way of making inputs. Files rely on it: what follows must not change.
  static let version = 1

  private var random: SplitMix64

  public init(seed: UInt64) { random = SplitMix64(seed: seed) }

  /// The first inputs that `seed` gives.
  static func inputs(for graph: Graph, seed: UInt64) -> [String: Tensor] {
    var generator = InputGenerator(seed: seed)
    return generator.inputs(for: graph)
  }

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
      case .bool: Double(random.next() & 1)
      case let element where element.isInteger: Double(random.next() % 8)
      default: normal()
      }
    }
    return Tensor(type.element, type.shape, doubles: values)
  }

  /// The sum of twelve uniform numbers: mean 0, variance 1, never beyond ±6, and the same on every machine.
  private mutating func normal() -> Double {
    (0..<12).reduce(-6.0) { sum, _ in sum + Double(random.next() >> 11) * 0x1p-53 }
  }
}
