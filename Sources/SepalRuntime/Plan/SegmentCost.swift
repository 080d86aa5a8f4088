/// What a chain of image kernels costs beyond its arithmetic, in nanoseconds: moving what it reads and writes through
/// the caches, and computing rows twice where threads' shares meet. Rough, but it only has to rank.
package struct SegmentCost {
  package enum Way: Sendable {
    /// One step by itself.
    case alone
    /// Strips of so many rows of the result.
    case rows(Int)
    /// Panels of channels.
    case panels
  }

  private let threads: Int
  private let vector: Int
  private let cacheBytes: Int
  private let forced: Way?

  /// Nanoseconds to move a byte within the second-level cache, and beyond it.
  private static let near = 1.0 / 50
  private static let far = 1.0 / 14
  /// Multiply-adds in a nanosecond.
  private static let macs = 40.0
  /// Nanoseconds to start a job: finding rows, setting up tiles.
  private static let job = 150.0

  /// - Parameter forced: how the longest chains run that can run so, whatever it costs.
  init(
    threads: Int, vector: Int, cacheBytes: Int = CacheSizes.current.secondLevel, forced: Way? = nil
  ) {
    self.forced = forced
    self.threads = threads
    self.vector = vector
    self.cacheBytes = cacheBytes
  }

  func cheapest(_ stages: [any ImageKernel]) -> (Double, Way) {
    if let forced { return forcedCost(forced, stages) }
    guard stages.count > 1 else { return (alone(stages[0]), .alone) }
    var best = (cost: Double.infinity, way: Way.alone)
    for strip in [1, 2, 3, 4, 6, 8, 12, 16] where strip <= stages[stages.count - 1].window.output.height {
      let price = rows(stages, strip)
      if price < best.cost { best = (price, .rows(strip)) }
    }
    if canRunByPanels(stages) {
      let price = panels(stages)
      if price < best.cost { best = (price, .panels) }
    }
    return best
  }

  private func canRunByPanels(_ stages: [any ImageKernel]) -> Bool {
    stages.dropFirst().allSatisfy(\.isChannelwise) && !stages[0].isChannelwise
  }

  private func forcedCost(_ way: Way, _ stages: [any ImageKernel]) -> (Double, Way) {
    if stages.count == 1 { return (1, .alone) }
    if case .rows = way { return (0, way) }
    return (canRunByPanels(stages) ? 0 : .infinity, way)
  }

  private func bytes(_ shape: ImageShape) -> Int {
    shape.floats(in: .blocked, vector: vector) * MemoryLayout<Float>.size
  }

  /// To write and read `bytes` that stay in a cache of which `others` are taken.
  private func moving(_ bytes: Int, besides others: Int = 0) -> Double {
    Double(bytes) * (bytes + others <= cacheBytes * 3 / 4 ? Self.near : Self.far)
  }

  private func alone(_ stage: any ImageKernel) -> Double {
    let (input, output) = (bytes(stage.window.input), bytes(stage.window.output))
    return Self.job + moving(input, besides: output) + moving(output, besides: input)
      + Double(stage.weightBytes) * Self.far
  }

  private func ends(_ stages: [any ImageKernel]) -> Double {
    Double(bytes(stages[0].window.input) + bytes(stages[stages.count - 1].window.output)) * Self.far
  }

  private func rows(_ stages: [any ImageKernel], _ strip: Int) -> Double {
    let height = stages[stages.count - 1].window.output.height
    let strips = Double((height + strip - 1) / strip)
    var (wanted, halo) = (strip, 0)
    var (ringBytes, jobs, twice, moved) = (0, 0.0, 0.0, 0.0)
    for index in stride(from: stages.count - 1, through: 0, by: -1) {
      let stage = stages[index]
      let output = stage.window.output
      // Short runs of pixels leave tiles unfilled.
      let pixels = Double(max(1, wanted - halo) * output.width)
      jobs += strips * Self.job + Double(stage.work) / Self.macs * min(0.5, 2 / pixels)
      twice += Double(threads - 1) * Double(halo) / Double(output.height) * Double(stage.work) / Self.macs
      if index < stages.count - 1 {
        ringBytes += bytes(output) / output.height * min(output.height, wanted)
        moved += Double(bytes(output))
      }
      halo = halo * stage.window.stride + max(0, stage.window.span - stage.window.stride)
      wanted = (wanted - 1) * stage.window.stride + stage.window.span
    }
    let weights = stages.reduce(0) { $0 + $1.weightBytes }
    let speed = ringBytes + weights <= cacheBytes * 3 / 4 ? Self.near : Self.far
    return ends(stages) + jobs + twice + (2 * moved + strips * Double(weights)) * speed
  }

  private func panels(_ stages: [any ImageKernel]) -> Double {
    let panels = stages[0].panels
    let plane = stages.dropLast().map { bytes($0.window.output) / max(1, panels) }.max() ?? 0
    let input = bytes(stages[0].window.input)
    let speed = 2 * plane + input <= cacheBytes ? Self.near : Self.far
    let moved = stages.dropLast().reduce(0) { $0 + bytes($1.window.output) }
    let weights = stages.reduce(0) { $0 + $1.weightBytes }
    return ends(stages) + Double(panels * stages.count) * Self.job + Double(2 * moved + input * panels / 4)
      * speed
      + Double(weights) * Self.far
  }
}
