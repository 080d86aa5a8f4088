import SepalGraph
import SepalPasses
import SepalTensor
import Testing

private let toLast = Transpose(permutation: [0, 2, 3, 1])
private let toFirst = Transpose(permutation: [0, 3, 1, 2])
private let passes: Set = ["sink-transposes", "merge-transposes"]

@Suite("sink-transposes, merge-transposes")
struct SinkTransposesTests {
  /// Operators on a transposed value [2,4,5,6], made from [2,5,6,4].
  static let commuting: [any Operator] = [
    Relu(), Cast(to: .float64), Softmax(axis: 1), LogSoftmax(axis: -2), CumSum(axis: 3),
    Slice(axes: [1, 3], starts: [1, 5], ends: [3, 0], steps: [1, -2]),
    Pad(begins: [0, 1, 2, 0], ends: [0, 0, 1, 3], mode: .edge), Tile(repeats: [1, 2, 1, 3]),
    Expand(shape: [2, 4, 5, 6]),
    Resize(sizes: [2, 4, 10, 3], scales: [1, 1, 2, 0.5], mode: .linear),
    ReduceMean(axes: [1, 2]), ReduceMax(axes: [3]), ArgMax(axis: 1), ReduceSum(axes: []),
    Reshape(shape: [2, 2, 2, 5, 6]), Reshape(shape: [2, 4, 1, 5, 6, 1]), Reshape(shape: [2, 2, 2, 5, 3, 2]),
    TopK(axis: 1, k: 2),
  ]

  @Test(
    "what does not care about the order of axes gets the transpose behind it", arguments: commuting.indices)
  func commutes(index: Int) throws {
    let op = Self.commuting[index]
    var sketch = Sketch()
    let x = try sketch.add(toFirst, sketch.input([2, 5, 6, 4]))
    let y = try sketch.add(op, x)
    let result = try expectEquivalent(sketch.finished(y), after: passes)
    let moved = op is ReduceMean || op is ArgMax ? "Reshape" : "Transpose"
    #expect(result.operators == [op.name, moved], "\(result)")
  }

  @Test("a reduction that drops the moved axes ends the transpose", arguments: [[1], [2, 3], [0, 1]])
  func reduction(axes: [Int]) throws {
    var sketch = Sketch()
    let x = try sketch.add(toFirst, sketch.input([2, 5, 6, 4]))
    let result = try expectEquivalent(
      sketch.finished(sketch.add(ReduceMean(axes: axes, keepDims: false), x)), after: passes)
    #expect(result.operators == ["ReduceMean"], "\(result)")
  }

  @Test("Gather keeps its indices", arguments: [[], [3], [2, 2]])
  func gather(indexShape: [Int]) throws {
    var sketch = Sketch()
    let x = try sketch.add(toFirst, sketch.input([2, 5, 6, 4]))
    let count = indexShape.reduce(1, *)
    var graph = sketch.graph
    let indices = graph.addConstant("i", Tensor(indexShape, int64s: (0..<count).map { Int64($0) }))
    let y = try graph.add(Gather(axis: 2), name: "gather", inputs: [x, indices])[0]
    graph.addOutput("y", y)
    let result = try expectEquivalent(graph, after: passes)
    #expect(result.operators.first == "Gather", "\(result)")
  }

  @Test(
    "constants are permuted, at any rank that broadcasts",
    arguments: [[], [1], [6], [5, 1], [4, 1, 1], [2, 4, 5, 6]])
  func constants(shape: [Int]) throws {
    for swapped in [false, true] {
      var sketch = Sketch()
      let x = try sketch.add(toFirst, sketch.input([2, 5, 6, 4]))
      let c = sketch.constant(shape)
      let y = try swapped ? sketch.add(Sub(), c, x) : sketch.add(Sub(), x, c)
      let result = try expectEquivalent(sketch.finished(y), after: passes)
      #expect(result.operators == ["Sub", "Transpose"], "\(result)")
    }
  }

  @Test("a constant of higher rank, a transposed value of lower rank")
  func lowerRank() throws {
    var sketch = Sketch()
    let x = try sketch.add(Transpose(permutation: [1, 0]), sketch.input([5, 6]))
    let y = try sketch.add(Add(), x, sketch.constant([2, 1, 5]))
    let result = try expectEquivalent(sketch.finished(y), after: passes)
    #expect(result.operators == ["Add", "Transpose"], "\(result)")
  }

  @Test("a gate per channel needs no transpose, only another shape")
  func gate() throws {
    var sketch = Sketch()
    let x = try sketch.add(toFirst, sketch.input([1, 5, 6, 4]))
    let y = try sketch.add(Mul(), x, sketch.input([1, 4, 1, 1], "gate"))
    let result = try expectEquivalent(sketch.finished(y), after: passes)
    #expect(result.operators == ["Reshape", "Mul", "Transpose"], "\(result)")
  }

