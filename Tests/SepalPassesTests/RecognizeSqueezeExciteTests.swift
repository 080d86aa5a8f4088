import SepalGraph
import SepalPasses
import SepalTensor
import Testing

@Suite("recognize-squeeze-excite, recognize-split")
struct RecognizeSqueezeExciteTests {
  struct Spelling: CustomTestStringConvertible, Sendable {
    enum Dense: CaseIterable { case conv, gemm, gemmTransposed, matMul }
    var layout: Layout
    var dense: Dense
    var fused: Bool
    var biased: Bool
    var batch: Int
    var testDescription: String { "\(layout) \(dense) fused: \(fused) biased: \(biased) batch: \(batch)" }

    static let all = Layout.allCases.flatMap { layout in
      Dense.allCases.flatMap { dense in
        [false, true].flatMap { fused in
          [false, true].flatMap { biased in
            [1, 2].map { Spelling(layout: layout, dense: dense, fused: fused, biased: biased, batch: $0) }
          }
        }
      }
    }

    /// The gate of x, which has 6 channels and is reduced to 2.
    func gate(
      _ x: ValueID, _ sketch: inout Sketch, inner: any ActivationOperator = Relu(),
      gate: any ActivationOperator = HardSigmoid(alpha: 1.0 / 6, beta: 0.5)
    ) throws -> ValueID {
      var value = try sketch.add(GlobalAveragePool(layout: layout, keepDims: dense == .conv), x)
      value = try layer(value, from: 6, to: 2, inner, &sketch)
      if dense == .conv { value = try sketch.add(Reshape(shape: flat(2)), value) }
      value = try layer(value, from: 2, to: 6, gate, &sketch)
      return try sketch.add(Reshape(shape: layout.shape(batch: batch, channels: 6, spatial: [1, 1])), value)
    }

    private func flat(_ channels: Int) -> [Int] {
      layout.shape(batch: batch, channels: channels, spatial: [1, 1])
    }

    private func layer(
      _ x: ValueID, from: Int, to: Int, _ activation: any ActivationOperator, _ sketch: inout Sketch
    ) throws -> ValueID {
      let fusedActivation = fused && dense != .matMul ? activation.asActivation : .identity
      let bias = biased && dense != .matMul ? sketch.constant(dense == .gemm ? [1, to] : [to]) : nil
      let result: ValueID
      switch dense {
      case .conv:
        result = try sketch.add(
          Conv(layout: layout, activation: fusedActivation), x, sketch.constant([to, from, 1, 1]),
          dense == .conv && biased ? sketch.constant([to]) : nil)
      case .gemm:
        result = try sketch.add(Gemm(activation: fusedActivation), x, sketch.constant([from, to]), bias)
      case .gemmTransposed:
        result = try sketch.add(
          Gemm(transB: true, activation: fusedActivation), x, sketch.constant([to, from]), bias)
      case .matMul: result = try sketch.add(MatMul(), x, sketch.constant([from, to]))
      }
      return fusedActivation == .identity ? try sketch.add(activation, result) : result
    }

    func shape() -> [Int] { layout.shape(batch: batch, channels: 6, spatial: [4, 3]) }
  }

  @Test("every spelling becomes one node", arguments: Spelling.all)
  func spellings(_ spelling: Spelling) throws {
    for swapped in [false, true] {
      var sketch = Sketch()
      let x = try sketch.add(Abs(), sketch.input(spelling.shape()))
      let gate = try spelling.gate(x, &sketch)
      let y = try swapped ? sketch.add(Mul(), gate, x) : sketch.add(Mul(), x, gate)
      let result = try expectEquivalent(sketch.finished(y), after: ["recognize-squeeze-excite"])
      #expect(result.operators == ["Abs", "SqueezeExcite"], "\(result)")
      let op = result.nodes.last?.op(as: SqueezeExcite.self)
      #expect(op?.inner == .relu && op?.gate == .hardSigmoid(alpha: 1.0 / 6, beta: 0.5))
    }
  }

  private let conv = Spelling(layout: .channelsFirst, dense: .conv, fused: false, biased: true, batch: 1)

  @Test("no activation in between, sigmoid as the gate")
  func otherActivations() throws {
    var sketch = Sketch()
    let x = sketch.input(conv.shape())
    let gate = try conv.gate(x, &sketch, inner: Silu(), gate: Sigmoid())
    let result = try expectEquivalent(
      sketch.finished(sketch.add(Mul(), x, gate)), after: ["recognize-squeeze-excite"])
    #expect(result.operators == ["SqueezeExcite"])
  }

  @Test(
    "the gate of another value, a gate read elsewhere and a fused product are left alone", arguments: 0..<3)
  func notRecognized(obstacle: Int) throws {
    var sketch = Sketch()
    let x = sketch.input(conv.shape())
    let z = sketch.input(conv.shape(), "z")
    let gate = try conv.gate(x, &sketch)
    let y = try sketch.add(Mul(activation: obstacle == 2 ? .relu : .identity), obstacle == 0 ? z : x, gate)
    let source = sketch.finished(y, obstacle == 1 ? gate : y)
    #expect(try source.optimized(by: ["recognize-squeeze-excite"]).description == source.description)
  }

  @Test("a gate per sample or per row is no squeeze-and-excitation")
  func otherBroadcast() throws {
    var sketch = Sketch()
    let x = sketch.input([1, 6, 6, 6])
    let gate = try Spelling(layout: .channelsFirst, dense: .conv, fused: true, biased: false, batch: 1)
      .gate(x, &sketch)
    let rows = try sketch.add(Reshape(shape: [1, 1, 6, 1]), gate)
    let source = try sketch.finished(sketch.add(Mul(), x, rows))
    #expect(try source.optimized(by: ["recognize-squeeze-excite"]).description == source.description)
  }

  private func slice(_ range: Range<Int>, step: Int = 1, axis: Int = 1) -> Slice {
    Slice(axes: [axis], starts: [range.lowerBound], ends: [range.upperBound], steps: [step])
  }

  @Test("slices that are the whole tensor become a Split")
  func split() throws {
    var sketch = Sketch()
    let x = sketch.input([1, 6, 4])
    let c = try sketch.add(slice(5..<6), x)
    let a = try sketch.add(slice(0..<2), x)
    let b = try sketch.add(
      Slice(axes: [0, 1], starts: [0, 2], ends: [1, 5]), x)
    let result = try expectEquivalent(sketch.finished(a, b, c, x), after: ["recognize-split"])
    #expect(result.operators == ["Split"])
    #expect(result.nodes[0].op(as: Split.self)?.sizes == [2, 3, 1])
  }

  @Test("gaps, overlaps, steps, cuts along two axes and missing ends make no Split", arguments: 0..<5)
  func noSplit(obstacle: Int) throws {
    var sketch = Sketch()
    let x = sketch.input([1, 6, 4])
    let second: Slice =
      switch obstacle {
      case 0: slice(3..<6)
      case 1: slice(1..<6)
      case 2: slice(2..<6, step: 2)
      case 3: Slice(axes: [1, 2], starts: [2, 0], ends: [6, 3])
      default: slice(2..<5)
      }
    let source = try sketch.finished(sketch.add(slice(0..<2), x), sketch.add(second, x))
    #expect(try source.optimized(by: ["recognize-split"]).description == source.description)
  }
}
