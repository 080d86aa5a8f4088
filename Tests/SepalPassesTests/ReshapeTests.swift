import SepalGraph
import SepalPasses
import SepalTensor
import Testing

@Suite("replace-transpose-by-reshape, merge-reshapes, sink-reshapes, fold-reshape-into-global-pool")
struct ReshapeTests {
  @Test(
    "a transpose that moves unit axes only is a reshape",
    arguments: [
      ([2, 1, 5, 6], [0, 2, 3, 1]), ([1, 1, 1, 7], [0, 3, 1, 2]), ([3, 1, 4], [1, 0, 2]),
    ])
  func unitAxes(_ shape: [Int], _ permutation: [Int]) throws {
    var sketch = Sketch()
    let y = try sketch.add(Transpose(permutation: permutation), sketch.input(shape))
    let result = try expectEquivalent(sketch.finished(y), after: ["replace-transpose-by-reshape"])
    #expect(result.operators == ["Reshape"])
  }

  @Test(
    "a transpose that moves data stays",
    arguments: [
      ([2, 3], [1, 0]), ([1, 2, 5, 6], [0, 2, 3, 1]), ([0, 2], [1, 0]),
    ])
  func movesData(_ shape: [Int], _ permutation: [Int]) throws {
    var sketch = Sketch()
    let source = try sketch.finished(sketch.add(Transpose(permutation: permutation), sketch.input(shape)))
    #expect(try source.optimized(by: ["replace-transpose-by-reshape"]).description == source.description)
  }

  @Test("consecutive reshapes become one or none")
  func merging() throws {
    var sketch = Sketch()
    let x = try sketch.add(Abs(), sketch.input([2, 3, 4]))
    let a = try sketch.add(Reshape(shape: [6, 4]), x)
    let b = try sketch.add(Reshape(shape: [4, 6]), a, named: "b")
    let c = try sketch.add(Reshape(shape: [2, 3, 4]), b)
    let result = try expectEquivalent(sketch.finished(sketch.add(Neg(), c), b), after: ["merge-reshapes"])
    #expect(result.operators == ["Abs", "Neg", "Reshape"], "\(result)")
  }

  @Test("reshapes sink below elementwise operators, single numbers and equal partners")
  func sinking() throws {
    var sketch = Sketch()
    let a = try sketch.add(Reshape(shape: [6, 4]), sketch.add(Exp(), sketch.input([2, 3, 4], "a")))
    let b = try sketch.add(Reshape(shape: [6, 4]), sketch.input([2, 3, 4], "b"))
    let sum = try sketch.add(Add(), sketch.add(Relu(), a), sketch.add(Mul(), b, sketch.constant([1])))
    let square = try sketch.add(Mul(), sum, sum)
    let result = try expectEquivalent(sketch.finished(square), after: ["sink-reshapes"])
    #expect(result.operators == ["Exp", "Relu", "Mul", "Add", "Mul", "Reshape"], "\(result)")
  }

  @Test("other readers, partners of another shape, vectors and widening numbers keep a reshape where it is")
  func notSinking() throws {
    var sketch = Sketch()
    let x = sketch.input([2, 3, 4])
    let read = try sketch.add(Reshape(shape: [6, 4]), x)
    let twice = try sketch.add(Relu(), read)
    let other = try sketch.add(
      Add(), sketch.add(Reshape(shape: [6, 4]), x),
      sketch.add(Reshape(shape: [6, 4]), sketch.input([4, 6], "z")))
    let vector = try sketch.add(Add(), sketch.add(Reshape(shape: [6, 4]), x), sketch.constant([4]))
    let wide = try sketch.add(Add(), sketch.add(Reshape(shape: [6, 4]), x), sketch.constant([1, 1, 1]))
    let flat = try sketch.add(
      Add(), sketch.add(Reshape(shape: [1, 2, 3, 4]), x), sketch.constant([1, 1, 1, 1]))
    let source = sketch.finished(read, twice, other, vector, wide, flat)
    #expect(try source.optimized(by: ["sink-reshapes"]).description == source.description)
  }

  @Test("pooling drops its unit axes itself", arguments: Layout.allCases)
  func globalPool(layout: Layout) throws {
    for op in [GlobalAveragePool(layout: layout), GlobalMaxPool(layout: layout)] as [any Operator] {
      var sketch = Sketch()
      let pooled = try sketch.add(op, sketch.input([2, 3, 4, 5]))
      let channels = layout == .channelsFirst ? 3 : 5
      let y = try sketch.add(Reshape(shape: [2, channels]), pooled)
      let result = try expectEquivalent(sketch.finished(y), after: ["fold-reshape-into-global-pool"])
      #expect(result.operators == [op.name])
      #expect(result.nodes[0].op.attributes.contains { $0 == ("keepDims", .int(0)) })
    }
  }

  @Test("pooling keeps them for another shape or another reader")
  func globalPoolKept() throws {
    var sketch = Sketch()
    let first = try sketch.add(GlobalAveragePool(), sketch.input([2, 3, 4, 5]))
    let second = try sketch.add(GlobalMaxPool(), sketch.input([2, 3, 4, 5], "z"))
    let source = try sketch.finished(
      sketch.add(Reshape(shape: [6]), first), sketch.add(Reshape(shape: [2, 3]), second), second)
    #expect(try source.optimized(by: ["fold-reshape-into-global-pool"]).description == source.description)
  }
}
