import SepalGraph

/// Layers of a converted model that only approximate those of the original, by its rewrite log, and how well they promise
/// to.
public struct Approximations: Sendable, Hashable {
  /// For source tensors the error that is promised relative to the tensor, both as root mean squares.
  public private(set) var promised: [String: Double] = [:]

  public init() {}

  /// What was approximated on the way from `original` to `converted`.
  init(of converted: Graph, from original: Graph) {
    let known = Set(original.provenance.rewrites)
    for record in converted.provenance.rewrites where !known.contains(record) {
      guard case .approximate(let error) = record.exactness else { continue }
      // What comes last is what the layer hands over; the others are inside of it.
      if let origin = record.origins.last { promised[origin, default: 0] += error }
    }
  }

  /// The variance that is promised for each element of a source tensor; 0 where it is not approximated.
  func variance(_ value: Value, _ estimate: Estimate) -> Double {
    guard !promised.isEmpty, let origin = value.origins.first(where: { promised[$0.name] != nil }),
      let error = promised[origin.name], estimate.value.count > 0
    else { return 0 }
    let squares = estimate.value.doubles().reduce(0) { $1.isFinite ? $0 + $1 * $1 : $0 }
    return error * error * squares / Double(estimate.value.count)
  }
}
