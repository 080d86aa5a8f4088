import AllocationCounter
import SepalGraph
import SepalRuntime
import SepalTensor
import Testing

/// Counted on the thread that runs the session; the others of its team walk the same list of steps.
@Suite(.enabled(if: allocation_counter_works())) struct AllocationTests {
  /// A step for every kernel: a picture, an inverted residual with squeeze-excite, pooling, moves, a classifier.
  static func network() throws -> GraphMaker {
    var m = GraphMaker()
    let picture = try m.add(Transpose(permutation: [0, 2, 3, 1]), [m.input([2, 3, 33, 31])])
    let first = try m.add(
      Conv(
        strides: [2, 2], padBegins: [1, 1], padEnds: [1, 1], layout: .channelsLast, activation: .hardSwish),
      [picture, m.weight([20, 3, 3, 3]), m.constant([20])])
    let wide = try m.add(
      Conv(layout: .channelsLast, activation: .silu), [first, m.weight([60, 20, 1, 1]), nil])
    let filtered = try m.add(
      Conv(padBegins: [2, 2], padEnds: [2, 2], groups: 60, layout: .channelsLast),
      [wide, m.weight([60, 1, 5, 5]), m.constant([60])])
    let excited = try m.add(
      SqueezeExcite(layout: .channelsLast, inner: .relu, gate: .sigmoid),
      [filtered, m.constant([15, 60]), m.constant([15]), m.constant([60, 15]), m.constant([60])])
    let narrow = try m.add(Conv(layout: .channelsLast), [excited, m.weight([20, 60, 1, 1]), nil, first])
    let scaled = try m.add(
      ScaleShift(layout: .channelsLast, activation: .relu), [narrow, m.constant([20]), m.constant([20])])
    let grouped = try m.add(
      Conv(padBegins: [1, 1], padEnds: [1, 1], groups: 4, layout: .channelsLast),
      [try m.add(Add(), [scaled, first]), m.weight([20, 5, 3, 3]), nil])
    let pooled = try [
      m.add(
        MaxPool(
          kernel: [3, 3], strides: [2, 2], padBegins: [1, 1], padEnds: [1, 1], dilations: [1, 1],
          layout: .channelsLast), [grouped]),
      m.add(
        AveragePool(
          kernel: [3, 3], strides: [2, 2], padBegins: [1, 1], padEnds: [1, 1], dilations: [1, 1],
          layout: .channelsLast), [try m.add(Tanh(), [grouped])]),
    ]
    let joined = try m.add(Concat(axis: 3), pooled)
    let means = try m.add(GlobalAveragePool(layout: .channelsLast, keepDims: false), [joined])
    let logits = try m.add(Gemm(), [means, m.constant([40, 100]), m.constant([100])])
    m.output(try m.add(Softmax(axis: -1), [logits]))
    return m
  }

  @Test("a hundred runs allocate nothing, alone and in a team, in segments and step by step")
  func hotPath() throws {
    var m = try Self.network()
    let feeds = m.feeds()
    for isa in InstructionSet.allCases where isa.isAvailable {
      for threads in 1...3 {
        for fuses in [false, true] {
          var options = ModelOptions(threads: threads, instructionSet: isa)
          options.fusesSegments = fuses
          let model = try Model(m.graph, options: options)
          let hasReference = model.plan.steps.contains(where: \.isReference)
          #expect(!hasReference)
          let session = model.makeSession()
          _ = try session.run(inputs: feeds)
          let before = allocation_count()
          for _ in 0..<100 { try session.execute() }
          let count = allocation_count() - before
          #expect(count == 0, "\(count) allocations, \(isa), \(threads) threads, segments \(fuses)")
        }
      }
    }
  }

  @Test("the counter sees what Swift allocates")
  func counter() {
    let before = allocation_count()
    let list = [Int](repeating: 1, count: Int.random(in: 100...200))
    #expect(allocation_count() > before && list.count >= 100)
  }
}
