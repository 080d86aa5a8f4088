import SepalTensor

/// How far one tensor is from its reference.
public struct Comparison: Sendable, Hashable {
  /// Largest absolute difference; infinite when one side is not finite where the other is, or NaN.
  public private(set) var maxAbsolute = 0.0
  /// `maxAbsolute` over the reference's largest magnitude.
  public private(set) var maxRelative = 0.0
  /// Root mean square of the difference over that of the reference.
  public private(set) var rmsRelative = 0.0
  public private(set) var cosine = 1.0
  /// The largest absolute difference that is accepted.
  public private(set) var bound = 0.0
  /// Whether the largest element is at the same place; for every row of a matrix.
  public private(set) var top1Agrees = true

  public var isWithinBound: Bool { maxAbsolute <= bound }

  /// Compares element by element in row-major order; both have the same count.
  package init(_ actual: Tensor, reference: Tensor, tolerance: Tolerance) {
    let (x, y) = (actual.doubles(), reference.doubles())
    var squares = (difference: 0.0, reference: 0.0, actual: 0.0, product: 0.0)
    var largest = 0.0
    for (a, b) in zip(x, y) {
      if a.isNaN && b.isNaN || a == b && !a.isFinite { continue }
      guard a.isFinite, b.isFinite else {
        maxAbsolute = .infinity
        continue
      }
      let difference = a - b
      maxAbsolute = max(maxAbsolute, difference.magnitude)
      largest = max(largest, b.magnitude)
      squares.difference += difference * difference
      squares.reference += b * b
      squares.actual += a * a
      squares.product += a * b
    }
    bound = tolerance.absolute + tolerance.relative * largest
    maxRelative = ratio(maxAbsolute, largest)
    rmsRelative = ratio(squares.difference.squareRoot(), squares.reference.squareRoot())
    let norms = (squares.reference * squares.actual).squareRoot()
    cosine = norms > 0 ? squares.product / norms : squares.reference == squares.actual ? 1 : 0
    let width = max(1, reference.shape.last ?? 1)
    if x.count > 1 && x.count % width == 0 {
      for start in stride(from: 0, to: x.count, by: width) where width > 1 {
        let range = start..<start + width
        let best = range.max { y[$0] < y[$1] } ?? start
        let chosen = range.max { x[$0] < x[$1] } ?? start
        // A tie of the reference within the bound has no one winner.
        if y[best] - y[chosen] > 2 * bound { top1Agrees = false }
      }
    }
  }

  /// The worse of both, figure by figure; error and bound are those of the comparison that came closer to its bound.
  mutating func merge(_ other: Comparison) {
    if other.shareOfBound > shareOfBound { (maxAbsolute, bound) = (other.maxAbsolute, other.bound) }
    maxRelative = max(maxRelative, other.maxRelative)
    rmsRelative = max(rmsRelative, other.rmsRelative)
    cosine = min(cosine, other.cosine)
    top1Agrees = top1Agrees && other.top1Agrees
  }

  private var shareOfBound: Double { ratio(maxAbsolute, bound) }
}

private func ratio(_ value: Double, _ scale: Double) -> Double {
  value == 0 ? 0 : scale > 0 ? value / scale : .infinity
}

/// What counts as equal: |actual − reference| ≤ absolute + relative · max |reference|, per tensor.
public struct Tolerance: Sendable, Hashable {
  public var absolute: Double
  public var relative: Double

  /// The default holds for float32 networks of some hundred layers: rounding differences are about 1e-6 of a
  /// tensor's largest element, and a wrong weight, pad or activation is orders of magnitude above 1e-4.
  public init(absolute: Double = 1e-6, relative: Double = 1e-4) {
    self.absolute = absolute
    self.relative = relative
  }
}
