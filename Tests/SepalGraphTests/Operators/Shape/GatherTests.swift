import SepalGraph
import SepalTensor
import Testing

@Suite struct GatherTests {
  @Test func gathersSlicesByAMatrixOfIndices() throws {
    let indices = Tensor([2, 2], int64s: [0, 2, -1, 1])
    let rows = try Gather(axis: 0).run(.iota([3, 2]), indices)[0]
    #expect(rows.shape == [2, 2, 2])
    #expect(rows.floats() == [0, 1, 4, 5, 4, 5, 2, 3])
    let columns = try Gather(axis: -1).run(.iota([2, 3]), indices)[0]
    #expect(columns.shape == [2, 2, 2])
    #expect(columns.floats() == [0, 2, 2, 1, 3, 5, 5, 4])
  }

  @Test func aScalarIndexRemovesTheAxis() throws {
    let y = try Gather(axis: 1).run(.iota([2, 3]), Tensor(.int32, [], integers: [2]))[0]
    #expect(y.shape == [2])
    #expect(y.floats() == [2, 5])
  }

  @Test func noIndicesGiveAnEmptyResult() throws {
    #expect(try Gather(axis: 0).run(.iota([3, 2]), Tensor([0], int64s: []))[0].shape == [0, 2])
    #expect(try Gather(axis: 0).run(.iota([0, 2]), Tensor([0], int64s: []))[0].shape == [0, 2])
  }

  /// ONNX GatherElements, examples 1 and 2 of the operator's documentation.
  @Test func gathersElements() throws {
    let first = try GatherElements(axis: 1).run(
      Tensor([2, 2], floats: [1, 2, 3, 4]), Tensor([2, 2], int64s: [0, 0, 1, 0]))[0]
    #expect(first.floats() == [1, 1, 4, 3])
    let second = try GatherElements(axis: 0).run(
      Tensor([3, 3], floats: [1, 2, 3, 4, 5, 6, 7, 8, 9]), Tensor([2, 3], int64s: [1, 2, 0, 2, 0, 0]))[0]
    #expect(second.floats() == [4, 8, 3, 7, 2, 3])
  }

  @Test(arguments: [Int64.min, -4, 3, .max])
  func refusesIndicesOutOfRange(index: Int64) {
    let indices = Tensor([1], int64s: [index])
    let message = OperatorError("index \(index) is out of range for an extent of 3")
    #expect(throws: message) { try Gather(axis: 0).run(.iota([3]), indices) }
    #expect(throws: message) { try GatherElements(axis: 0).run(.iota([3]), indices) }
  }

  @Test func refusesTypesThatDoNotFit() {
    let x = TensorType(.float32, [2, 3])
    #expect(
      Gather(axis: 0).refusal(x, TensorType(.float32, [1])) == "indices are float32, expected integers")
    #expect(Gather(axis: 2).refusal(x, TensorType(.int64, [1])) == "'axis' is 2, expected −2…1")
    #expect(Gather(axis: 0).refusal(TensorType(.float32, []), TensorType(.int64, [1])) != nil)
    #expect(Gather(axis: 0).refusal(x, TensorType(.int64, [1, 1, 1, 1, 1, 1, 1, 1])) != nil)
    #expect(
      GatherElements(axis: 0).refusal(x, TensorType(.int64, [2, 4]))
        == "indices are int64[2x4], expected integers within the shape of x float32[2x3]")
    #expect(GatherElements(axis: 0).refusal(x, TensorType(.int64, [2])) != nil)
    #expect(GatherElements(axis: 0).refusal(x, TensorType(.int64, [9, 3])) == nil)
  }

  @Test func arangeCounts() throws {
    #expect(try Arange(start: 10, delta: -4, count: 3, element: .int32).run()[0].integers() == [10, 6, 2])
    #expect(
      try Arange(start: 0.5, delta: 0.25, count: 3, element: .float32).run()[0].floats() == [0.5, 0.75, 1])
    #expect(try Arange(start: 0, delta: 1, count: 0, element: .int64).run()[0].shape == [0])
    #expect(Arange(start: 0, delta: 0.5, count: 2, element: .int64).refusal() != nil)
    #expect(Arange(start: .nan, delta: 1, count: 2, element: .int64).refusal() != nil)
    #expect(Arange(start: 0, delta: 1, count: -1, element: .int64).refusal() != nil)
    #expect(Arange(start: 0, delta: 1, count: 1, element: .bool).refusal() != nil)
  }
}
