import SepalGraph
import SepalPasses
import SepalTensor
import Testing

private let passes: Set = [
  "recognize-clip", "recognize-hard-sigmoid", "recognize-hard-swish",
]

/// Arithmetic on one input of shape 2×3, written tersely.
private struct Arithmetic {
  var graph = Graph()
  let x: ValueID
  private var count = 0

  init() { x = graph.addInput("x", TensorType(.float32, [2, 3])) }

  mutating func number(_ value: Double, shape: [Int] = []) -> ValueID {
    graph.addConstant("c\(graph.values.count)", Tensor(.float32, shape, doubles: [value]))
  }

  mutating func apply(_ op: any Operator, _ inputs: ValueID...) throws -> ValueID {
    count += 1
    return try graph.add(op, name: "n\(count)", inputs: inputs)[0]
  }

  /// Mutating, so that arguments that add nodes are evaluated first.
  mutating func result(_ y: ValueID) -> Graph {
    graph.addOutput("y", y)
    return graph
  }
}

@Suite("recognize-hard-swish, recognize-hard-sigmoid")
struct RecognizeHardSwishTests {
  /// A way to write x·relu6(x + 3)/6.
  struct Spelling: CustomTestStringConvertible, Sendable {
    enum Gate: CaseIterable { case clip, minOfRelu, maxOfMin, reluOfMin, clipOfRelu }
    enum Scale: CaseIterable {
      case dividesGate, multipliesGate, dividesProduct, multipliesProduct, multipliesX
    }
    var gate: Gate
    var scale: Scale
    /// One bit per choice of operand order.
    var orders: Int
    var testDescription: String { "\(gate) \(scale) \(orders)" }

    static let all = Gate.allCases.flatMap { gate in
      Scale.allCases.flatMap { scale in
        (0..<16).map { Spelling(gate: gate, scale: scale, orders: $0) }
      }
    }

    func graph(shift: Double = 3, limit: Double = 6, sixth: Double = 1.0 / 6) throws -> Graph {
      var a = Arithmetic()
      func ordered(_ bit: Int, _ pair: (ValueID, ValueID)) -> (ValueID, ValueID) {
        orders >> bit & 1 == 0 ? pair : (pair.1, pair.0)
      }
      func binary(
        _ op: any Operator, _ a: inout Arithmetic, _ bit: Int, _ l: ValueID, _ r: ValueID
      ) throws -> ValueID {
        let (l, r) = ordered(bit, (l, r))
        return try a.apply(op, l, r)
      }
      let sum = try binary(Add(), &a, 0, a.x, a.number(shift, shape: orders & 4 == 0 ? [] : [1, 1]))
      var clipped: ValueID
      switch gate {
      case .clip: clipped = try a.apply(Clip(min: 0, max: limit), sum)
      case .minOfRelu: clipped = try binary(Min(), &a, 1, a.apply(Relu(), sum), a.number(limit))
      case .maxOfMin:
        clipped = try binary(Max(), &a, 2, binary(Min(), &a, 1, sum, a.number(limit)), a.number(0))
      case .reluOfMin: clipped = try a.apply(Relu(), binary(Min(), &a, 1, sum, a.number(limit)))
      case .clipOfRelu: clipped = try a.apply(Clip(min: -1, max: limit), a.apply(Relu(), sum))
      }
      var factor = a.x
      switch scale {
      case .dividesGate: clipped = try a.apply(Div(), clipped, a.number(1 / sixth))
      case .multipliesGate: clipped = try binary(Mul(), &a, 2, clipped, a.number(sixth))
      case .multipliesX: factor = try binary(Mul(), &a, 2, factor, a.number(sixth))
      case .dividesProduct, .multipliesProduct: break
      }
      var y = try binary(Mul(), &a, 3, factor, clipped)
      switch scale {
      case .dividesProduct: y = try a.apply(Div(), y, a.number(1 / sixth))
      case .multipliesProduct: y = try binary(Mul(), &a, 2, y, a.number(sixth))
      default: break
      }
      return a.result(y)
    }
  }

  @Test("every spelling becomes one HardSwish", arguments: Spelling.all)
  func spellings(_ spelling: Spelling) throws {
    let graph = try expectEquivalent(spelling.graph(), after: passes)
    #expect(graph.nodes.map(\.op.name) == ["HardSwish"], "\(graph)")
  }

