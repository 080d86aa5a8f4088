import Foundation
import SepalGraph
import SepalPasses
import SepalTensor
import Testing

@Suite("pipeline, on random graphs")
struct PipelineFuzzTests {
  private static let seedCount =
    min(ProcessInfo.processInfo.environment["SEPAL_FUZZ_ITERATIONS"].flatMap { Int($0) } ?? 150, 20_000)

  @Test func optimisedRandomGraphsComputeTheSame() throws {
    for seed in 0..<Self.seedCount {
      var options = Optimizer.Options()
      options.verifyEachRewrite = true
      if seed % 3 == 0 { options.disabledPasses = someOfThePasses(seed) }
      let optimizer = try Optimizer(options)
      var random = RandomGraph(seed: UInt64(seed))
      try random.grow(nodes: 4 + seed % 40)
      let source = random.graph
      var optimized = source
      do {
        try optimizer.run(&optimized)
        try expectEquivalent(source, optimized, seed: UInt64(seed), tolerance: 1e-4)
      } catch {
        Issue.record("seed \(seed): \(error)\n\(source)")
      }
      #expect(optimized.outputs.map(\.name) == source.outputs.map(\.name), "seed \(seed)")
      if options.disabledPasses.isEmpty {
        // Transposes may come, but at no operator more than one.
        let limit = source.nodeCount * 3 / 2 + 4
        #expect(optimized.nodeCount <= limit, "seed \(seed):\n\(source)\nbecame\n\(optimized)")
      }
    }
  }

  /// No pass may count on another one having run.
  private func someOfThePasses(_ seed: Int) -> Set<String> {
    var generator = SeededGenerator(UInt64(seed))
    return Set(Optimizer.passNames.filter { _ in Int.random(in: 0..<3, using: &generator) == 0 })
  }
}

/// A network of the operators that exporters write, wired at random.
private struct RandomGraph {
  var graph = Graph(name: "random")
  private var generator: SeededGenerator
  /// Values to go on from; all of rank 4.
  private var values: [ValueID]
  private var count = 0

  init(seed: UInt64) {
    generator = SeededGenerator(seed &+ 77)
    values = [graph.addInput("x", TensorType(.float32, [1, 4, 6, 6]))]
  }

  mutating func grow(nodes: Int) throws {
    while graph.nodeCount < nodes { values.append(try step(values[recent()])) }
    let last = values[values.count - 1]
    graph.addOutput("last", last)
    if flip() {
      let other = values[recent()]
      if graph.producer(of: other) != nil { graph.addOutput("other", other) }
    }
    graph.markOrigins()
  }

  private mutating func step(_ x: ValueID) throws -> ValueID {
    let shape = graph.type(of: x).shape
    let channels = shape[1]
    switch Int.random(in: 0..<29, using: &generator) {
    case 0, 1, 2: return try convolution(x)
    case 3, 4:
      let (g, b, m) = (constant([channels]), constant([channels]), constant([channels]))
      return try add(BatchNorm(epsilon: 0.001), [x, g, b, m, constant([channels], in: 0.5...2)])
    case 5: return try add(Relu(), [x])
    case 6: return try add(Clip(min: flip() ? 0 : -1, max: 6), [x])
    case 7: return try add(Identity(), [x])
    case 8: return try add(Add(), [x, peer(of: x)])
    case 9: return try add(Mul(), [x, factor(channels)])
    case 10: return try add(Add(), flip() ? [x, factor(channels)] : [factor(channels), x])
    case 11: return try add(Sub(), [x, factor(channels)])
    case 12: return try add(Div(), [x, factor(channels)])
    case 13: return try hardSwish(x)
    case 14: return try squeezeExcite(x)
    case 15:
      let last = try add(Transpose(permutation: [0, 2, 3, 1]), [x])
      let inner = try flip() ? add(Mul(), [last, constant([channels])]) : add(Tanh(), [last])
      return try add(Transpose(permutation: [0, 3, 1, 2]), [inner])
    case 16: return try padded(x)
    case 17:
      let flat = try add(Reshape(shape: [1, channels, shape[2] * shape[3]]), [x])
      return try add(Reshape(shape: shape), [try flip() ? add(Relu(), [flat]) : flat])
    case 18: return try add(Concat(axis: 1), [x, peer(of: x)])
    case 19: return try add(Slice(axes: [1], starts: [0], ends: [max(channels / 2, 1)]), [x])
    case 20: return try add(Max(), [constant([]), x])
    case 21:
      let mean = try add(ReduceMean(axes: [2, 3]), [x])
      return try add(Add(), [x, mean])
    case 22: return try dense(x)
    case 23:
      // As TensorFlow has it.
      let last = try add(Transpose(permutation: [0, 2, 3, 1]), [x])
      let weight = constant([4, channels, 1, 1])
      let conv = try add(Conv(layout: .channelsLast), [last, weight])
      let scaled = try add(Add(), [try add(Mul(), [conv, constant([4])]), constant([4])])
      return try add(Transpose(permutation: [0, 3, 1, 2]), [try add(Relu(), [scaled])])
    case 24:
      let weight = constant([channels, 2, 2, 2])
      let conv = try add(ConvTranspose(padBegins: [1, 1]), [x, weight])
      return try add(ScaleShift(), [conv, constant([2]), constant([2])])
    case 25:
      guard channels % 2 == 0 else { return try add(PRelu(), [x, factor(channels)]) }
      let parts = try graph.add(
        Split(axis: 1, sizes: [channels / 2, channels / 2]), name: "split\(count)", inputs: [x])
      return try add(Concat(axis: 1), [try add(Sigmoid(), [parts[1]]), parts[0]])
    case 26: return try add(LeakyRelu(), [x])
    case 27: return try add(Neg(), [x])
    default: return try add(HardSigmoid(), [x])
    }
  }

