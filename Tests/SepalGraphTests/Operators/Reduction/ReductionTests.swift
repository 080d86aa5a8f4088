import SepalGraph
import SepalTensor
import Testing

@Suite struct ReductionTests {
  /// x = [[[1, −2], [3, 4]], [[−5, 6], [0.5, 8]]], expected values computed by hand.
  static let x = Tensor([2, 2, 2], floats: [1, -2, 3, 4, -5, 6, 0.5, 8])

  @Test(arguments: [
    (ReduceSum(axes: [1]) as any ReductionOperator, [4, 2, -4.5, 14] as [Float]),
    (ReduceSum(axes: [0, 2]), [0, 15.5]),
    (ReduceSum(axes: [0, 1, 2]), [15.5]),
    (ReduceSum(), [1, -2, 3, 4, -5, 6, 0.5, 8]),
    (ReduceMean(axes: [0]), [-2, 2, 1.75, 6]),
    (ReduceMean(axes: [1, 2]), [1.5, 2.375]),
    (ReduceMax(axes: [2]), [1, 4, 6, 8]),
    (ReduceMin(axes: [2]), [-2, 3, -5, 0.5]),
    (ReduceProd(axes: [1, 2]), [-24, -120]),
    (ReduceL1(axes: [0, 1, 2]), [29.5]),
    (ReduceL2(axes: [2]), [Float(5).squareRoot(), 5, Float(61).squareRoot(), Float(64.25).squareRoot()]),
    (ReduceSumSquare(axes: [2]), [5, 25, 61, 64.25]),
    (ReduceSumSquare(), [1, 4, 9, 16, 25, 36, 0.25, 64]),
    (ReduceLogSumExp(), [1, -2, 3, 4, -5, 6, 0.5, 8]),
  ])
  func reduces(_ op: any ReductionOperator, expected: [Float]) throws {
    let kept = try op.run(Self.x)[0]
    #expect(kept.floats() == expected)
    #expect(kept.shape == (0..<3).map { op.axes.contains($0) ? 1 : 2 })
    var dropping = op
    dropping.keepDims = false
    let dropped = try dropping.run(Self.x)[0]
    #expect(dropped.shape == [2, 2, 2].dropLast(op.axes.count))
    #expect(dropped.floats() == expected)
  }

  /// Recorded from numpy 2: log(sum(exp(x))) in float64.
  @Test func logSumExpNeitherOverflowsNorVanishes() throws {
    let op = ReduceLogSumExp(axes: [1])
    let x = Tensor(
      .float64, [3, 2], doubles: [1, 2, 1000, 1000, -.infinity, -.infinity])
    let y = try op.run(x)[0].doubles()
    #expect(abs(y[0] - 2.313261687518223) < 1e-15)
    #expect(abs(y[1] - 1000.6931471805599) < 1e-12)
    #expect(y[2] == -.infinity)
    #expect(try op.run(Tensor([1, 2], floats: [.infinity, 1]))[0].floats() == [.infinity])
    #expect(try op.run(Tensor([1, 2], floats: [1, .nan]))[0].floats()[0].isNaN)
  }

  @Test func longSumsDoNotLoseSmallTerms() throws {
    let count = 1 << 20
    let x = Tensor([count], floats: [Float](repeating: 0.1, count: count))
    #expect(try ReduceMean(axes: [0]).run(x)[0].floats() == [0.1])
  }