  @Test("HardSigmoid(1/6, 1/2)·x is a hard swish in either order", arguments: [false, true])
  func fromHardSigmoid(swapped: Bool) throws {
    var a = Arithmetic()
    let gate = try a.apply(HardSigmoid(alpha: Double(Float(1) / 6), beta: 0.5), a.x)
    let y = try swapped ? a.apply(Mul(), gate, a.x) : a.apply(Mul(), a.x, gate)
    let graph = try expectEquivalent(a.result(y), after: passes)
    #expect(
      graph.description == """
        input %x: float32[2x3]
        %n2 = HardSwish(%x) : float32[2x3]
        output y = %n2
        """)
  }

  @Test("HardSigmoid's default slope of 0.2 makes no hard swish")
  func defaultSlope() throws {
    var a = Arithmetic()
    let y = try a.apply(Mul(), a.x, a.apply(HardSigmoid(), a.x))
    let graph = try expectEquivalent(a.result(y), after: passes)
    #expect(graph.nodes.map(\.op.name) == ["HardSigmoid", "Mul"])
  }

  @Test(
    "other constants are left alone: tf-slim's 0.16667, another shift, another limit",
    arguments: [[3, 6, 0.16667], [2.5, 6, 1.0 / 6], [3, 5, 1.0 / 6], [3, 6, 0.2]] as [[Double]],
    Spelling.Scale.allCases)
  func otherConstants(_ constants: [Double], _ scale: Spelling.Scale) throws {
    let spelling = Spelling(gate: .clip, scale: scale, orders: 0)
    let source = try spelling.graph(shift: constants[0], limit: constants[1], sixth: constants[2])
    let graph = try expectEquivalent(source, after: passes)
    #expect(!graph.nodes.contains { $0.op is HardSwish })
  }

  @Test("one binary32 rounding more or less of the constant still counts", arguments: [-2, -1, 1, 2])
  func roundedConstant(ulps: Int) throws {
    let sixth = Float(1) / 6
    let spelling = Spelling(gate: .clip, scale: .multipliesGate, orders: 0)
    let graph = try expectEquivalent(
      spelling.graph(sixth: Double(sixth + Float(ulps) * sixth.ulp)), after: passes)
    #expect(graph.nodes.map(\.op.name) == ["HardSwish"])
  }

  @Test("a value that is read elsewhere or is an output stays", arguments: [true, false])
  func secondReader(isOutput: Bool) throws {
    var a = Arithmetic()
    let sum = try a.apply(Add(), a.x, a.number(3))
    let clip = try a.apply(Clip(min: 0, max: 6), sum)
    let gate = try a.apply(Div(), clip, a.number(6))
    let y = try a.apply(Mul(), a.x, gate)
    let other = try a.apply(Abs(), clip)
    var source = a.result(y)
    source.addOutput("other", isOutput ? clip : other)
    let graph = try expectEquivalent(source, after: passes)
    #expect(!graph.nodes.contains { $0.op is HardSwish || $0.op is HardSigmoid })
  }

  @Test("the gate of one value does not make a hard swish of another")
  func otherValue() throws {
    var a = Arithmetic()
    let z = try a.apply(Abs(), a.x)
    let gate = try a.apply(
      Div(), a.apply(Clip(min: 0, max: 6), a.apply(Add(), a.x, a.number(3))), a.number(6))
    let graph = try expectEquivalent(a.result(a.apply(Mul(), z, gate)), after: passes)
    #expect(graph.nodes.map(\.op.name).sorted() == ["Abs", "HardSigmoid", "Mul"])
  }

  @Test("constants of higher rank that widen the result prevent it")
  func wideningConstant() throws {
    var a = Arithmetic()
    let sum = try a.apply(Add(), a.x, a.number(3, shape: [1, 1, 1]))
    let y = try a.apply(Mul(), a.x, a.apply(Div(), a.apply(Clip(min: 0, max: 6), sum), a.number(6)))
    let graph = try expectEquivalent(a.result(y), after: passes)
    #expect(!graph.nodes.contains { $0.op is HardSwish })
  }

  @Test("relu6(x + 3)/6 alone is HardSigmoid(1/6, 1/2)", arguments: Spelling.Gate.allCases)
  func hardSigmoid(_ gate: Spelling.Gate) throws {
    var a = Arithmetic()
    let sum = try a.apply(Add(), a.x, a.number(3))
    let clipped =
      switch gate {
      case .clip: try a.apply(Clip(min: 0, max: 6), sum)
      case .minOfRelu: try a.apply(Min(), a.apply(Relu(), sum), a.number(6))
      case .maxOfMin: try a.apply(Max(), a.apply(Min(), sum, a.number(6)), a.number(0))
      case .reluOfMin: try a.apply(Relu(), a.apply(Min(), sum, a.number(6)))
      case .clipOfRelu: try a.apply(Clip(min: 0, max: 6), a.apply(Relu(), sum))
      }
    let graph = try expectEquivalent(a.result(a.apply(Div(), clipped, a.number(6))), after: passes)
    #expect(graph.nodes.count == 1)
    #expect(graph.nodes.first?.op(as: HardSigmoid.self).map { [$0.alpha, $0.beta] } == [1.0 / 6, 0.5])
  }

  @Test("Keras 2's clip(0.2·x + 0.5, 0, 1) is HardSigmoid(0.2, 0.5)")
  func kerasHardSigmoid() throws {
    var a = Arithmetic()
    let line = try a.apply(Add(), a.apply(Mul(), a.x, a.number(0.2)), a.number(0.5))
    let graph = try expectEquivalent(a.result(a.apply(Clip(min: 0, max: 1), line)), after: passes)
    let op = graph.nodes.first?.op(as: HardSigmoid.self)
    #expect(graph.nodes.count == 1 && op?.alpha == Double(Float(0.2)) && op?.beta == 0.5)
  }

  @Test("relu6(x)/6, its shift already in the bias before it, is HardSigmoid(1/6, 0)")
  func hardSigmoidWithoutShift() throws {
    var a = Arithmetic()
    let y = try a.apply(Mul(), a.apply(Clip(min: 0, max: 6), a.x), a.number(Double(Float(1) / 6)))
    let graph = try expectEquivalent(a.result(y), after: passes)
    #expect(graph.nodes.first?.op(as: HardSigmoid.self).map { [$0.alpha, $0.beta] } == [1.0 / 6, 0])
  }

  @Test("a Clip by itself, an unequal scale and a lower bound other than zero are no hard sigmoid")
  func notHardSigmoid() throws {
    var a = Arithmetic()
    let plain = try a.apply(Clip(min: 0, max: 1), a.x)
    let unequal = try a.apply(Mul(), a.apply(Clip(min: 0, max: 6), plain), a.number(0.16667))
    let offset = try a.apply(Div(), a.apply(Clip(min: 1, max: 6), unequal), a.number(6))
    let graph = try expectEquivalent(a.result(offset), after: ["recognize-hard-sigmoid"])
    #expect(!graph.nodes.contains { $0.op is HardSigmoid })
  }
}