  private mutating func convolution(_ x: ValueID) throws -> ValueID {
    let shape = graph.type(of: x).shape
    let kernel = shape[2] >= 3 && shape[3] >= 3 && flip() ? 3 : 1
    let pad = kernel == 3 ? Int.random(in: 0...1, using: &generator) : 0
    let groups = flip() ? 1 : shape[1]
    let outputs = groups > 1 || flip() ? shape[1] : 4
    let scale = 1 / Double(shape[1] / groups * kernel * kernel).squareRoot()
    let weight = constant([outputs, shape[1] / groups, kernel, kernel], in: -scale...scale)
    let conv = Conv(padBegins: [pad, pad], padEnds: [kernel / 2, pad], groups: groups)
    return try add(conv, flip() ? [x, weight] : [x, weight, constant([outputs])])
  }

  private mutating func hardSwish(_ x: ValueID) throws -> ValueID {
    let shifted = try add(Add(), [x, number(3)])
    let clipped = try add(Clip(min: 0, max: 6), [shifted])
    if flip() { return try add(Mul(), [x, try add(Div(), [clipped, number(6)])]) }
    return try add(Div(), [try add(Mul(), [x, clipped]), number(6)])
  }

  private mutating func squeezeExcite(_ x: ValueID) throws -> ValueID {
    let channels = graph.type(of: x).shape[1]
    let squeezed = try flip() ? add(GlobalAveragePool(), [x]) : add(ReduceMean(axes: [2, 3]), [x])
    let inner = try add(Conv(), [squeezed, constant([2, channels, 1, 1]), constant([2])])
    let outer = try add(Conv(), [try add(Relu(), [inner]), constant([channels, 2, 1, 1])])
    let gate = try flip() ? add(Sigmoid(), [outer]) : add(HardSigmoid(alpha: 1.0 / 6, beta: 0.5), [outer])
    return try add(Mul(), flip() ? [x, gate] : [gate, x])
  }

  private mutating func padded(_ x: ValueID) throws -> ValueID {
    let shape = graph.type(of: x).shape
    let padded = try add(Pad(begins: [0, 0, 1, 0], ends: [0, 0, 0, 1]), [x])
    guard shape[2] >= 2, shape[3] >= 2 else { return padded }
    switch Int.random(in: 0..<3, using: &generator) {
    case 0: return try add(MaxPool(kernel: [2, 2]), [padded])
    case 1: return try add(AveragePool(kernel: [2, 2], countIncludePad: flip()), [padded])
    default: return try convolution(padded)
    }
  }

  private mutating func dense(_ x: ValueID) throws -> ValueID {
    let channels = graph.type(of: x).shape[1]
    let pooled = try add(GlobalAveragePool(layout: .channelsFirst, keepDims: false), [x])
    let product =
      try flip()
      ? add(MatMul(), [pooled, constant([channels, 4])])
      : add(Gemm(transB: true, alpha: 0.5), [pooled, constant([4, channels])])
    let sum = try add(Add(), [product, constant([4])])
    return try add(Reshape(shape: [1, 4, 1, 1]), [sum])
  }

  /// Another value of the same type, or the value itself.
  private mutating func peer(of x: ValueID) -> ValueID {
    let type = graph.type(of: x)
    return values.filter { graph.type(of: $0) == type }.randomElement(using: &generator) ?? x
  }

  private mutating func recent() -> Int {
    max(0, values.count - 1 - Int.random(in: 0..<3, using: &generator))
  }

  private mutating func flip() -> Bool { Bool.random(using: &generator) }

  private mutating func factor(_ channels: Int) -> ValueID {
    constant(flip() ? [channels, 1, 1] : [], in: 0.25...1.5)
  }

  private mutating func constant(_ shape: [Int], in range: ClosedRange<Double> = -1...1) -> ValueID {
    count += 1
    return graph.addConstant("c\(count)", generator.tensor(shape, in: range))
  }

  private mutating func number(_ value: Double) -> ValueID {
    count += 1
    return graph.addConstant("c\(count)", Tensor(.float32, [], doubles: [value]))
  }

  private mutating func add(_ op: any Operator, _ inputs: [ValueID]) throws -> ValueID {
    count += 1
    return try graph.add(op, name: "n\(count)", inputs: inputs)[0]
  }
}
