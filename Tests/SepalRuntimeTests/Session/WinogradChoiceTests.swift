import SepalGraph
import SepalRuntime
import SepalTensor
import Testing

/// Convolutions by Winograd's algorithm against the reference, and where they are chosen.
@Suite struct WinogradChoiceTests {
  private struct Case {
    var size = (h: 9, w: 8)
    var channels = (input: 16, output: 16)
    /// Top, left, bottom, right.
    var pads = [1, 1, 1, 1]
    var batch = 1
    var residual = false
    var activation = Activation.identity
    var kernel = 3
    var stride = 1
    var dilation = 1
    var groups = 1

    func maker() throws -> GraphMaker {
      var m = GraphMaker()
      let x = m.input([batch, size.h, size.w, channels.input])
      let out = (size.h + pads[0] + pads[2] - 2, size.w + pads[1] + pads[3] - 2)
      let added = residual ? m.input([batch, out.0, out.1, channels.output], name: "r") : nil
      let weight = m.weight([channels.output, channels.input / groups, kernel, kernel])
      m.output(
        try m.add(
          Conv(
            strides: [stride, stride], padBegins: Array(pads[..<2]), padEnds: Array(pads[2...]),
            dilations: [dilation, dilation], groups: groups, layout: .channelsLast, activation: activation),
          [x, weight, m.constant([channels.output]), added]))
      return m
    }

    func model(_ options: ModelOptions) throws -> Model { try Model(maker().graph, options: options) }
  }

  /// Runs a case on tiles of both sizes and several numbers of threads, which must give the same bits.
  private static func check(_ c: Case, threads: ClosedRange<Int> = 1...1) throws {
    var m = try c.maker()
    let feeds = m.feeds()
    let expected = try m.graph.evaluate(feeds, precision: .double)
    for isa in InstructionSet.allCases where isa.isAvailable {
      for tile in [2, 4] {
        var first: Tensor?
        for threads in threads {
          var options = ModelOptions(threads: threads, instructionSet: isa)
          options.winogradTile = tile
          let model = try Model(m.graph, options: options)
          #expect(model.plan.steps.contains { $0.kernel.hasPrefix("winograd \(tile)x\(tile)") }, "\(c)")
          if threads == 1 { expectStepsWithinBounds(model, feeds, "\(isa) tile \(tile), \(c)") }
          let session = model.makeSession()
          for _ in 1...2 {
            guard let result = try session.run(inputs: feeds)["y"], let want = expected["y"] else {
              Issue.record("no result")
              continue
            }
            let (worst, scale) = distance(want, result) ?? (.infinity, 0)
            #expect(worst <= 4e-6 * scale, "\(isa) tile \(tile), \(c) differs by \(worst)")
            #expect(first?.isIdentical(to: result) != false, "\(isa) tile \(tile), \(threads) threads, \(c)")
            first = result
          }
        }
      }
    }
  }

  @Test("images of every size around the tiles")
  func sizes() throws {
    for extent in 5...12 {
      try Self.check(Case(size: (extent, 17 - extent)))
      try Self.check(Case(size: (extent, extent + 1), pads: [0, 1, 1, 0]))
    }
    for size in [(2, 31), (31, 3), (1, 1), (19, 31)] { try Self.check(Case(size: size)) }
    for pads in [[0, 0, 0, 0], [1, 0, 0, 1], [0, 1, 0, 0], [2, 3, 0, 5]] {
      try Self.check(Case(size: (11, 13), pads: pads))
    }
  }

  @Test("channels around vectors and panels")
  func channels() throws {
    for channels in [(16, 17), (17, 16), (23, 40), (33, 31), (48, 96), (70, 19)] {
      try Self.check(Case(size: (6, 9), channels: channels))
    }
  }

  @Test("bias, residual and activation", arguments: KernelChoiceTests.activations)
  func epilogue(_ activation: Activation) throws {
    for residual in [false, true] {
      try Self.check(Case(size: (7, 10), residual: residual, activation: activation))
    }
  }

  @Test("threads share tiles or panels of a batch; the bits are the same")
  func threads() throws {
    for batch in 1...3 {
      // Fewer tiles than channels, and more, in several strips.
      try Self.check(Case(size: (13, 14), channels: (20, 300), batch: batch, residual: true), threads: 1...4)
      try Self.check(
        Case(size: (45, 61), channels: (19, 35), batch: batch, activation: .hardSwish), threads: 1...4)
    }
  }

  @Test("an image keeps its bits whatever comes with it in a batch")
  func batch() throws {
    var m = try Case(size: (10, 11), batch: 3).maker()
    let feeds = m.feeds()
    let alone = try Case(size: (10, 11)).maker()
    for tile in [2, 4] {
      var options = ModelOptions()
      options.winogradTile = tile
      let together = try #require(
        Model(m.graph, options: options).makeSession().run(inputs: feeds)["y"]?.floats())
      let session = try Model(alone.graph, options: options).makeSession()
      let floats = try #require(feeds["x"]?.floats())
      for image in 0..<3 {
        let count = floats.count / 3
        let one = Tensor([1, 10, 11, 16], floats: Array(floats[image * count..<(image + 1) * count]))
        let result = try #require(session.run(inputs: ["x": one])["y"]?.floats())
        #expect(result == Array(together[image * result.count..<(image + 1) * result.count]))
      }
    }
  }

  @Test("only 3×3 windows with stride 1 in one group of whole vectors are taken")
  func declined() throws {
    var options = ModelOptions()
    options.winogradTile = 4
    let vector = 16
    for c in [
      Case(stride: 2), Case(dilation: 2), Case(channels: (2 * vector, 2 * vector), groups: 2),
      Case(kernel: 1),
      Case(kernel: 5), Case(channels: (3, 16)), Case(channels: (16, 3)),
    ] {
      let plan = try c.model(options).plan
      #expect(!plan.steps.contains { $0.kernel.hasPrefix("winograd") }, "\(c): \(plan)")
    }
    options.allowsWinograd = false
    let plan = try Case().model(options).plan
    #expect(plan.steps.contains { $0.kernel.hasPrefix("convolution 3x3") }, "\(plan)")
  }

  @Test("larger tiles where weights are few, smaller ones where they are many, none where it does not pay")
  func choice() throws {
    for (size, channels, kernel) in [
      (56, (64, 64), "winograd 4x4"), (28, (128, 128), "winograd 4x4"), (14, (256, 256), "winograd 2x2"),
      (7, (512, 512), "winograd 2x2"), (55, (16, 64), "winograd 4x4"), (13, (64, 256), "winograd 4x4"),
      (3, (64, 64), "convolution"), (7, (8, 8), "convolution"),
    ] {
      let plan = try Case(size: (size, size), channels: channels)
        .model(ModelOptions(instructionSet: .portable)).plan
      #expect(plan.steps.contains { $0.kernel.hasPrefix(kernel) }, "\(size) \(channels): \(plan)")
    }
  }
}
