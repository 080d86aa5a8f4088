import SepalTensor

/// What counts as equal.
public enum Criterion: Sendable, Hashable {
  /// |actual − reference| ≤ λ·σ for every element, σ being the standard deviation that is predicted for its rounding errors.
  case deviations(Double)
  /// |actual − reference| ≤ absolute + relative·max |reference|, per tensor.
  case tolerance(Tolerance)
}

/// Fixed limits of an error: |actual − reference| ≤ absolute + relative · max |reference|, per tensor.
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

/// How far one tensor is from its reference, over all samples.
public struct Comparison: Sendable, Hashable {
  /// Largest absolute difference; infinite when one side is not finite where the other is, or NaN.
  public private(set) var maxAbsolute = 0.0
  /// `maxAbsolute` over the reference's largest magnitude.
  public private(set) var maxRelative = 0.0
  /// Root mean square of the difference over that of the reference.
  public private(set) var rmsRelative = 0.0
  public private(set) var cosine = 1.0
  /// Of the element that came closest to its bound: the difference, the largest that is accepted, and the standard deviation
  /// that was predicted.
  public private(set) var observed = 0.0
  public private(set) var bound = 0.0
  public private(set) var sigma = 0.0
  /// The largest difference in units of its predicted standard deviation.
  public private(set) var deviations = 0.0
  /// Whether the largest element is at the same place; for every row of a matrix.
  public private(set) var top1Agrees = true
  /// The least lead of a row's largest element over the next, in units of its predicted standard deviation.
  public private(set) var top1Margin = Double.infinity
  /// Elements for which no bound could be given, in all samples: errors that pass a division by what may be zero are
  /// unlimited.
  public private(set) var unbounded = 0
  /// For each sample the median over elements of λσ/|difference|.
  private var medians: [Double] = []

  public var isWithinBound: Bool { observed <= bound && unbounded == 0 }

  /// The median over samples of the median over elements of λσ over the difference: how much more is accepted than
  /// happens. Nil without differences, and where it was not asked for.
  public var slack: Double? { medians.isEmpty ? nil : medians.sorted()[medians.count / 2] }

  /// Compares element by element in row-major order; all have the same count.
  ///
  /// - Parameter isOutput: whether winners and slack are of interest.
  package init(
    _ actual: Tensor, reference: Tensor, sigma deviation: [Double]? = nil, by criterion: Criterion,
    isOutput: Bool = true
  ) {
    let (x, y) = (actual.doubles(), reference.doubles())
    let (lambda, tolerance): (Double, Tolerance?) =
      switch criterion {
      case .deviations(let lambda): (lambda, nil)
      case .tolerance(let tolerance): (10, tolerance)
      }
    let largest = y.reduce(0) { $1.isFinite ? max($0, $1.magnitude) : $0 }
    let fixed = tolerance.map { $0.absolute + $0.relative * largest }
    func limit(_ index: Int) -> Double { fixed ?? lambda * (deviation?[index] ?? 0) }
    var walk = Walk(lambda: lambda, fixed: fixed, largest: Rounding(actual.element).largest)
    x.withUnsafeBufferPointer { x in
      y.withUnsafeBufferPointer { y in
        if let deviation {
          deviation.withUnsafeBufferPointer { deviation in
            for index in x.indices { walk.add(x[index], y[index], sigma: deviation[index], isOutput) }
          }
        } else {
          for index in x.indices { walk.add(x[index], y[index], sigma: nil, isOutput) }
        }
      }
    }
    (maxAbsolute, deviations, unbounded) = (walk.maxAbsolute, walk.deviations, walk.unbounded)
    (observed, bound, sigma) = (walk.observed, walk.bound, walk.sigma)
    if walk.closest < 0 { bound = y.isEmpty || limit(0) == .infinity ? 0 : limit(0) }
    if !walk.slacks.isEmpty { medians = [walk.slacks.sorted()[walk.slacks.count / 2]] }
    let squares = walk.squares
    maxRelative = share(maxAbsolute, of: largest)
    rmsRelative = share(squares.difference.squareRoot(), of: squares.reference.squareRoot())
    let norms = (squares.reference * squares.actual).squareRoot()
    cosine = norms > 0 ? squares.product / norms : squares.reference == squares.actual ? 1 : 0
    if isOutput { compareWinners(x, y, width: reference.shape.last ?? 1, limit: limit, deviation) }
  }

