import Testing

@Suite("lower-batch-norm")
struct LowerBatchNormTests {
  private let pass = "lower-batch-norm"

  @Test(arguments: [("[1x4x3x3]", ""), ("[1x3x3x4]", "layout: channelsLast"), ("[2x4]", "")])
  func aBatchNormByItselfIsAScaleAndAShift(x: String, layout: String) throws {
    let attributes = layout.isEmpty ? "" : "\(layout), "
    try expect(
      pass,
      rewrites: """
        input %x: float32\(x)
        constant %g: float32[4]
        constant %b: float32[4]
        constant %m: float32[4]
        constant %v: float32[4] = positive
        %y = BatchNorm(%x, %g, %b, %m, %v) {epsilon: 0.001, \(attributes)activation: relu}
        output y = %y
        """,
      to: """
        input %x: float32\(x)
        constant %y.scale: float32[4]
        constant %y.shift: float32[4]
        %y = ScaleShift(%x, %y.scale, %y.shift) {\(attributes)activation: relu}
        output y = %y
        """, exactness: .reassociated)
  }

  @Test(arguments: [
    "BatchNorm(%x, %p, %g, %g, %v)", "BatchNorm(%x, %g, %g, %g, %n)", "BatchNorm(%x, %h, %g, %g, %t)",
  ])
  func unknownOrImpossibleStatisticsStay(op: String) throws {
    try expect(
      pass,
      leaves: """
        input %x: float32[2x4]
        input %p: float32[4]
        constant %g: float32[4]
        constant %v: float32[4] = positive
        constant %n: float32[4] = -0.5
        constant %h: float32[4] = 1e38
        constant %t: float32[4] = 0
        %y = \(op)
        output y = %y
        """)
  }
}