  @Test("a shortcut: Concat, Add, Split and Where between transposed values cancel with what follows")
  func shortcut() throws {
    var sketch = Sketch()
    let a = try sketch.add(toFirst, sketch.input([1, 5, 6, 4], "a"))
    let b = try sketch.add(toFirst, sketch.input([1, 5, 6, 4], "b"))
    let joined = try sketch.add(Concat(axis: 1), sketch.add(Add(), a, b), b)
    let parts = try sketch.nodes(Split(axis: 1, sizes: [2, 6]), [joined])
    let condition = try sketch.add(Less(), parts[0], sketch.add(Neg(), parts[0]))
    let chosen = try sketch.add(Where(), condition, parts[0], sketch.add(Abs(), parts[0]))
    let result = try expectEquivalent(
      sketch.finished(sketch.add(toLast, chosen), sketch.add(toLast, parts[1])), after: passes)
    #expect(!result.operators.contains("Transpose"), "\(result)")
  }

  @Test("branches that meet again are moved together")
  func reconvergence() throws {
    var sketch = Sketch()
    let x = try sketch.add(toFirst, sketch.input([1, 5, 6, 4]))
    let gate = try sketch.add(Sigmoid(), sketch.add(Abs(), x))
    let y = try sketch.add(Mul(), x, gate)
    let slices = try (0..<2).map { start in
      try sketch.add(Slice(axes: [2], starts: [start], ends: [5], steps: [2]), y)
    }
    let ends = try slices.map { try sketch.add(Slice(axes: [2], starts: [0], ends: [2]), $0) }
    let joined = try sketch.nodes(Concat(axis: 1), ends)[0]
    let result = try expectEquivalent(sketch.finished(sketch.add(toLast, joined)), after: passes)
    #expect(!result.operators.contains("Transpose"), "\(result)")
  }

  @Test("a second reader that needs the old order keeps the transpose, and no second one appears")
  func secondReader() throws {
    var sketch = Sketch()
    let x = try sketch.add(toFirst, sketch.input([1, 5, 6, 4]))
    let y = try sketch.add(Relu(), x)
    let source = sketch.finished(y, x)
    #expect(try source.optimized(by: passes).description == source.description)
  }

  @Test("a value that is not transposed stays so unless a transpose is saved")
  func mixedOperands() throws {
    var sketch = Sketch()
    let x = try sketch.add(toFirst, sketch.input([1, 5, 6, 4]))
    let sum = try sketch.add(Add(), x, sketch.input([1, 4, 5, 6], "z"))
    let plain = sketch.finished(sum)
    #expect(try plain.optimized(by: passes).description == plain.description)
    let result = try expectEquivalent(sketch.finished(sketch.add(toLast, sum)), after: passes)
    #expect(result.operators == ["Transpose", "Add"], "\(result)")
  }

  @Test("operators that know positions in a matrix are not crossed")
  func barriers() throws {
    var sketch = Sketch()
    let x = try sketch.add(toFirst, sketch.input([1, 5, 6, 4]))
    let product = try sketch.add(MatMul(), x, sketch.constant([6, 3]))
    let norm = try sketch.add(LayerNorm(axis: -1), x, sketch.constant([6]))
    let flat = try sketch.add(Reshape(shape: [1, 120]), x)
    let source = sketch.finished(product, norm, flat)
    #expect(try source.optimized(by: passes).description == source.description)
  }

  @Test("LayerNorm over axes that stay last is crossed")
  func layerNorm() throws {
    var sketch = Sketch()
    let x = try sketch.add(Transpose(permutation: [1, 0, 2]), sketch.input([4, 5, 6]))
    let y = try sketch.add(LayerNorm(axis: 2), x, sketch.constant([6]), sketch.constant([6]))
    let result = try expectEquivalent(sketch.finished(y), after: passes)
    #expect(result.operators == ["LayerNorm", "Transpose"])
  }

  @Test("consecutive transposes become one or none; the identity goes")
  func merging() throws {
    var sketch = Sketch()
    let x = sketch.input([2, 3, 4, 5])
    let a = try sketch.add(Transpose(permutation: [1, 0, 3, 2]), x)
    let b = try sketch.add(Transpose(permutation: [3, 1, 0, 2]), a, named: "b")
    let c = try sketch.add(Transpose(permutation: [1, 2, 0, 3]), b)
    let none = try sketch.add(Transpose(permutation: [0, 1, 2, 3]), sketch.add(Abs(), c))
    let result = try expectEquivalent(sketch.finished(none, b), after: ["merge-transposes"])
    #expect(result.operators.sorted() == ["Abs", "Transpose"], "\(result)")
    #expect(result.nodes.first { $0.op is Transpose }?.op(as: Transpose.self)?.permutation == [2, 0, 1, 3])
  }

  @Test("an output that would become the input stays a node")
  func border() throws {
    var sketch = Sketch()
    let x = sketch.input([2, 3, 4])
    let there = try sketch.add(Transpose(permutation: [2, 0, 1]), x)
    let back = try sketch.add(Transpose(permutation: [1, 2, 0]), there)
    let result = try expectEquivalent(sketch.finished(back), after: passes)
    #expect(result.operators == ["Identity"])
  }
}
