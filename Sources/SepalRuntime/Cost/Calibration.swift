import SepalGraph
import SepalTensor

/// Measures this machine's rates: runs small graphs, one layer each, and times their steps on one thread.
struct Calibration {
  private let instructionSet: InstructionSet
  /// How long each graph runs over and over in each round. Of all rounds the shortest time of each step counts: what
  /// else the machine does comes and goes.
  private static let (rounds, patience) = (3, Duration.milliseconds(2))

  init(_ instructionSet: InstructionSet) { self.instructionSet = instructionSet }

  /// - Throws: `unavailableInstructionSet`; `operatorFailed` where no time passes.
  func rates() throws(RuntimeError) -> MachineRates {
    guard let rates = MachineRates(fitting: try samples()) else {
      throw RuntimeError(.operatorFailed, "this machine's kernels could not be timed")
    }
    return rates
  }

  /// What each step did, and what it took.
  func samples() throws(RuntimeError) -> [(load: KernelLoad, nanoseconds: Double)] {
    var sessions: [Session] = []
    for probe in Probe.all {
      var options = ModelOptions(threads: 1, instructionSet: instructionSet)
      options.fusesSegments = false
      options.allowsWinograd = probe.winogradTile != nil
      options.winogradTile = probe.winogradTile
      sessions.append(try Model(consuming: try probe.checkedGraph(), options: options).makeSession())
    }
    var others = OtherData()
    var times = [[Duration]](repeating: [], count: sessions.count)
    for _ in 0..<Self.rounds {
      for (index, session) in sessions.enumerated() {
        let shortest = try Self.shortest(session, &others)
        times[index] = times[index].isEmpty ? shortest : zip(times[index], shortest).map { min($0, $1) }
      }
    }
    return zip(sessions, times).flatMap { session, times in
      zip(session.model.steps, times).enumerated().compactMap { index, timed in
        let (step, time) = timed
        // The time of a step with several loads says nothing of each; that of a copy whose source is far away, little.
        guard step.loads.count == 1, index > 0 || !step.nodes.isEmpty else { return nil }
        return (step.loads[0], max(1, time / .nanoseconds(1)))
      }
    }
  }

  private static func shortest(_ session: Session, _ others: inout OtherData) throws(RuntimeError)
    -> [Duration]
  {
    let clock = ContinuousClock()
    let start = clock.now
    var best = try session.profile()
    repeat {
      others.pass()
      best = zip(best, try session.profile()).map { min($0, $1) }
    } while clock.now - start < patience
    return best
  }
}

/// What the rest of a network does to the caches between two runs of a layer: its weights are no longer close.
private struct OtherData {
  /// More than the cache of a core holds, and less than the cache that cores share.
  private var bytes = [UInt8](repeating: 1, count: 4 << 20)
  private static let line = 64

  /// Writes a byte of every cache line, so that none of it can be left out.
  mutating func pass() {
    bytes.withUnsafeMutableBufferPointer { bytes in
      for index in stride(from: 0, to: bytes.count, by: Self.line) { bytes[index] &+= 1 }
    }
  }
}

extension PlannedStep {
  /// What a run of the step does.
  var loads: [KernelLoad] {
    guard threads > 0 else { return [] }
    return kernel.loads.isEmpty ? [.bytes(.stream, movedBytes)] : kernel.loads
  }
}

/// A layer to be timed.
private struct Probe {
  enum Layer {
    case convolution(outputs: Int, groups: Int)
    case maxPool
    case addition
    case matrix(outputs: Int)
  }

  var layer: Layer
  var side: Int
  var channels: Int
  var kernel = [1, 1]
  var stride = 1
  var winogradTile: Int?
  /// Three spatial axes are left to the reference.
  var isVolume = false

  static let all: [Probe] = products + convolutions + grouped + winograd + depthwise + others

  private static let products: [Probe] =
    [
      (56, 64, 64), (28, 128, 128), (14, 256, 256), (7, 512, 512), (28, 24, 144), (28, 144, 24), (56, 16, 96),
      (56, 96, 16), (28, 64, 8), (16, 64, 64), (8, 128, 128), (14, 480, 80), (7, 1280, 1000), (4, 32, 32),
      (14, 64, 40),
    ].map { Probe(layer: .convolution(outputs: $0.2, groups: 1), side: $0.0, channels: $0.1) }
    + [(64, 64), (512, 256), (1280, 512), (1280, 1000)].map {
      Probe(layer: .matrix(outputs: $0.1), side: 1, channels: $0.0)
    }

