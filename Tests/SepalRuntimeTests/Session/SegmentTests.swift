import SepalGraph
import SepalRuntime
import SepalTensor
import Testing

/// Chains of image kernels have the same bits however they are cut: step by step, in strips of any height, in panels of
/// channels, by any number of threads.
@Suite struct SegmentTests {
  /// A random chain of image kernels.
  struct Chain {
    var m: GraphMaker
    var random: SplitMix
    /// Every value so far.
    var values: [ValueID]
    let widest: Int

    init(seed: Int, shape: [Int], widest: Int) {
      m = GraphMaker(seed: seed)
      random = SplitMix(seed &* 31 + 7)
      values = [m.input(shape)]
      self.widest = widest
    }

    var last: ValueID { values[values.count - 1] }
    var shape: [Int] { m.graph.type(of: last).shape }
    mutating func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    mutating func pick<T>(_ list: [T]) -> T { list[pick(0...list.count - 1)] }
    mutating func activation() -> Activation {
      pick([.identity, .relu, .clip(min: -1, max: 2), .hardSwish, .silu])
    }

    /// Nothing, an image from outside, or an earlier one of the same shape.
    mutating func residual(_ shape: [Int]) -> ValueID? {
      switch pick(0...3) {
      case 0: return m.input(shape, name: "r\(values.count)")
      case 1:
        let equals = values.filter { m.graph.type(of: $0).shape == shape }
        return equals.isEmpty ? nil : pick(equals)
      default: return nil
      }
    }

    /// Kernel, strides, pads and dilations that fit the last image.
    mutating func window(kernels: [Int]) -> (
      kernel: [Int], strides: [Int], begins: [Int], ends: [Int], dilations: [Int]
    ) {
      var (kernel, strides, begins, ends, dilations): ([Int], [Int], [Int], [Int], [Int]) = (
        [], [], [], [], []
      )
      for axis in 1...2 {
        kernel.append(pick(kernels))
        strides.append(pick([1, 1, 1, 2, 2, 3]))
        dilations.append(pick([1, 1, 1, 2]))
        let span = (kernel[axis - 1] - 1) * dilations[axis - 1] + 1
        begins.append(pick(0...span - 1))
        ends.append(max(span - shape[axis] - begins[axis - 1], pick(0...span - 1)))
      }
      return (kernel, strides, begins, ends, dilations)
    }

    mutating func convolve(outputs: Int, groups: Int, kernels: [Int], m multiplier: Int = 1) throws {
      let w = window(kernels: kernels)
      var conv = Conv(
        strides: w.strides, padBegins: w.begins, padEnds: w.ends, dilations: w.dilations, groups: groups,
        layout: .channelsLast, activation: activation())
      if kernels == [1], pick(0...2) > 0 {
        (conv.strides, conv.padBegins, conv.padEnds) = ([1, 1], [0, 0], [0, 0])
      }
      let weight = m.weight([outputs, shape[3] / groups] + w.kernel)
      let bias = pick(0...3) > 0 ? m.constant([outputs]) : nil
      // Without it first, to learn the shape.
      var probe = m
      let y = try probe.add(conv, [last, weight, bias])
      let added = residual(probe.graph.type(of: y).shape)
      values.append(try m.add(conv, [last, weight, bias, added]))
    }