  /// What is gathered element by element.
  private struct Walk {
    let lambda: Double
    let fixed: Double?
    /// Beyond this numbers of the actual type are infinite.
    let largest: Double
    var squares = (difference: 0.0, reference: 0.0, actual: 0.0, product: 0.0)
    var (maxAbsolute, deviations, unbounded) = (0.0, 0.0, 0)
    var (closest, observed, bound, sigma) = (-1.0, 0.0, 0.0, 0.0)
    var slacks: [Double] = []

    init(lambda: Double, fixed: Double?, largest: Double) {
      (self.lambda, self.fixed, self.largest) = (lambda, fixed, largest)
    }

    @inline(__always)
    mutating func add(_ a: Double, _ b: Double, sigma deviation: Double?, _ isOutput: Bool) {
      if a.isNaN && b.isNaN || a == b && !a.isFinite { return }
      let deviationOrZero = deviation ?? 0
      let limit = fixed ?? lambda * deviationOrZero
      var difference = (a - b).magnitude
      if !a.isFinite || !b.isFinite {
        if b.isFinite && b.magnitude + limit > largest { return }
        difference = .infinity
      } else {
        squares.difference += difference * difference
        squares.reference += b * b
        squares.actual += a * a
        squares.product += a * b
      }
      maxAbsolute = max(maxAbsolute, difference)
      guard limit < .infinity else {
        if difference > 0 { unbounded += 1 }
        return
      }
      if let deviation { deviations = max(deviations, share(difference, of: deviation)) }
      let part = share(difference, of: limit)
      if part > closest { (closest, observed, bound, sigma) = (part, difference, limit, deviationOrZero) }
      if isOutput && difference > 0 { slacks.append(lambda * deviationOrZero / difference) }
    }
  }

  private mutating func compareWinners(
    _ x: [Double], _ y: [Double], width: Int, limit: (Int) -> Double, _ deviation: [Double]?
  ) {
    guard width > 1, x.count.isMultiple(of: width) else { return }
    for start in stride(from: 0, to: x.count, by: width) {
      let range = start..<start + width
      let best = range.max { y[$0] < y[$1] } ?? start
      let chosen = range.max { x[$0] < x[$1] } ?? start
      // A tie of the reference within the bound has no one winner.
      if y[best] - y[chosen] > limit(best) + limit(chosen) { top1Agrees = false }
      guard let deviation, let next = range.filter({ $0 != best }).max(by: { y[$0] < y[$1] }) else {
        continue
      }
      let lead = y[best] - y[next]
      let sigma = (deviation[best] * deviation[best] + deviation[next] * deviation[next]).squareRoot()
      if lead.isFinite { top1Margin = min(top1Margin, sigma > 0 ? lead / sigma : lead > 0 ? .infinity : 0) }
    }
  }

  /// The worse of both, figure by figure; error, bound and deviation are those of the comparison that came closer to its
  /// bound.
  mutating func merge(_ other: Comparison) {
    if share(other.observed, of: other.bound) > share(observed, of: bound) {
      (observed, bound, sigma) = (other.observed, other.bound, other.sigma)
    }
    maxAbsolute = max(maxAbsolute, other.maxAbsolute)
    maxRelative = max(maxRelative, other.maxRelative)
    rmsRelative = max(rmsRelative, other.rmsRelative)
    deviations = max(deviations, other.deviations)
    cosine = min(cosine, other.cosine)
    top1Agrees = top1Agrees && other.top1Agrees
    top1Margin = min(top1Margin, other.top1Margin)
    unbounded += other.unbounded
    medians += other.medians
  }
}