  private static let convolutions: [Probe] = [
    (56, 64, 64, 3, 3, 1), (28, 128, 128, 3, 3, 2), (14, 256, 256, 3, 3, 2), (112, 3, 32, 3, 3, 2),
    (112, 3, 64, 7, 7, 2), (32, 1, 32, 3, 3, 1), (28, 64, 32, 3, 1, 1), (28, 32, 64, 1, 3, 1),
    (16, 32, 32, 5, 5, 1), (7, 256, 128, 3, 3, 1), (28, 32, 8, 3, 3, 1), (8, 64, 24, 3, 1, 1),
    (8, 24, 64, 1, 3, 1), (28, 128, 128, 1, 1, 2),
  ].map {
    Probe(
      layer: .convolution(outputs: $0.2, groups: 1), side: $0.0, channels: $0.1, kernel: [$0.3, $0.4],
      stride: $0.5)
  }

  private static let grouped: [Probe] = [(16, 64, 128, 64), (28, 32, 32, 16), (14, 64, 64, 4)].map {
    Probe(
      layer: .convolution(outputs: $0.2, groups: $0.3), side: $0.0, channels: $0.1, kernel: [3, 3])
  }

  private static let winograd: [Probe] =
    [
      (56, 64, 64), (32, 32, 32), (16, 64, 64), (28, 128, 128), (8, 128, 128), (14, 256, 256), (16, 64, 24),
      (7, 320, 320),
    ].flatMap { side, channels, outputs in
      [2, 4].map {
        Probe(
          layer: .convolution(outputs: outputs, groups: 1), side: side, channels: channels, kernel: [3, 3],
          winogradTile: $0)
      }
    }

  private static let depthwise: [Probe] = [
    (112, 32, 3, 3, 1), (56, 64, 3, 3, 1), (28, 128, 3, 3, 1), (14, 256, 3, 3, 1), (7, 512, 3, 3, 1),
    (16, 64, 3, 3, 1), (8, 128, 3, 3, 1), (56, 96, 3, 3, 2), (28, 128, 5, 5, 1), (28, 96, 5, 5, 2),
    (28, 64, 3, 1, 1), (28, 64, 1, 3, 1), (14, 64, 7, 7, 1), (14, 64, 5, 5, 1), (32, 32, 3, 3, 1),
    (14, 256, 3, 3, 2), (56, 64, 5, 5, 2),
  ].map {
    Probe(
      layer: .convolution(outputs: $0.1, groups: $0.1), side: $0.0, channels: $0.1, kernel: [$0.2, $0.3],
      stride: $0.4)
  }

  private static let others: [Probe] =
    [(56, 64, 3, 2), (32, 32, 2, 2), (14, 256, 3, 1), (8, 128, 2, 2)].map {
      Probe(layer: .maxPool, side: $0.0, channels: $0.1, kernel: [$0.2, $0.2], stride: $0.3)
    }
    + [(56, 64), (14, 256), (8, 32)].map { Probe(layer: .addition, side: $0.0, channels: $0.1) }
    + [2, 4].map {
      Probe(
        layer: .convolution(outputs: 8, groups: 1), side: $0, channels: 8, kernel: [3, 3, 3], isVolume: true)
    }

  func checkedGraph() throws(RuntimeError) -> Graph {
    do throws(GraphError) {
      return try graph()
    } catch {
      throw RuntimeError(.invalidGraph, "\(error)")
    }
  }

  private func graph() throws(GraphError) -> Graph {
    var graph = Graph(name: "probe")
    let axes = isVolume ? 3 : 2
    var shape = [1] + [Int](repeating: side, count: axes) + [channels]
    if case .matrix = layer { shape = [1, channels] }
    let type = TensorType(.float32, shape)
    let x = graph.addInput("x", type)
    let pads = kernel.map { ($0 - 1) / 2 }
    let strides = [Int](repeating: stride, count: kernel.count)
    let output: ValueID
    switch layer {
    case .convolution(let outputs, let groups):
      let conv = Conv(
        strides: strides, padBegins: pads, padEnds: pads, dilations: kernel.map { _ in 1 }, groups: groups,
        layout: .channelsLast)
      let weight = graph.addConstant(
        "w", Tensor(TensorType(.float32, [outputs, channels / groups] + kernel)) { _ in })
      output = try graph.add(conv, name: "layer", inputs: [x, weight])[0]
    case .matrix(let outputs):
      let weight = graph.addConstant("w", Tensor(TensorType(.float32, [channels, outputs])) { _ in })
      output = try graph.add(Gemm(), name: "layer", inputs: [x, weight])[0]
    case .maxPool:
      let pool = MaxPool(
        kernel: kernel, strides: strides, padBegins: pads, padEnds: pads, layout: .channelsLast)
      output = try graph.add(pool, name: "layer", inputs: [x])[0]
    case .addition:
      let y = graph.addInput("y", type)
      output = try graph.add(Add(), name: "layer", inputs: [x, y])[0]
    }
    graph.addOutput("y", output)
    return graph
  }
}
