import SepalGraph
import SepalPasses
import SepalTensor
import Testing

@Suite("channels-last")
struct ChannelsLastTests {
  @Test("a convolution runs between two transposes, and stands for its source through a permutation")
  func convolution() throws {
    var sketch = Sketch()
    let x = sketch.input([1, 3, 5, 6])
    let conv = try sketch.add(
      Conv(padBegins: [1, 0], padEnds: [1, 0]), x, sketch.constant([4, 3, 3, 3]), sketch.constant([4]),
      named: "conv")
    let result = try expectEquivalent(sketch.finished(conv), after: ["channels-last"])
    #expect(
      result.description == """
        input %x: float32[1x3x5x6]
        constant %c1: float32[4x3x3x3]
        constant %c2: float32[4]
        %x.channelsLast = Transpose(%x) {permutation: [0,2,3,1]} : float32[1x5x6x3]
        %conv.channelsLast = Conv(%x.channelsLast, %c1, %c2) {padBegins: [1,0], padEnds: [1,0], layout: channelsLast} : float32[1x5x4x4]
        %conv = Transpose(%conv.channelsLast) {permutation: [0,3,1,2]} : float32[1x4x5x4]
        output y = %conv
        """)
    let converted = result.nodes[1].output
    #expect(result.value(converted).origins == [Origin("conv", permutation: [0, 3, 1, 2])])
  }

  /// Every operator with a layout, on an input that it takes.
  static let operators: [(op: any Operator, shape: [Int], parameters: [[Int]])] = [
    (Conv(strides: [2], padBegins: [1], padEnds: [0], dilations: [1]), [2, 3, 9], [[4, 3, 3]]),
    (Conv(groups: 4, activation: .relu), [2, 4, 5, 6], [[4, 1, 3, 3], [4]]),
    (
      Conv(strides: [1, 1, 1], padBegins: [0, 0, 0], padEnds: [1, 1, 1], dilations: [1, 1, 1]),
      [1, 2, 3, 4, 5],
      [[3, 2, 2, 2, 2]]
    ),
    (ConvTranspose(strides: [2, 2], outputPadding: [1, 0]), [1, 3, 4, 5], [[3, 2, 3, 3]]),
    (MaxPool(kernel: [2, 3]), [1, 3, 5, 6], []),
    (AveragePool(kernel: [3, 2], padBegins: [1, 0], padEnds: [1, 0]), [1, 3, 5, 6], []),
    (GlobalAveragePool(), [2, 3, 5, 6], []),
    (GlobalMaxPool(), [2, 3, 5, 6], []),
    (GlobalAveragePool(layout: .channelsFirst, keepDims: false), [2, 3, 5, 6], []),
    (BatchNorm(), [2, 3, 5, 6], [[3], [3], [3], [3]]),
    (ScaleShift(), [2, 3, 5], [[3], [3]]),
    (InstanceNorm(), [2, 3, 5, 6], [[3], [3]]),
    (GroupNorm(groups: 2), [2, 4, 5, 6], [[4], [4]]),
    (LRN(size: 3), [1, 5, 3, 4], []),
    (SqueezeExcite(), [2, 4, 3, 3], [[2, 4], [2], [4, 2], [4]]),
    (DepthToSpace(blockSize: 2), [1, 8, 3, 2], []),
    (DepthToSpace(blockSize: 2, mode: .crd), [1, 8, 3, 2], []),
    (SpaceToDepth(blockSize: 2), [1, 2, 4, 6], []),
  ]

  @Test("every operator that has a layout", arguments: operators.indices)
  func allOperators(index: Int) throws {
    let (op, shape, parameters) = Self.operators[index]
    var sketch = Sketch()
    let x = sketch.input(shape)
    var constants = parameters.map { sketch.constant($0) }
    if op is BatchNorm {
      constants[3] = try sketch.add(Exp(), constants[3])
    }
    let y = try sketch.nodes(op, [x] + constants)[0]
    let result = try expectEquivalent(sketch.finished(y), after: ["channels-last"])
    let layouts = result.nodes.compactMap { node in node.op.attributes.first { $0.name == "layout" }?.value }
    #expect(layouts == [Layout.channelsLast.attributeValue])
  }

  @Test("every operator of the registry that has a layout is tried above")
  func complete() {
    let tried = Set(Self.operators.map { $0.op.name })
    let all = OperatorRegistry.all.filter { $0.schema.attributes.contains { $0.name == "layout" } }
    #expect(all.map { $0.schema.name }.filter { !tried.contains($0) } == [])
  }

  @Test("a residual operand is transposed with x, and once where it is x")
  func residual() throws {
    var sketch = Sketch()
    let x = sketch.input([1, 4, 5, 5])
    let r = sketch.input([1, 4, 5, 5], "r")
    let a = try sketch.add(Conv(), x, sketch.constant([4, 4, 1, 1]), nil, r)
    let b = try sketch.add(Conv(), a, sketch.constant([4, 4, 1, 1]), nil, a)
    let result = try expectEquivalent(sketch.finished(b), after: ["channels-last"])
    #expect(result.operators.filter { $0 == "Transpose" }.count == 5)
  }

  @Test("an existing transpose to channels-last is used again")
  func reuse() throws {
    var sketch = Sketch()
    let x = sketch.input([1, 4, 5, 6])
    let other = try sketch.add(Transpose(permutation: [0, 2, 3, 1]), x)
    let pool = try sketch.add(GlobalAveragePool(layout: .channelsFirst, keepDims: false), x)
    let result = try expectEquivalent(sketch.finished(pool, other), after: ["channels-last"])
    #expect(result.operators == ["Transpose", "GlobalAveragePool"])
  }

  @Test("rank 2 has one layout: no transposes")
  func rank2() throws {
    var sketch = Sketch()
    let y = try sketch.add(ScaleShift(), sketch.input([3, 4]), sketch.constant([4]))
    let result = try expectEquivalent(sketch.finished(y), after: ["channels-last"])
    #expect(result.operators == ["ScaleShift"])
  }

  @Test("operators without a layout, or channels-last already, are left alone")
  func untouched() throws {
    var sketch = Sketch()
    let pool = try sketch.add(GlobalMaxPool(layout: .channelsLast), sketch.input([1, 4, 5, 6]))
    let source = try sketch.finished(sketch.add(Relu(), pool))
    #expect(try source.optimized(by: ["channels-last"]).description == source.description)
  }
}
