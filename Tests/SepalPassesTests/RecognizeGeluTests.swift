import SepalGraph
import SepalPasses
import SepalTensor
import Testing

private let passes: Set = ["recognize-gelu", "recognize-silu"]

@Suite("recognize-gelu, recognize-silu")
struct RecognizeGeluTests {
  private struct Builder {
    var graph = Graph()
    let x: ValueID
    init() { x = graph.addInput("x", TensorType(.float32, [2, 5])) }
    mutating func number(_ value: Double) -> ValueID {
      graph.addConstant("c\(graph.values.count)", Tensor(.float32, [], doubles: [value]))
    }
    mutating func apply(_ op: any Operator, _ inputs: ValueID...) throws -> ValueID {
      try graph.add(op, name: "n\(graph.values.count)", inputs: inputs)[0]
    }
    mutating func check(
      _ y: ValueID, _ expected: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Graph {
      graph.addOutput("y", y)
      let result = try expectEquivalent(graph, after: passes, sourceLocation: sourceLocation)
      #expect(result.nodes.map(\.op.name) == expected, "\(result)", sourceLocation: sourceLocation)
      return result
    }
  }

  @Test("x·½·(1 + erf(x/√2)), the half on any factor, division or product", arguments: 0..<12)
  func erf(spelling: Int) throws {
    var b = Builder()
    let root = 2.0.squareRoot()
    let argument =
      try spelling % 2 == 0
      ? b.apply(Div(), b.x, b.number(root)) : b.apply(Mul(), b.number(1 / root), b.x)
    let erf = try b.apply(Erf(), argument)
    let y: ValueID
    switch spelling / 2 {
    case 0: y = try b.apply(Mul(), b.apply(Mul(), b.x, b.apply(Add(), erf, b.number(1))), b.number(0.5))
    case 1: y = try b.apply(Mul(), b.apply(Mul(), b.x, b.number(0.5)), b.apply(Add(), b.number(1), erf))
    case 2: y = try b.apply(Mul(), b.x, b.apply(Mul(), b.number(0.5), b.apply(Add(), b.number(1), erf)))
    case 3: y = try b.apply(Div(), b.apply(Mul(), b.apply(Add(), b.number(1), erf), b.x), b.number(2))
    case 4:
      y = try b.apply(Mul(), b.apply(Add(), b.apply(Mul(), erf, b.number(0.5)), b.number(0.5)), b.x)
    default: y = try b.apply(Mul(), b.apply(Div(), b.apply(Sub(), erf, b.number(-1)), b.number(2)), b.x)
    }
    let result = try b.check(y, ["Gelu"])
    #expect(result.nodes.first?.op(as: Gelu.self)?.approximate == false)
  }

  @Test("the tanh form, its cube as Pow, products or x·(1 + c·x²)", arguments: 0..<4)
  func tanh(spelling: Int) throws {
    var b = Builder()
    let (slope, cubic) = ((2 / Double.pi).squareRoot(), 0.044715)
    let inner: ValueID
    switch spelling {
    case 0:
      let cube = try b.apply(Pow(), b.x, b.number(3))
      let sum = try b.apply(Add(), b.x, b.apply(Mul(), cube, b.number(cubic)))
      inner = try b.apply(Mul(), b.number(slope), sum)
    case 1:
      let cube = try b.apply(Mul(), b.apply(Mul(), b.x, b.x), b.x)
      let sum = try b.apply(Add(), b.apply(Mul(), b.number(cubic), cube), b.x)
      inner = try b.apply(Mul(), sum, b.number(slope))
    case 2:
      let square = try b.apply(Mul(), b.apply(Mul(), b.number(cubic), b.x), b.x)
      let sum = try b.apply(Add(), b.number(1), square)
      inner = try b.apply(Mul(), b.apply(Mul(), b.x, b.number(slope)), sum)
    default:
      let square = try b.apply(Pow(), b.x, b.number(2))
      let line = try b.apply(Mul(), b.x, b.number(slope))
      let cube = try b.apply(Mul(), b.apply(Mul(), square, b.x), b.number(slope * cubic))
      inner = try b.apply(Sub(), line, b.apply(Neg(), cube))
    }
    let gate = try b.apply(Add(), b.apply(Tanh(), inner), b.number(1))
    let y = try b.apply(Mul(), b.apply(Mul(), b.number(0.5), b.x), gate)
    let result = try b.check(y, ["Gelu"])
    #expect(result.nodes.first?.op(as: Gelu.self)?.approximate == true)
  }

  @Test("another slope, shift or half is no GELU", arguments: 0..<3)
  func otherConstants(which: Int) throws {
    var b = Builder()
    let erf = try b.apply(Erf(), b.apply(Mul(), b.x, b.number(which == 0 ? 0.7 : 0.5.squareRoot())))
    let gate = try b.apply(Add(), erf, b.number(which == 1 ? 1.01 : 1))
    let y = try b.apply(Mul(), b.apply(Mul(), b.x, gate), b.number(which == 2 ? 0.51 : 0.5))
    b.graph.addOutput("y", y)
    let result = try expectEquivalent(b.graph, after: passes)
    #expect(!result.nodes.contains { $0.op is Gelu })
  }

  @Test("a second reader of the error function keeps it")
  func secondReader() throws {
    var b = Builder()
    let erf = try b.apply(Erf(), b.apply(Mul(), b.x, b.number(0.5.squareRoot())))
    let gate = try b.apply(Add(), erf, b.number(1))
    let y = try b.apply(Mul(), b.apply(Mul(), b.x, gate), b.number(0.5))
    b.graph.addOutput("erf", erf)
    b.graph.addOutput("y", y)
    let result = try expectEquivalent(b.graph, after: passes)
    #expect(!result.nodes.contains { $0.op is Gelu })
  }

  @Test("x·sigmoid(x) is SiLU, x·tanh(softplus(x)) Mish, in either order", arguments: [false, true])
  func silu(swapped: Bool) throws {
    for (gate, name) in [([Sigmoid()] as [any Operator], "Silu"), ([Softplus(), Tanh()], "Mish")] {
      var b = Builder()
      var value = b.x
      for op in gate { value = try b.apply(op, value) }
      _ = try b.check(swapped ? b.apply(Mul(), value, b.x) : b.apply(Mul(), b.x, value), [name])
    }
  }

  @Test("x·sigmoid(1.702·x) and 2·x·sigmoid(x) are not SiLU")
  func notSilu() throws {
    var b = Builder()
    let quick = try b.apply(Mul(), b.x, b.apply(Sigmoid(), b.apply(Mul(), b.x, b.number(1.702))))
    _ = try b.check(quick, ["Mul", "Sigmoid", "Mul"])
    var c = Builder()
    let double = try c.apply(Mul(), c.apply(Mul(), c.x, c.number(2)), c.apply(Sigmoid(), c.x))
    _ = try c.check(double, ["Mul", "Sigmoid", "Mul"])
  }
}
