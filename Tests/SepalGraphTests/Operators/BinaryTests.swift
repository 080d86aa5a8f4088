import SepalGraph
import SepalTensor
import Testing

@Suite struct BinaryTests {
  private func integerResult(_ op: some Operator, _ a: Tensor, _ b: Tensor) throws -> [Int64]? {
    try evaluate(op, [a, b])[0].integers()
  }

  @Test func operandsBroadcast() throws {
    let column = vector([1, 2]).reshaped([2, 1])
    let row = vector([10, 20, 30])
    try expect(Sub(), [column, row], shape: [2, 3], gives: [-9, -19, -29, -8, -18, -28])
    try expect(Add(), [vector([5]).reshaped([]), row], shape: [3], gives: [15, 25, 35])
    try expect(Mul(), [pattern([2, 0, 3]), pattern([1, 3])], shape: [2, 0, 3], gives: [])
    #expect(
      refusal(Div(), [TensorType(.float32, [2]), TensorType(.float32, [3])])
        == "shapes float32[2] and float32[3] do not broadcast")
    #expect(
      refusal(Div(), [TensorType(.float32, [2]), TensorType(.float64, [2])])
        == "inputs are float32 and float64, expected the same element type")
  }

  @Test func aFusedActivationIsAppliedLast() throws {
    let (a, b) = (vector([1, -4, 5]), vector([2, 2, 2]))
    try expect(Add(activation: .relu), [a, b], shape: [3], gives: [3, 0, 7])
    try expect(Mul(activation: .clip(min: -1, max: 6)), [a, b], shape: [3], gives: [2, -1, 6])
    #expect(
      refusal(Add(activation: .relu), [TensorType(.int32, [1]), TensorType(.int32, [1])])
        == "does not take int32")
  }

  @Test func integersWrap() throws {
    let (largest, smallest) = (integers([.max, .min]), integers([.min, .max]))
    #expect(try integerResult(Add(), largest, largest) == [-2, 0])
    #expect(try integerResult(Sub(), smallest, largest) == [1, -1])
    #expect(try integerResult(Mul(), largest, integers([2, -1])) == [-2, .min])
    #expect(try integerResult(Add(), integers([127], .int8), integers([1], .int8)) == [-128])
  }

  /// Recorded from ONNX Runtime 1.32.
  @Test func integerDivisionTruncatesTowardZero() throws {
    #expect(try integerResult(Div(), integers([7, -7, 7, -7]), integers([2, 2, -2, -2])) == [3, -3, -3, 3])
  }

  @Test func theMostNegativeIntegerDividedByMinusOneWraps() throws {
    for element in [ElementType.int8, .int32, .int64] {
      let smallest = Int64.min >> (64 - 8 * element.size)
      let (a, b) = (integers([smallest], element), integers([-1], element))
      #expect(try integerResult(Div(), a, b) == [smallest], "\(element)")
      #expect(try integerResult(Mod(), a, b) == [0], "\(element)")
      #expect(try integerResult(Mod(fmod: true), a, b) == [0], "\(element)")
    }
  }

  @Test(arguments: [Div(), Mod(), Mod(fmod: true)] as [any BinaryOperator])
  func integerDivisionByZeroIsRefused(op: any BinaryOperator) {
    #expect(throws: OperatorError("integer result is not defined")) {
      _ = try op.evaluate(Inputs([integers([1]), integers([0])]))
    }
  }

  /// Integers recorded from ONNX Runtime 1.32, floating point from numpy.
  @Test func modFollowsTheDivisorOrWithFmodTheDividend() throws {
    let (a, b) = (integers([7, -7, 7, -7, 6, -6]), integers([3, 3, -3, -3, -3, 3]))
    #expect(try integerResult(Mod(), a, b) == [1, 2, -2, -1, 0, 0])
    #expect(try integerResult(Mod(fmod: true), a, b) == [1, -1, 1, -1, 0, 0])
    let (x, y) = (vector([7.5, -7.5, 7.5, -7.5, 6]), vector([2, 2, -2, -2, -3]))
    try expect(Mod(fmod: true), [x, y], shape: [5], gives: [1.5, -1.5, 1.5, -1.5, 0])
    try expect(Mod(), [x, y], shape: [5], gives: [1.5, 0.5, -0.5, -1.5, 0])
    try expect(Mod(), [vector([1]), vector([0])], shape: [1], gives: [.nan])
  }

  /// Recorded from ONNX Runtime 1.32.
  @Test func powTakesAnExponentOfAnotherType() throws {
    try expect(
      Pow(), [vector([2, 4, -2, 9]), integers([3, -1, 3, 2])], shape: [4], gives: [8, 0.25, -8, 81])
    #expect(try integerResult(Pow(), integers([2, 3]), vector([0.5, 2.5])) == [1, 15])
    #expect(try integerResult(Pow(), integers([2, -2, 3]), integers([3, 3, -1])) == [8, -8, 0])
  }

  @Test func integerPowersWrapAndRefuseDivisionByZero() throws {
    #expect(
      try integerResult(Pow(), integers([3, -1, -1, 1]), integers([64, -3, -4, .min])) == [
        8733086111712066817, -1, 1, 1,
      ])
    #expect(throws: OperatorError("integer result is not defined")) {
      _ = try Pow().evaluate(Inputs([integers([0]), integers([-1])]))
    }
  }

  /// Recorded from ONNX Runtime 1.32.
  @Test func maxAndMinPropagateNaN() throws {
    let (a, b) = (vector([1, .nan, 3]), vector([.nan, 2, 1]))
    try expect(Max(), [a, b], shape: [3], gives: [.nan, .nan, 3])
    try expect(Min(), [a, b], shape: [3], gives: [.nan, .nan, 1])
    #expect(try integerResult(Max(), integers([1, 5]), integers([2, .min])) == [2, 5])
  }

  /// Recorded from ONNX Runtime 1.32.
  @Test func preluTakesASlopePerChannelOnly() throws {
    try expect(
      PRelu(), [pattern([1, 2, 3]), pattern([2, 1], seed: 3)], shape: [1, 2, 3],
      gives: [-1.5625, 0.5, -0.625, 1.25, 0.25, -0.1875])
    #expect(
      refusal(PRelu(), [TensorType(.float32, [3]), TensorType(.float32, [2, 3])])
        == "slope is float32[2x3], expected float32 broadcasting to [3]")
  }

  @Test(
    arguments: [
      (Equal(), [false, true, false, false]), (Less(), [true, false, false, false]),
      (LessOrEqual(), [true, true, false, false]), (Greater(), [false, false, true, false]),
      (GreaterOrEqual(), [false, true, true, false]),
    ] as [(any ComparisonOperator, [Bool])])
  func comparisonsWithNaNAreFalse(op: any ComparisonOperator, expected: [Bool]) throws {
    let y = try evaluate(op, [vector([1, 2, 3, .nan]), vector([2, 2, 2, .nan])])[0]
    #expect(y.booleans() == expected)
    let integers = try evaluate(op, [integers([.max - 1, 5, .max]), integers([.max, 5, .max - 1])])[0]
    #expect(integers.booleans() == Array(expected.prefix(3)))
  }

  @Test func equalTakesBool() throws {
    let y = try evaluate(Equal(), [Tensor([2], bools: [true, false]), Tensor([1], bools: [false])])[0]
    #expect(y.booleans() == [false, true])
    #expect(refusal(Less(), [TensorType(.bool, [1]), TensorType(.bool, [1])]) == "does not take bool")
  }

  @Test(
    arguments: [
      (And(), [true, false, false, false]), (Or(), [true, true, true, false]),
      (Xor(), [false, true, true, false]),
    ] as [(any LogicalOperator, [Bool])])
  func logic(op: any LogicalOperator, expected: [Bool]) throws {
    let a = Tensor([4], bools: [true, true, false, false])
    let b = Tensor([4], bools: [true, false, true, false])
    #expect(try evaluate(op, [a, b])[0].booleans() == expected)
    #expect(refusal(op, [TensorType(.int8, [1]), TensorType(.int8, [1])]) == "does not take int8")
  }

  @Test func whereBroadcastsThreeWays() throws {
    let condition = Tensor([2, 1], bools: [true, false])
    try expect(
      Where(), [condition, vector([1, 2, 3]), vector([9]).reshaped([1, 1, 1])], shape: [1, 2, 3],
      gives: [1, 2, 3, 9, 9, 9])
    let y = try evaluate(Where(), [condition, integers([.max]), integers([.min])])[0]
    #expect(y.integers() == [.max, .min])
    #expect(
      refusal(Where(), [TensorType(.float32, [1]), TensorType(.int8, [1]), TensorType(.int8, [1])])
        == "condition is float32[1], expected bool")
  }
}
