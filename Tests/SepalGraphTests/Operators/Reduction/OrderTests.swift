import SepalGraph
import SepalTensor
import Testing

/// Operators that compare elements along an axis, and running sums.
@Suite struct OrderTests {
  static let x = Tensor([2, 4], floats: [3, 1, 3, 2, -1, -1, -2, -2])

  @Test func argMaxTakesTheFirstOrTheLastOfEqualElements() throws {
    #expect(try ArgMax(axis: 1).run(Self.x)[0].integers() == [0, 0])
    #expect(try ArgMax(axis: -1, selectLast: true).run(Self.x)[0].integers() == [2, 1])
    #expect(try ArgMin(axis: 1).run(Self.x)[0].integers() == [1, 2])
    #expect(try ArgMin(axis: 1, selectLast: true).run(Self.x)[0].integers() == [1, 3])
  }

  @Test func argMaxAlongTheOuterAxis() throws {
    let kept = try ArgMax(axis: 0).run(Self.x)[0]
    #expect(kept.type == TensorType(.int64, [1, 4]))
    #expect(kept.integers() == [0, 0, 0, 0])
    let dropped = try ArgMin(axis: 0, keepDims: false).run(Self.x)[0]
    #expect(dropped.type == TensorType(.int64, [4]))
    #expect(dropped.integers() == [1, 1, 1, 1])
  }

  @Test func largeIntegersCompareExactly() throws {
    let x = Tensor([3], int64s: [1 << 53, (1 << 53) + 1, 1 << 53])
    #expect(try ArgMax(axis: 0).run(x)[0].integers() == [1])
    let top = try TopK(k: 3).run(x)
    #expect(top[0].integers() == [(1 << 53) + 1, 1 << 53, 1 << 53])
    #expect(top[1].integers() == [1, 0, 2])
  }

  @Test func topKOrdersTiesByIndex() throws {
    let largest = try TopK(k: 3).run(Self.x)
    #expect(largest[0].floats() == [3, 3, 2, -1, -1, -2])
    #expect(largest[1].integers() == [0, 2, 3, 0, 1, 2])
    let least = try TopK(axis: 1, k: 3, largest: false).run(Self.x)
    #expect(least[0].floats() == [1, 2, 3, -2, -2, -1])
    #expect(least[1].integers() == [1, 3, 0, 2, 3, 0])
  }

  @Test func topKAlongTheOuterAxis() throws {
    let top = try TopK(axis: 0, k: 1).run(Self.x)
    #expect(top.map(\.shape) == [[1, 4], [1, 4]])
    #expect(top[0].floats() == [3, 1, 3, 2])
    #expect(try TopK(axis: 0, k: 0).run(Self.x)[0].shape == [0, 4])
  }

  @Test func topKCountsNaNAsLargest() throws {
    let x = Tensor([4], floats: [1, .nan, .infinity, .nan])
    #expect(try TopK(k: 4).run(x)[1].integers() == [1, 3, 2, 0])
    #expect(try TopK(k: 4, largest: false).run(x)[1].integers() == [0, 2, 1, 3])
  }

  /// ONNX CumSum, the examples of the operator's documentation.
  @Test(arguments: [
    (false, false, [1, 3, 6]), (true, false, [0, 1, 3]), (false, true, [6, 5, 3]), (true, true, [5, 3, 0]),
  ])
  func cumulativeSums(exclusive: Bool, reverse: Bool, expected: [Float]) throws {
    let op = CumSum(axis: 0, exclusive: exclusive, reverse: reverse)
    #expect(try op.run(Tensor([3], floats: [1, 2, 3]))[0].floats() == expected)
    #expect(
      try op.run(Tensor(.int32, [3, 1], integers: [1, 2, 3]))[0].integers() == expected.map { Int64($0) })
  }

  @Test func cumulativeSumsAlongEachAxis() throws {
    #expect(try CumSum(axis: 0).run(.iota([2, 3]))[0].floats() == [0, 1, 2, 3, 5, 7])
    #expect(try CumSum(axis: -1).run(.iota([2, 3]))[0].floats() == [0, 1, 3, 3, 7, 12])
  }

  @Test func emptyTensorsDoNotTrap() throws {
    let empty = Tensor([0, 3], floats: [])
    #expect(try ArgMax(axis: 1).run(empty)[0].shape == [0, 1])
    #expect(try TopK(axis: 1, k: 2).run(empty)[1].shape == [0, 2])
    #expect(try CumSum(axis: 1).run(empty)[0].shape == [0, 3])
    #expect(ArgMax(axis: 0).refusal(empty.type) == "axis 0 of x float32[0x3] is empty")
  }

  @Test func refusesWhatIsOutOfRange() {
    let x = TensorType(.float32, [2, 4])
    #expect(TopK(k: 5).refusal(x) == "'k' is 5, expected 0…4")
    #expect(TopK(k: -1).refusal(x) != nil)
    #expect(TopK(axis: 2, k: 1).refusal(x) == "'axis' is 2, expected −2…1")
    #expect(ArgMax(axis: .min).refusal(x) != nil)
    #expect(CumSum(axis: 0).refusal(TensorType(.float32, [])) != nil)
    #expect(ArgMin(axis: 0).refusal(TensorType(.bool, [1])) == "does not take bool")
  }
}