    mutating func extend() throws {
      let channels = shape[3]
      switch pick(0...8) {
      case 0...2: try convolve(outputs: pick(1...widest), groups: 1, kernels: [1])
      case 3...5 where channels > 1:
        try convolve(outputs: channels, groups: channels, kernels: [1, 2, 3, 3, 5])
      case 6 where channels % 32 == 0: try convolve(outputs: 2 * channels, groups: 2, kernels: [1, 3])
      case 7:
        var w = window(kernels: [2, 3])
        // Pooling wants less padding than kernel.
        for axis in 0..<2 {
          w.dilations[axis] = 1
          w.begins[axis] = min(w.begins[axis], w.kernel[axis] - 1)
          w.ends[axis] = max(
            min(w.ends[axis], w.kernel[axis] - 1), w.kernel[axis] - shape[axis + 1] - w.begins[axis])
        }
        let pool: any Operator =
          pick(0...1) == 0
          ? MaxPool(
            kernel: w.kernel, strides: w.strides, padBegins: w.begins, padEnds: w.ends,
            dilations: w.dilations, layout: .channelsLast)
          : AveragePool(
            kernel: w.kernel, strides: w.strides, padBegins: w.begins, padEnds: w.ends,
            dilations: w.dilations, countIncludePad: pick(0...1) == 0, layout: .channelsLast)
        values.append(try m.add(pool, [last]))
      default:
        try convolve(outputs: pick([pick(1...widest), 32]), groups: 1, kernels: [1, 2, 3])
      }
    }
  }

  static func isSegment(_ step: Plan.Step) -> Bool {
    step.kernel.hasPrefix("rows by") || step.kernel.hasPrefix("panels:")
  }

  /// Returns the plans that were run.
  @discardableResult
  static func check(
    _ m: inout GraphMaker, threads: ClosedRange<Int> = 1...3, tolerance: Double = 1e-5, _ comment: String
  ) throws -> [Plan] {
    let feeds = m.feeds()
    let expected = try m.graph.evaluate(feeds, precision: .double)
    let height = m.graph.outputs.map { m.graph.type(of: $0.value).shape[1] }.max() ?? 1
    let ways: [SegmentCost.Way?] = [nil, .panels] + (1...height).map { .rows($0) }
    var plans: [Plan] = []
    for isa in InstructionSet.allCases where isa.isAvailable {
      var options = ModelOptions(instructionSet: isa)
      options.fusesSegments = false
      let alone = try Model(m.graph, options: options).makeSession().run(inputs: feeds)
      for (name, tensor) in expected {
        let (worst, scale) = distance(tensor, alone[name]) ?? (.infinity, 0)
        #expect(worst <= tolerance * scale, "\(comment) \(isa): '\(name)' differs by \(worst)")
      }
      for way in ways {
        for count in threads {
          var options = ModelOptions(threads: count, instructionSet: isa)
          options.segmentWay = way
          let model = try Model(m.graph, options: options)
          plans.append(model.plan)
          if count == 1, way == nil { expectStepsWithinBounds(model, feeds, comment) }
          let session = model.makeSession()
          for round in 1...2 {
            let result = try session.run(inputs: feeds)
            for (name, tensor) in alone where result[name]?.isIdentical(to: tensor) != true {
              Issue.record("\(comment) round \(round): '\(name)' has other bits in\n\(model.plan)")
              return plans
            }
          }
        }
      }
    }
    return plans
  }

  @Test("random chains, small and of odd sizes", arguments: 0..<150)
  func randomChains(seed: Int) throws {
    var random = SplitMix(seed)
    func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    var chain = Chain(
      seed: seed, shape: [pick(1...2), pick(1...13), pick(1...13), pick(1...20)],
      widest: seed % 3 == 0 ? 64 : 20)
    for _ in 0..<pick(2...7) { try chain.extend() }
    chain.m.output(chain.last)
    if seed % 4 == 0 { chain.m.output(chain.values[chain.values.count / 2], name: "inner") }
    try Self.check(&chain.m, threads: 1...2, "seed \(seed)")
  }

  @Test("random chains with work enough for threads to share", arguments: 0..<24)
  func sharedChains(seed: Int) throws {
    var random = SplitMix(seed)
    func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    var chain = Chain(seed: seed, shape: [1 + seed % 2, pick(14...19), pick(14...19), 24], widest: 100)
    try chain.convolve(outputs: 64 + seed % 5, groups: 1, kernels: [1])
    try chain.convolve(outputs: chain.shape[3], groups: chain.shape[3], kernels: [3])
    for _ in 0..<2 { try chain.extend() }
    chain.m.output(chain.last)
    let plans = try Self.check(&chain.m, "seed \(seed)")
    #expect(plans.contains { $0.steps.contains { Self.isSegment($0) && $0.threads > 1 } })
  }

