import SepalGraph
import Testing

@Suite("eliminate-identities")
struct EliminateIdentitiesTests {
  private let pass = "eliminate-identities"

  @Test(arguments: [
    "Identity(%a)", "Cast(%a) {to: float32}", "Reshape(%a) {shape: [1,4,3,3]}",
    "Expand(%a) {shape: [1,4,3,3]}",
    "Transpose(%a) {permutation: [0,1,2,3]}", "Concat(%a) {axis: 1}", "Split(%a) {axis: 1, sizes: [4]}",
    "Slice(%a) {axes: [1], starts: [0], ends: [4], steps: [1]}",
    "Pad(%a) {begins: [0,0,0,0], ends: [0,0,0,0]}",
    "Tile(%a) {repeats: [1,1,1,1]}", "MaxPool(%a)", "AveragePool(%a) {countIncludePad: 1}", "Clip(%a)",
    "Clip(%a) {min: -1.0, max: 1.0}", "ReduceMean(%a)", "ReduceSum(%a) {axes: [0]}",
    "DepthToSpace(%a) {blockSize: 1}", "SpaceToDepth(%a) {blockSize: 1}",
    "Sub(%a, %zero)", "Mul(%a, %one)", "Div(%a, %one)", "Pow(%a, %one)", "Add(%a, %minusZero)",
    "ReduceMax(%a) {axes: [0]}", "Resize(%a) {sizes: [1,4,3,3], scales: [1.0,1.0,1.0,1.0]}",
  ])
  func whatReturnsItsInputGoes(op: String) throws {
    try expect(
      pass,
      rewrites: """
        input %x: float32[1x4x3x3]
        constant %zero: float32[] = 0
        constant %minusZero: float32[4x1x1] = -0.0
        constant %one: float32[1x4x1x1] = 1
        %a = Tanh(%x)
        %b = \(op)
        %y = Exp(%b)
        output y = %y
        """,
      to: """
        input %x: float32[1x4x3x3]
        %a = Tanh(%x)
        %y = Exp(%a)
        output y = %y
        """, exactness: .exact)
  }

  @Test(arguments: [
    "Cast(%a) {to: float16}", "Transpose(%a) {permutation: [0,1,3,2]}",
    "Slice(%a) {axes: [2], starts: [2], ends: [-1], steps: [-1]}", "Tile(%a) {repeats: [1,1,1,2]}",
    "Pad(%a) {begins: [0,0,1,0], ends: [0,0,-1,0]}",
    "MaxPool(%a) {kernel: [3,3], padBegins: [1,1], padEnds: [1,1]}",
    "Clip(%a) {min: -0.5}", "Relu(%a)", "ReduceL2(%a)", "Mul(%a, %two)", "Mul(%a, %mixed)",
    "Sub(%a, %minusZero)",
    "Div(%two, %a)", "Reshape(%a) {shape: [1,4,9]}", "Add(%a, %wide)", "Expand(%a) {shape: [2,4,3,3]}",
    "Concat(%a, %a) {axis: 0}", "Pow(%a, %two)",
  ])
  func whatChangesItsInputStays(op: String) throws {
    try expect(
      pass,
      leaves: """
        input %x: float32[1x4x3x3]
        constant %two: float32[] = 2
        constant %mixed: float32[3] = [1,1,2]
        constant %wide: float32[2x4x3x3] = 0
        constant %minusZero: float32[] = -0.0
        %a = Tanh(%x)
        %b = \(op)
        %y = Exp(%b)
        output y = %y
        """)
  }

  @Test func transposingAxesOfExtentOneIsTheIdentityWhenTheShapeStays() throws {
    try expect(
      pass,
      rewrites: """
        input %x: float32[1x1x4x1]
        %a = Tanh(%x)
        %b = Transpose(%a) {permutation: [3,0,2,1]}
        %y = Exp(%b)
        output y = %y
        """,
      to: """
        input %x: float32[1x1x4x1]
        %a = Tanh(%x)
        %y = Exp(%a)
        output y = %y
        """)
  }

  @Test func addingZeroMayChangeTheSignOfAZero() throws {
    try expect(
      pass,
      rewrites: """
        input %x: float32[4]
        constant %zero: float32[] = 0
        %a = Tanh(%x)
        %b = Add(%a, %zero)
        %y = Exp(%b)
        output y = %y
        """,
      to: """
        input %x: float32[4]
        %a = Tanh(%x)
        %y = Exp(%a)
        output y = %y
        """, exactness: .reassociated)
  }

  @Test func aFusedActivationStaysBehind() throws {
    try expect(
      pass,
      rewrites: """
        input %x: float32[4]
        constant %one: float32[] = 1
        %y = Mul(%x, %one) {activation: clip(0.0,6.0)}
        output y = %y
        """,
      to: """
        input %x: float32[4]
        %y = Clip(%x) {min: 0.0, max: 6.0}
        output y = %y
        """)
  }

  @Test(arguments: [
    ("Relu(%x)", "Relu"), ("Clip(%x) {min: 1.0, max: 6.0}", "Relu"), ("Sigmoid(%x)", "Relu"),
    ("Conv(%x, %w) {activation: relu}", "Relu"), ("Abs(%x)", "Relu"),
  ])
  func limitsThatHoldAnywayGo(producer: String, limit: String) throws {
    var optimized = try graph(
      """
      input %x: float32[1x2x4x4]
      constant %w: float32[2x2x1x1]
      %a = \(producer)
      %p = MaxPool(%a) {kernel: [2,2]}
      %q = AveragePool(%p) {kernel: [2,2]}
      %r = Reshape(%q) {shape: [1,8]}
      %y = \(limit)(%r)
      output y = %y
      """)
    let source = optimized
    try run([pass], on: &optimized)
    #expect(optimized.nodeCount == 4)
    try expectEquivalent(source, optimized, tolerance: 1e-5)
  }

  @Test func outputsKeepTheirNamesAndBordersStayNodes() throws {
    try expect(
      pass,
      leaves: """
        input %x: float32[4]
        constant %c: float32[4]
        %y = Identity(%x)
        %z = Identity(%c)
        output y = %y
        output z = %z
        """)
    try expect(
      pass,
      rewrites: """
        input %x: float32[4]
        %a = Tanh(%x)
        %b = Identity(%a)
        output first = %a
        output second = %b
        """,
      to: """
        input %x: float32[4]
        %a = Tanh(%x)
        output first = %a
        output second = %a
        """)
  }

  @Test func aRemovedValuesOriginsMoveToTheOneThatStays() throws {
    var optimized = try graph(
      """
      input %x: float32[4]
      %a = Tanh(%x)
      %b = Identity(%a)
      %y = Exp(%b)
      output y = %y
      """)
    try run([pass], on: &optimized)
    let a = try #require(optimized.producer(of: optimized.outputs[0].value)?.input(0))
    #expect(optimized.value(a).origins.map(\.name) == ["a", "b"])
  }
}
