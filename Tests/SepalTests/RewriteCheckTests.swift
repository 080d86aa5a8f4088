import Foundation
import Sepal
import Testing

/// Every rewrite of every model in the fixtures is right by itself, and no pass goes unchecked.
struct RewriteCheckTests {
  private struct KerasModel: Decodable {
    var file: String
    var weights: String?
    var expect: String
  }

  private static func models() throws -> [ModelFile] {
    let traps = try TrapModelTests.names.map { name in
      let arrays = try NumpyFile.read(path: Fixtures.path("traps/\(name).npz"))
      let inputs = arrays.filter { !$0.key.hasPrefix("out:") }
      return try ModelFile(path: Fixtures.path("traps/\(name).onnx"), shapes: inputs.mapValues(\.shape))
    }
    let layers = try Fixtures.json("keras_layers/index.json", as: [KerasModel].self)
      .filter { $0.expect == "match" }
      .compactMap { model in
        // Some need shapes that their test knows.
        try? ModelFile(
          path: Fixtures.path("keras_layers/\(model.file)"),
          weights: model.weights.map { Fixtures.path("keras_layers/\($0)") })
      }
    let networks = try Fixtures.names(in: "keras", suffix: ".keras").map {
      try ModelFile(path: Fixtures.path("keras/\($0).keras"))
    }
    return try traps + layers + networks + [ModelFile(path: Fixtures.path("digits/digits.onnx"))]
  }

  /// Convolutions whose weights say less than they could: diagonal ones, a border of zeros, a channel that nobody reads, a
  /// bias of zeros.
  private static func wordyNetwork() throws -> Graph {
    var random = SystemRandom(state: 3)
    var graph = Graph(name: "wordy")
    func weights(_ shape: [Int], _ isUsed: (Int, Int, Int) -> Bool) -> Tensor {
      let taps = shape[2] * shape[3]
      let values = (0..<shape.reduce(1, *)).map { index in
        let value = Float.random(in: -1...1, using: &random)
        return isUsed(index / taps / shape[1], index / taps % shape[1], index % taps) ? value : 0
      }
      return Tensor(shape, floats: values)
    }
    let constants = [
      weights([6, 3, 3, 3]) { _, _, _ in true }, weights([6, 6, 3, 3]) { $0 == $1 && $2 >= 0 },
      weights([5, 6, 3, 3]) { $0 >= 0 && $1 >= 0 && $2 == 4 },
      weights([4, 5, 1, 1]) { _, input, _ in input != 2 },
    ]
    var value = graph.addInput("x", TensorType(.float32, [1, 9, 9, 3]))
    for (index, weight) in constants.enumerated() {
      let pad = weight.shape[2] / 2
      let op = Conv(padBegins: [pad, pad], padEnds: [pad, pad], layout: .channelsLast, activation: .relu)
      let bias = Tensor([weight.shape[0]], floats: [Float](repeating: 0, count: weight.shape[0]))
      value = try graph.add(
        op, name: "c\(index)",
        inputs: [
          value, graph.addConstant("w\(index)", weight), index == 1 ? graph.addConstant("b", bias) : nil,
        ])[0]
    }
    graph.addOutput("y", value)
    return graph
  }

  @Test func everyRewriteIsRightAndEveryPassIsSeen() throws {
    var seen: Set<String> = []
    for model in try Self.models() {
      var graph = model.graph
      var checker = RewriteChecker()
      try Optimizer().run(&graph) { checker.check($0, pass: $1, in: $2) }
      #expect(checker.faults.isEmpty, "\(model.path): \(checker.faults)")
      seen.formUnion(graph.provenance.rewrites.map(\.pass))
    }
    var graph = try Self.wordyNetwork()
    var checker = RewriteChecker()
    try Optimizer().run(&graph) { checker.check($0, pass: $1, in: $2) }
    #expect(checker.faults.isEmpty, "\(checker.faults)")
    seen.formUnion(graph.provenance.rewrites.map(\.pass))
    let unseen = Optimizer.passNames.filter { !seen.contains($0) }
    #expect(unseen.isEmpty, "passes of which no fixture makes a rewrite: \(unseen)")
  }

  /// One element of one constant that a rewrite makes, off by 1%.
  @Test func aConstantThatIsSlightlyWrongIsFound() throws {
    var random = SystemRandom(state: 7)
    var (spoilt, missed) = (0, 0)
    for model in try Self.models() {
      var graph = model.graph
      try Optimizer().run(&graph) { rewrite, pass, graph in
        guard let wrong = spoiling(rewrite, &random) else { return }
        var checker = RewriteChecker()
        checker.check(wrong, pass: pass, in: graph)
        spoilt += 1
        if checker.faults.isEmpty { missed += 1 }
      }
    }
    #expect(spoilt > 200)
    #expect(Double(missed) <= 0.05 * Double(spoilt), "\(missed) of \(spoilt)")
  }
}

private struct SystemRandom: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ state >> 29
  }
}

/// The same rewrite with a wrong number; nil where it makes no constant of floating point.
private func spoiling(_ rewrite: Rewrite, _ random: inout SystemRandom) -> Rewrite? {
  var result = Rewrite(removing: rewrite.removedNodes, exactness: rewrite.exactness)
  var made: [Int: Rewrite.Operand] = [:]
  var isSpoilt = false
  func operand(_ old: Rewrite.Operand) -> Rewrite.Operand {
    if case .new(let index) = old { made[index] ?? old } else { old }
  }
  for value in rewrite.newValues {
    switch value {
    case .constant(let index, let name, var tensor):
      if !isSpoilt, tensor.element == .float32, tensor.count > 0 {
        var floats = tensor.floats()
        let position = Int.random(in: 0..<floats.count, using: &random)
        // Of the size of its neighbours, so that one percent of it is more than their rounding.
        let largest = floats.reduce(0) { max($0, $1.magnitude) }
        floats[position] += 0.01 * max(floats[position].magnitude, largest / 10)
        tensor = Tensor(tensor.shape, floats: floats)
        isSpoilt = largest > 0 && largest.isFinite
      }
      made[index] = result.constant(name, tensor)
    case .node(let op, let name, let inputs, let values):
      let outputs = result.nodes(
        op, name: name, inputs: inputs.map { $0.map(operand) }, outputCount: values.count)
      for (index, output) in zip(values, outputs) { made[index] = output }
    }
  }
  for (old, new) in rewrite.replacements { result.replace(old, with: operand(new)) }
  return isSpoilt ? result : nil
}