  @Test func integersWrapAndMeansTruncate() throws {
    let x = Tensor(.int32, [2, 2], integers: [-3, -2, 7, 4])
    #expect(try ReduceMean(axes: [1]).run(x)[0].integers() == [-2, 5])
    #expect(try ReduceL1(axes: [1]).run(x)[0].integers() == [5, 11])
    #expect(try ReduceL2(axes: [1]).run(x)[0].integers() == [3, 8])
    #expect(try ReduceProd(axes: [0, 1]).run(x)[0].integers() == [168])
    let extreme = Tensor([2], int64s: [.max, 1])
    #expect(try ReduceSum(axes: [0]).run(extreme)[0].integers() == [.min])
    #expect(try ReduceSumSquare(axes: [0]).run(extreme)[0].integers() == [2])
    #expect(try ReduceL1(axes: [0]).run(Tensor([1], int64s: [.min]))[0].integers() == [.min])
    let bytes = Tensor(.uint8, [2], integers: [200, 100])
    #expect(try ReduceSum(axes: [0]).run(bytes)[0].integers() == [44])
    #expect(try ReduceMax(axes: [0]).run(Tensor([2], int64s: [.max, .max - 1]))[0].integers() == [.max])
  }

  /// ONNX: what an empty set of elements reduces to.
  @Test func emptyReductionsHaveTheirIdentity() throws {
    let x = Tensor([0, 2], floats: [])
    let expected: [(any ReductionOperator, Float)] = [
      (ReduceSum(axes: [0]), 0), (ReduceProd(axes: [0]), 1), (ReduceL1(axes: [0]), 0),
      (ReduceL2(axes: [0]), 0), (ReduceSumSquare(axes: [0]), 0), (ReduceMax(axes: [0]), -.infinity),
      (ReduceMin(axes: [0]), .infinity), (ReduceLogSumExp(axes: [0]), -.infinity),
    ]
    for (op, value) in expected {
      #expect(try op.run(x)[0].floats() == [value, value], "\(op.name)")
    }
    #expect(try ReduceMean(axes: [0]).run(x)[0].floats().allSatisfy(\.isNaN))
    #expect(try ReduceSum(axes: [1]).run(x)[0].shape == [0, 1])
    for element in ElementType.allCases where !element.isFloat {
      let range = element.integerRange
      let empty = Tensor(element, [0], integers: [])
      #expect(try ReduceMax(axes: [0]).run(empty)[0].integers() == [range.lowerBound], "\(element)")
      #expect(try ReduceMin(axes: [0]).run(empty)[0].integers() == [range.upperBound], "\(element)")
    }
    #expect(try ReduceMean(axes: [0]).run(Tensor([0], int64s: []))[0].integers() == [0])
  }

  @Test func extremaPropagateNaNAndTakeBool() throws {
    let x = Tensor([3], floats: [1, .nan, 2])
    #expect(try ReduceMax(axes: [0]).run(x)[0].floats()[0].isNaN)
    #expect(try ReduceMin(axes: [0]).run(x)[0].floats()[0].isNaN)
    let bools = Tensor([2, 2], bools: [true, false, true, true])
    #expect(try ReduceMax(axes: [1]).run(bools)[0].booleans() == [true, true])
    #expect(try ReduceMin(axes: [1]).run(bools)[0].booleans() == [false, true])
    #expect(ReduceSum().refusal(TensorType(.bool, [1])) == "does not take bool")
  }

  /// Every set of axes against a plain loop.
  @Test func anyAxesMatchAPlainLoop() throws {
    let shape = [2, 1, 3, 4, 2]
    let x = Tensor.iota(shape, .int64)
    for mask in 0..<32 {
      let axes = (0..<5).filter { mask >> $0 & 1 == 1 }
      let resultShape = shape.indices.map { axes.contains($0) ? 1 : shape[$0] }
      var expected = [Int64](repeating: 0, count: resultShape.reduce(1, *))
      forEachOffset(shape, strides: [broadcastStrides(resultShape, to: shape)]) { flat, offsets in
        expected[offsets[0]] += Int64(flat)
      }
      #expect(try ReduceSum(axes: axes).run(x)[0].integers() == expected, "\(axes)")
    }
  }

  @Test(arguments: [[-1], [3], [1, 1], [2, 0], [.max], [.min]])
  func refusesIllegalAxes(axes: [Int]) {
    #expect(ReduceMean(axes: axes).refusal(TensorType(.float32, [2, 2, 2])) != nil)
  }
}
