import SepalGraph
import SepalTensor

/// Inputs for every input of a graph, and what they are.
public struct ValidationSample: Sendable {
  public var name: String
  public var inputs: [String: Tensor]

  public init(name: String, inputs: [String: Tensor]) {
    self.name = name
    self.inputs = inputs
  }
}

/// What is put into floating-point inputs. Integer inputs are small random integers whatever the kind, except for zeros.
public enum InputKind: String, Sendable, CaseIterable {
  /// Standard normal numbers.
  case normal
  /// Even numbers from 0 to 1: pictures as many networks take them.
  case unit
  case zero
  /// Even from −8 to 8, with elements exactly at 0, ±1, ±3 and ±6, where clips and hard activations have their knees, and
  /// next to them.
  case knees
  /// Standard normal numbers times 100: whatever is cut off, is.
  case large
  /// Standard normal numbers times 10⁻³: everything is near the knees at zero.
  case small
  /// The same number everywhere: errors that depend on each other.
  case constant
}

/// Seeded inputs for a graph, the same on every machine.
public struct InputGenerator: Sendable {
  private var bits: SplitMix64

  public init(seed: UInt64) { bits = SplitMix64(seed: seed) }

  /// One of the samples that a seed gives, of each kind in turn.
  public static func sample(_ index: Int, seed: UInt64, for graph: Graph) -> ValidationSample {
    let kind = InputKind.allCases[index % InputKind.allCases.count]
    var generator = InputGenerator(seed: seed &+ UInt64(index))
    return ValidationSample(name: kind.rawValue, inputs: generator.inputs(for: graph, kind))
  }

  public mutating func inputs(for graph: Graph, _ kind: InputKind = .normal) -> [String: Tensor] {
    var inputs: [String: Tensor] = [:]
    for id in graph.inputs {
      let value = graph.value(id)
      inputs[value.name] = tensor(value.type, kind)
    }
    return inputs
  }

  public mutating func tensor(_ type: TensorType, _ kind: InputKind = .normal) -> Tensor {
    let same = kind == .constant ? uniform() * 4 - 2 : 0
    let values = (0..<type.count).map { _ -> Double in
      switch type.element {
      case _ where kind == .zero: 0
      case .bool: Double(bits.next() & 1)
      case let element where element.isInteger: Double(bits.next() % 8)
      default: number(kind, same)
      }
    }
    return Tensor(type.element, type.shape, doubles: values)
  }

  private mutating func number(_ kind: InputKind, _ same: Double) -> Double {
    switch kind {
    case .normal: return normal()
    case .unit: return uniform()
    case .zero: return 0
    case .knees:
      let knees: [Float] = [-6, -3, -1, 0, 1, 3, 6]
      let choice = bits.next() % 4
      guard choice < 3 else { return 16 * uniform() - 8 }
      let knee = knees[Int(bits.next() % 7)]
      return Double(choice == 0 ? knee : choice == 1 ? knee.nextUp : knee.nextDown)
    case .large: return 100 * normal()
    case .small: return 1e-3 * normal()
    case .constant: return same
    }
  }

  private mutating func uniform() -> Double { Double(bits.next() >> 11) * 0x1p-53 }

  /// The sum of twelve uniform numbers: mean 0, variance 1, never beyond ±6, and the same on every machine.
  private mutating func normal() -> Double { (0..<12).reduce(-6.0) { sum, _ in sum + uniform() } }
}
