import SepalGraph
import SepalPasses
import SepalTensor
import Testing

@Suite("fold-transpose-into-gemm, fold-channel-shuffle-into-conv")
struct WeightReorderingTests {
  private let toFirst = Transpose(permutation: [0, 3, 1, 2])

  @Test("flattening behind channels-last reorders the weights", arguments: [false, true], [1, 2])
  func gemm(transB: Bool, batch: Int) throws {
    var sketch = Sketch()
    let x = try sketch.add(toFirst, sketch.input([batch, 2, 3, 4]))
    let flat = try sketch.add(Reshape(shape: [batch, 24]), x)
    let weight = sketch.constant(transB ? [5, 24] : [24, 5])
    let y = try sketch.add(Gemm(transB: transB), flat, weight, sketch.constant([5]))
    let result = try expectEquivalent(sketch.finished(y), after: ["fold-transpose-into-gemm"])
    #expect(result.operators == ["Reshape", "Gemm"], "\(result)")
  }

  @Test("a MatMul with a matrix as well")
  func matMul() throws {
    var sketch = Sketch()
    let x = try sketch.add(Transpose(permutation: [0, 2, 1]), sketch.input([2, 3, 4]))
    let y = try sketch.add(MatMul(), sketch.add(Reshape(shape: [2, 12]), x), sketch.constant([12, 5]))
    let result = try expectEquivalent(sketch.finished(y), after: ["fold-transpose-into-gemm"])
    #expect(result.operators == ["Reshape", "MatMul"])
  }

  @Test(
    "shared weights, weights that are computed, moved samples, other readers and a transposed operand are left alone",
    arguments: 0..<5)
  func gemmKept(obstacle: Int) throws {
    var sketch = Sketch()
    let moving = obstacle == 0 ? [3, 0, 1, 2] : [0, 3, 1, 2]
    let shape = obstacle == 0 ? [2, 3, 4, 2] : [2, 2, 3, 4]
    let x = try sketch.add(Transpose(permutation: moving), sketch.input(shape))
    let flat = try sketch.add(Reshape(shape: obstacle == 4 ? [24, 2] : [2, 24]), x)
    var weight = sketch.constant([24, 5])
    if obstacle == 1 { weight = try sketch.add(Neg(), weight) }
    let y = try sketch.add(Gemm(transA: obstacle == 4), flat, weight)
    let extra = obstacle == 2 ? flat : obstacle == 3 ? try sketch.add(Abs(), weight) : y
    let source = sketch.finished(y, extra)
    #expect(try source.optimized(by: ["fold-transpose-into-gemm"]).description == source.description)
  }

  private func shuffle(_ sketch: inout Sketch, _ x: ValueID) throws -> ValueID {
    let split = try sketch.add(Reshape(shape: [1, 4, 5, 2, 3]), x)
    let swapped = try sketch.add(Transpose(permutation: [0, 1, 2, 4, 3]), split)
    return try sketch.add(Reshape(shape: [1, 4, 5, 6]), swapped)
  }

  private func conv(_ sketch: inout Sketch, _ x: ValueID, depthwise: Bool = false) throws -> ValueID {
    let op = Conv(
      padBegins: [1, 1], padEnds: [1, 1], groups: depthwise ? 6 : 1, layout: .channelsLast, activation: .relu)
    return try sketch.add(
      op, x, sketch.constant(depthwise ? [6, 1, 3, 3] : [2, 6, 3, 3]), sketch.constant([depthwise ? 6 : 2]))
  }

  @Test("a shuffle that only dense and depthwise convolutions read goes into their weights")
  func channelShuffle() throws {
    var sketch = Sketch()
    let s = try shuffle(&sketch, sketch.add(Abs(), sketch.input([1, 4, 5, 6])))
    let dense = try conv(&sketch, s)
    let depthwise = try conv(&sketch, conv(&sketch, s, depthwise: true))
    let result = try expectEquivalent(
      sketch.finished(dense, depthwise), after: ["fold-channel-shuffle-into-conv"])
    #expect(result.operators == ["Abs", "Conv", "Conv", "Conv"], "\(result)")
  }

  @Test(
    "another reader, an output, a depthwise result read elsewhere, shared weights, a residual keep the shuffle",
    arguments: 0..<5)
  func channelShuffleKept(obstacle: Int) throws {
    var sketch = Sketch()
    let s = try shuffle(&sketch, sketch.add(Abs(), sketch.input([1, 4, 5, 6])))
    let depthwise = try conv(&sketch, s, depthwise: true)
    var y = try conv(&sketch, depthwise)
    var extra = y
    switch obstacle {
    case 0: extra = try sketch.add(Abs(), s)
    case 1: extra = s
    case 2: extra = depthwise
    case 3:
      let weight = sketch.graph.nodes.last?.input(1)
      extra = try sketch.add(Conv(layout: .channelsLast), s, weight)
    default:
      let weight = sketch.constant([6, 6, 1, 1])
      y = try sketch.add(Conv(layout: .channelsLast), sketch.add(Abs(), depthwise), weight, nil, s)
    }
    let source = sketch.finished(y, extra)
    #expect(try source.optimized(by: ["fold-channel-shuffle-into-conv"]).description == source.description)
  }
}
