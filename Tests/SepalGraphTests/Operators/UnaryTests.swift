import SepalGraph
import SepalTensor
import Testing

@Suite struct UnaryTests {
  private static let x = [-7, -3, -1, -0.5, 0, 0.5, 1, 3, 7]

  /// Recorded from ONNX Runtime 1.32 at `x`.
  private static let recorded: [(any UnaryOperator, [Double])] = [
    (Selu(), [-1.7565, -1.67057, -1.11133, -0.691758, 0, 0.525351, 1.0507, 3.1521, 7.35491]),
    (
      Mish(), [-0.00638026, -0.145647, -0.303401, -0.220744, 0, 0.375245, 0.865098, 2.98654, 6.99999]
    ),
    (
      Softplus(),
      [0.000911466, 0.0485874, 0.313262, 0.474077, 0.693147, 0.974077, 1.31326, 3.04859, 7.00091]
    ),
    (Softsign(), [-0.875, -0.75, -0.5, -0.333333, 0, 0.333333, 0.5, 0.75, 0.875]),
    (Erf(), [-1, -0.999978, -0.842701, -0.5205, 0, 0.5205, 0.842701, 0.999978, 1]),
    (
      Sin(), [-0.656987, -0.14112, -0.841471, -0.479426, 0, 0.479426, 0.841471, 0.14112, 0.656987]
    ),
    (Cos(), [0.753902, -0.989992, 0.540302, 0.877583, 1, 0.877583, 0.540302, -0.989992, 0.753902]),
    (Exp(), [0.000911882, 0.0497871, 0.367879, 0.606531, 1, 1.64872, 2.71828, 20.0855, 1096.63]),
    (Abs(), [7, 3, 1, 0.5, 0, 0.5, 1, 3, 7]),
    (Neg(), [7, 3, 1, 0.5, 0, -0.5, -1, -3, -7]),
    (Sign(), [-1, -1, -1, -1, 0, 1, 1, 1, 1]),
    (Floor(), [-7, -3, -1, -1, 0, 0, 1, 3, 7]),
    (Ceil(), [-7, -3, -1, 0, 0, 1, 1, 3, 7]),
  ]

  @Test(arguments: recorded)
  func computesTheRecordedValues(op: any UnaryOperator, expected: [Double]) throws {
    try expect(op, [vector(Self.x)], shape: [Self.x.count], gives: expected)
  }

  @Test func roundTakesHalvesToTheEvenNeighbour() throws {
    try expect(
      Round(), [vector([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.6])], shape: [7], gives: [-2, -2, 0, 0, 2, 2, 3])
  }

  @Test func functionsOutsideTheirDomain() throws {
    try expect(Sqrt(), [vector([4, -1])], shape: [2], gives: [2, .nan])
    try expect(Log(), [vector([1, 0, -1])], shape: [3], gives: [0, -.infinity, .nan])
    try expect(Reciprocal(), [vector([4, 0])], shape: [2], gives: [0.25, .infinity])
    try expect(Sign(), [vector([.nan])], shape: [1], gives: [.nan])
    try expect(Softplus(), [vector([1000, -1000])], shape: [2], gives: [1000, 0])
  }

  @Test func theMostNegativeIntegerStays() throws {
    for element in [ElementType.int8, .int16, .int32, .int64] {
      let smallest = Int64.min >> (64 - 8 * element.size)
      let x = integers([smallest, -1, 0, 1], element)
      #expect(try evaluate(Neg(), [x])[0].integers() == [smallest, 1, 0, -1], "\(element)")
      #expect(try evaluate(Abs(), [x])[0].integers() == [smallest, 1, 0, 1], "\(element)")
      #expect(try evaluate(Sign(), [x])[0].integers() == [-1, -1, 0, 1], "\(element)")
    }
  }

  @Test func notAndIsNaNGiveBool() throws {
    let flags = Tensor([2], bools: [true, false])
    #expect(try evaluate(Not(), [flags])[0].booleans() == [false, true])
    #expect(try evaluate(IsNaN(), [vector([.nan, .infinity])])[0].booleans() == [true, false])
    #expect(refusal(Not(), [TensorType(.int8, [1])]) == "does not take int8")
    #expect(refusal(IsNaN(), [TensorType(.int8, [1])]) == "does not take int8")
  }

  @Test(arguments: ElementType.allCases)
  func identityKeepsEveryBit(element: ElementType) throws {
    let x = pattern([3]).converted(to: element)
    #expect(try evaluate(Identity(), [x])[0].isIdentical(to: x))
  }

  @Test func castTruncatesSaturatesAndWraps() throws {
    func cast(_ x: Tensor, _ to: ElementType) throws -> [Int64]? {
      try evaluate(Cast(to: to), [x])[0].integers()
    }
    #expect(try cast(vector([-1.9, 1.9, 300, -300, .nan]), .int8) == [-1, 1, 127, -128, 0])
    #expect(try cast(integers([300, -1]), .uint8) == [44, 255])
    #expect(try cast(vector([0, -0.0, 0.5, .nan]), .bool) == [0, 0, 1, 1])
    #expect(try evaluate(Cast(to: .float16), [vector([1.0 / 3])])[0].doubles() == [0.333251953125])
  }
}
