/// What a source graph computes on inputs that anyone can make again: the reference in double precision, and how far a
/// float32 run may be from it.
public struct GoldenVector: Sendable, Hashable {
  /// Which generator makes the inputs out of `seed`; `schemas/FORMAT.md` defines generator 1.
  public var generator: Int
  public var seed: UInt64
  /// One per graph output.
  public var outputs: [Output]

  public struct Output: Sendable, Hashable {
    public var name: String
    /// Elements of the output, of which `values` are a sample.
    public var count: Int
    /// In ascending order of their positions.
    public var values: [Double]
    /// The largest accepted |difference|: one for all values, or one for each.
    public var bounds: [Float]

    public init(name: String, count: Int, values: [Double], bounds: [Float]) {
      self.name = name
      self.count = count
      self.values = values
      self.bounds = bounds
    }
  }

  public init(generator: Int, seed: UInt64, outputs: [Output]) {
    self.generator = generator
    self.seed = seed
    self.outputs = outputs
  }

  /// Where in a row-major output of `count` elements the sampled ones are, ascending: one drawn from each of `samples`
  /// stretches of equal length, by SplitMix64 from `seed`. All of them when there are as many samples.
  ///
  /// - Requires: samples ≤ count.
  public static func positions(count: Int, samples: Int, seed: UInt64) -> [Int] {
    guard samples > 0 else { return [] }
    var random = SplitMix64(seed: seed)
    let (whole, rest) = count.quotientAndRemainder(dividingBy: samples)
    func start(_ index: Int) -> Int { index * whole + index * rest / samples }
    return (0..<samples).map { index in
      let (lower, upper) = (start(index), start(index + 1))
      return lower + Int(random.next() % UInt64(upper - lower))
    }
  }
}

/// Steele, Lea and Flood's generator: the same numbers on every machine, forever.
package struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
