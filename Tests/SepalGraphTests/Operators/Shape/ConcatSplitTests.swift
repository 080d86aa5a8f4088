import SepalGraph
import SepalTensor
import Testing

@Suite struct ConcatSplitTests {
  @Test func joinsAlongAnInnerAxis() throws {
    let (a, b) = (Tensor([2, 1], floats: [1, 2]), Tensor([2, 2], floats: [3, 4, 5, 6]))
    let y = try Concat(axis: -1).run(a, b)[0]
    #expect(y.shape == [2, 3])
    #expect(y.floats() == [1, 3, 4, 2, 5, 6])
  }

  @Test func joinsOneTensorAndEmptyParts() throws {
    let a = Tensor([1, 2], floats: [1, 2])
    let empty = Tensor([0, 2], floats: [])
    #expect(try Concat(axis: 0).run(a)[0].isIdentical(to: a))
    #expect(try Concat(axis: 0).run(empty, a, empty)[0].isIdentical(to: a))
    #expect(try Concat(axis: 0).run(empty, empty)[0].shape == [0, 2])
  }

  @Test func splitsIntoUnequalAndEmptyParts() throws {
    let parts = try Split(axis: 1, sizes: [2, 0, 1]).run(.iota([2, 3]))
    #expect(parts.map(\.shape) == [[2, 2], [2, 0], [2, 1]])
    #expect(parts.map { $0.floats() } == [[0, 1, 3, 4], [], [2, 5]])
  }

  @Test(arguments: [(0, [1, 3]), (1, [2, 1, 3]), (2, [5]), (-1, [1, 0, 4])])
  func concatUndoesSplit(axis: Int, sizes: [Int]) throws {
    let x = Tensor.iota([4, 6, 5], .float16)
    let parts = try Split(axis: axis, sizes: sizes).run(x)
    let joined = try Concat(axis: axis).evaluate(Inputs(parts.map { Optional($0) }))
    #expect(joined[0].isIdentical(to: x))
  }

  @Test func refusesWhatDoesNotFit() {
    let x = TensorType(.float32, [2, 3])
    #expect(
      Concat(axis: 0).refusal(x, TensorType(.float32, [2, 4]))
        == "input 1 is float32[2x4], which does not join float32[2x3] along axis 0")
    #expect(Concat(axis: 0).refusal(x, TensorType(.int32, [2, 3])) != nil)
    #expect(Concat(axis: 1).refusal(x, TensorType(.float32, [2])) != nil)
    #expect(Concat(axis: 0).refusal(TensorType(.float32, [])) != nil)
    #expect(Concat(axis: 2).refusal(x) == "'axis' is 2, expected −2…1")
    let huge = TensorType(.int8, [.max / 16])
    #expect(Concat(axis: 0).refusal(huge, huge, huge) != nil)
    #expect(
      Split(axis: 1, sizes: [1, 1]).refusal(x)
        == "'sizes' is [1, 1], expected non-negative values that sum to 3")
    #expect(Split(axis: 1, sizes: [4, -1]).refusal(x) != nil)
    #expect(Split(axis: 1, sizes: [.max, .max, 5]).refusal(x) != nil)
    #expect(Split(axis: 1, sizes: []).refusal(TensorType(.float32, [1, 0])) != nil)
  }
}
