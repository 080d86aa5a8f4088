import SepalTensor

/// One step of the runtime's plan against the reference on the operands that the runtime itself had computed: over all
/// samples, the element that came closest to its bound.
public struct StepComparison: Sendable, Hashable {
  /// The last node that the step computes, of which it hands over the result.
  public let name: String
  /// All of them, in order; several where the plan runs a chain strip by strip.
  public let nodes: [String]
  /// `2 Conv, Add`.
  public let op: String
  public let kernel: String
  /// The error of that element, and the largest that rounding in any order can make there.
  public private(set) var observed = 0.0
  public private(set) var bound = 0.0

  /// The share of its bound that the error has. Beyond 1 the kernel or the plan is wrong.
  public var ratio: Double { share(observed, of: bound) }
  public var isWithinBound: Bool { observed <= bound }

  init(name: String, nodes: [String], op: String, kernel: String) {
    self.name = name
    self.nodes = nodes
    self.op = op
    self.kernel = kernel
  }

  /// Looks at every element of one result.
  mutating func add(_ actual: Tensor, _ expected: Estimate, _ rounding: Rounding) {
    let (x, y) = (actual.doubles(), expected.value.doubles())
    for index in x.indices {
      let allowed = expected.error?[index] ?? 0
      // An infinite bound says nothing; and what may be beyond the largest number may be infinite.
      if !(allowed < .infinity) || (x[index].isNaN && y[index].isNaN) || x[index] == y[index] { continue }
      if y[index].magnitude + allowed > rounding.largest && y[index].isFinite { continue }
      let difference = (x[index] - y[index]).magnitude
      merge(difference.isNaN ? .infinity : difference, allowed)
    }
  }

  mutating func merge(_ other: StepComparison) { merge(other.observed, other.bound) }

  private mutating func merge(_ newObserved: Double, _ newBound: Double) {
    let (old, new) = (ratio, share(newObserved, of: newBound))
    if new > old || (new == old && newBound > bound) { (observed, bound) = (newObserved, newBound) }
  }
}

func share(_ value: Double, of whole: Double) -> Double {
  value == 0 ? 0 : whole > 0 ? value / whole : .infinity
}