  @Test(
    "expand, depthwise, project with a residual: every strip height, every stride", arguments: [1, 2], [3, 5])
  func invertedResidual(stride: Int, kernel: Int) throws {
    for (height, width) in [(14, 14), (9, 1), (1, 9), (7, 5)] {
      var m = GraphMaker()
      let x = m.input([2, height, width, 24])
      let pads = [kernel / 2, kernel / 2]
      let wide = try m.add(
        Conv(layout: .channelsLast, activation: .hardSwish), [x, m.weight([75, 24, 1, 1]), m.constant([75])])
      let filtered = try m.add(
        Conv(
          strides: [stride, stride], padBegins: pads, padEnds: pads, groups: 75, layout: .channelsLast,
          activation: .clip(min: 0, max: 6)), [wide, m.weight([75, 1, kernel, kernel]), m.constant([75])])
      m.output(
        try m.add(
          Conv(layout: .channelsLast),
          [filtered, m.weight([24, 75, 1, 1]), m.constant([24]), stride == 1 ? x : nil]))
      let plans = try Self.check(&m, "\(height)×\(width) stride \(stride) kernel \(kernel)")
      #expect(plans.contains { $0.steps.contains { $0.kernel.hasPrefix("rows by") && $0.nodes.count == 3 } })
      #expect(plans.contains { $0.steps.contains { $0.kernel.hasPrefix("panels:") && $0.nodes.count == 2 } })
    }
  }

  @Test("windows that step over rows: nobody computes, or waits for, what is between", arguments: 2...4)
  func stridesBeyondTheKernel(stride: Int) throws {
    for (first, second) in [(1, 1), (3, 1), (3, 2)] {
      var m = GraphMaker()
      let x = m.input([2, 17, 6, 19])
      let wide = try m.add(Conv(layout: .channelsLast), [x, m.weight([21, 19, 1, 1]), nil])
      let filtered = try m.add(
        Conv(
          padBegins: [first / 2, first / 2], padEnds: [first / 2, first / 2], groups: 21,
          layout: .channelsLast), [wide, m.weight([21, 1, first, first]), nil])
      let thinned = try m.add(
        Conv(strides: [stride, stride], layout: .channelsLast),
        [filtered, m.weight([9, 21, second, second]), nil])
      m.output(
        try m.add(
          MaxPool(
            kernel: [1, 1], strides: [stride, 1], padBegins: [0, 0], padEnds: [0, 0], dilations: [1, 1],
            layout: .channelsLast), [thinned]))
      try Self.check(&m, "stride \(stride), kernels \(first) and \(second)")
    }
  }

  @Test("a picture's first convolution, plain or planar, begins a segment", arguments: [false, true])
  func firstConvolution(isPlanar: Bool) throws {
    for (height, width) in [(15, 17), (8, 2), (2, 3)] {
      var m = GraphMaker()
      var x = isPlanar ? m.input([2, 3, height, width]) : m.input([2, height, width, 3])
      if isPlanar { x = try m.add(Transpose(permutation: [0, 2, 3, 1]), [x]) }
      let first = try m.add(
        Conv(
          strides: [2, 2], padBegins: [0, 1], padEnds: [1, 1], layout: .channelsLast, activation: .hardSwish),
        [x, m.weight([20, 3, 3, 3]), m.constant([20])])
      let filtered = try m.add(
        Conv(
          padBegins: [1, 1], padEnds: [1, 1], groups: 20, layout: .channelsLast, activation: .relu),
        [first, m.weight([20, 1, 3, 3]), nil])
      m.output(try m.add(Conv(layout: .channelsLast), [filtered, m.weight([9, 20, 1, 1]), nil]))
      let plans = try Self.check(&m, "\(height)×\(width) planar \(isPlanar)")
      #expect(plans.contains { $0.steps.contains { $0.kernel.hasPrefix("rows by") && $0.nodes.count == 3 } })
    }
  }
}
