import SepalGraph
import SepalPasses
import SepalTensor
import Testing

private let toLast = Transpose(permutation: [0, 2, 3, 1])
private let toFirst = Transpose(permutation: [0, 3, 1, 2])
private let passes: Set = ["sink-transposes", "lift-transposes", "merge-transposes"]

@Suite("lift-transposes")
struct LiftTransposesTests {
  @Test("an operand that is there in the other order already saves a transpose")
  func existing() throws {
    var sketch = Sketch()
    let x = sketch.input([1, 4, 5, 6])
    let relu = try sketch.add(Relu(), x)
    let result = try expectEquivalent(
      sketch.finished(sketch.add(toLast, relu), sketch.add(toLast, x)), after: passes)
    #expect(result.operators == ["Transpose", "Relu"], "\(result)")
  }

  @Test("several transposed results become one transposed operand")
  func split() throws {
    var sketch = Sketch()
    let parts = try sketch.nodes(Split(axis: 1, sizes: [2, 3]), [sketch.input([1, 5, 6, 7])])
    let result = try expectEquivalent(
      sketch.finished(sketch.add(toLast, parts[0]), sketch.add(toLast, parts[1])), after: passes)
    #expect(result.operators == ["Transpose", "Split"], "\(result)")
  }

  @Test("one for one is not worth a move")
  func tie() throws {
    var sketch = Sketch()
    let relu = try sketch.add(Relu(), sketch.input([1, 4, 5, 6]))
    let source = try sketch.finished(sketch.add(toLast, relu))
    #expect(try source.optimized(by: passes).description == source.description)
  }

  @Test("a reader of the old order keeps the transposes behind")
  func otherReader() throws {
    var sketch = Sketch()
    let x = sketch.input([1, 4, 5, 6])
    let relu = try sketch.add(Relu(), x)
    let source = try sketch.finished(sketch.add(toLast, relu), sketch.add(toLast, x), relu)
    #expect(try source.optimized(by: passes).description == source.description)
  }

  @Test("results transposed in different ways stay")
  func differentOrders() throws {
    var sketch = Sketch()
    let parts = try sketch.nodes(Split(axis: 1, sizes: [2, 2]), [sketch.input([2, 4, 5, 6])])
    let source = try sketch.finished(sketch.add(toLast, parts[0]), sketch.add(toFirst, parts[1]))
    #expect(try source.optimized(by: passes).description == source.description)
  }

  @Test("patches to tokens: flattening the image and swapping needs no transpose behind channels-last")
  func tokens() throws {
    var sketch = Sketch()
    let x = try sketch.add(toFirst, sketch.input([1, 5, 6, 4]))
    let flat = try sketch.add(Reshape(shape: [1, 4, 30]), x)
    let result = try expectEquivalent(
      sketch.finished(sketch.add(Transpose(permutation: [0, 2, 1]), flat)), after: passes)
    #expect(result.operators == ["Reshape"], "\(result)")
  }

  @Test("a channel shuffle in channels-first becomes one over the last axis", arguments: [1, 2], [2, 3])
  func channelShuffle(batch: Int, groups: Int) throws {
    var sketch = Sketch()
    let x = try sketch.add(toFirst, sketch.input([batch, 3, 4, 12]))
    let split = try sketch.add(Reshape(shape: [batch, groups, 12 / groups, 3, 4]), x)
    let swapped = try sketch.add(Transpose(permutation: [0, 2, 1, 3, 4]), split)
    let merged = try sketch.add(Reshape(shape: [batch, 12, 3, 4]), swapped)
    let result = try expectEquivalent(sketch.finished(sketch.add(toLast, merged)), after: passes)
    #expect(result.operators == ["Reshape", "Transpose", "Reshape"], "\(result)")
    #expect(result.nodes[1].op(as: Transpose.self)?.permutation == [0, 1, 2, 4, 3])
  }
}
