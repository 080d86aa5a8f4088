import SepalGraph
import SepalRuntime
import SepalTensor
import Testing

@Suite struct SessionTests {
  /// A small network with every kind of sharing: residuals, in-place candidates, aliases, two outputs.
  static func network(seed: Int) throws -> GraphMaker {
    var m = GraphMaker(seed: seed)
    var random = SplitMix(seed)
    func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    var values = [m.input([1 + seed % 2, 12, 11, 9])]
    var shape: [Int] { m.graph.type(of: values[values.count - 1]).shape }
    for _ in 0..<pick(6...14) {
      let x = values[values.count - 1]
      let channels = shape[3]
      let equals = values.filter { m.graph.type(of: $0).shape == shape }
      let other = equals[pick(0...equals.count - 1)]
      switch pick(0...7) {
      case 0:
        let output = pick(1...40)
        values.append(
          try m.add(
            Conv(layout: .channelsLast, activation: .relu),
            [x, m.weight([output, channels, 1, 1]), m.constant([output])]))
      case 1:
        values.append(
          try m.add(
            Conv(layout: .channelsLast), [x, m.weight([channels, channels, 1, 1]), nil, other]))
      case 2 where channels > 1:
        values.append(
          try m.add(
            Conv(
              padBegins: [1, 1], padEnds: [1, 1], groups: channels, layout: .channelsLast,
              activation: .hardSwish),
            [x, m.weight([channels, 1, 3, 3]), m.constant([channels])]))
      case 3: values.append(try m.add(Add(activation: .clip(min: -3, max: 3)), [x, other]))
      case 4: values.append(try m.add(Sigmoid(), [x]))
      case 5:
        let flat = try m.add(Reshape(shape: [shape[0] * shape[1] * shape[2], channels]), [x])
        values.append(try m.add(Reshape(shape: shape), [try m.add(Tanh(), [flat])]))
      case 6: values.append(try m.add(Mul(), [x, m.constant([channels])]))
      default:
        values.append(
          try m.add(
            Conv(padBegins: [1, 0], padEnds: [1, 2], layout: .channelsLast),
            [x, m.weight([channels, channels, 3, 3]), nil]))
      }
    }
    m.output(values[values.count - 1])
    m.output(values[pick(0...values.count - 1)], name: "other")
    return m
  }

  @Test("random networks equal the reference", arguments: 0..<40)
  func random(seed: Int) throws {
    var m = try Self.network(seed: seed)
    try expectSessionMatchesReference(&m, kernel: nil, tolerance: 1e-5, "seed \(seed)")
  }

  @Test("every number of threads gives the same bits", arguments: 0..<8)
  func threads(seed: Int) throws {
    var m = try Self.network(seed: seed)
    let x = m.graph.outputs[0].value
    // Enough work that steps are really shared.
    let channels = m.graph.type(of: x).shape[3]
    let wide = try m.add(
      Conv(layout: .channelsLast, activation: .silu), [x, m.weight([200, channels, 1, 1]), nil])
    let deep = try m.add(
      Conv(padBegins: [1, 1], padEnds: [1, 1], layout: .channelsLast),
      [wide, m.weight([64, 200, 3, 3]), nil])
    let pooled = try m.add(GlobalAveragePool(layout: .channelsLast, keepDims: false), [deep])
    m.output(try m.add(Gemm(), [pooled, m.constant([64, 1000]), m.constant([1000])]), name: "logits")
    let feeds = m.feeds()
    let single = try Model(m.graph).makeSession().run(inputs: feeds)
    for threads in 2...4 {
      let model = try Model(m.graph, options: ModelOptions(threads: threads))
      #expect(model.plan.steps.contains { $0.threads > 1 })
      let session = model.makeSession()
      for _ in 0..<5 {
        let shared = try session.run(inputs: feeds)
        for (name, tensor) in single {
          #expect(shared[name]?.isIdentical(to: tensor) == true, "\(threads) threads, '\(name)'")
        }
      }
    }
  }

  @Test("observing sees every node's outputs and changes nothing", arguments: 0..<8)
  func observing(seed: Int) throws {
    var m = try Self.network(seed: seed)
    let feeds = m.feeds()
    var options = ModelOptions()
    options.fusesSegments = false
    let session = try Model(m.graph, options: options).makeSession()
    let plain = try session.run(inputs: feeds)
    var seen: [ValueID: Tensor] = [:]
    let observed = try session.run(inputs: feeds) { seen[$0] = $1 }
    #expect(Set(seen.keys) == Set(m.graph.nodes.flatMap(\.outputs)))
    for (name, tensor) in plain { #expect(observed[name]?.isIdentical(to: tensor) == true) }
    var reference: [ValueID: Tensor] = [:]
    _ = try m.graph.evaluate(feeds, precision: .double) { (value, tensor) throws(GraphError) in
      reference[value.id] = tensor
    }
    for (id, tensor) in reference {
      let (worst, scale) = distance(tensor, seen[id]) ?? (.infinity, 0)
      #expect(worst <= 1e-5 * scale, "value \(m.graph.value(id).name) differs by \(worst)")
    }
  }

  @Test("observing a model with segments sees what its steps hand over, all of it right", arguments: 0..<8)
  func observingSegments(seed: Int) throws {
    var m = try Self.network(seed: seed)
    let feeds = m.feeds()
    var options = ModelOptions()
    options.segmentWay = .rows(2)
    let model = try Model(m.graph, options: options)
    let session = model.makeSession()
    let plain = try session.run(inputs: feeds)
    var seen: [ValueID: Tensor] = [:]
    let observed = try session.run(inputs: feeds) { seen[$0] = $1 }
    for (name, tensor) in plain { #expect(observed[name]?.isIdentical(to: tensor) == true) }
    #expect(seen.count == model.plan.steps.count { !$0.nodes.isEmpty })
    _ = try m.graph.evaluate(feeds, precision: .double) { (value, tensor) throws(GraphError) in
      guard let actual = seen[value.id] else { return }
      let (worst, scale) = distance(tensor, actual) ?? (.infinity, 0)
      #expect(worst <= 1e-5 * scale, "value \(value.name) differs by \(worst)")
    }
  }

  @Test("input buffers keep their values from run to run")
  func inputBuffers() throws {
    var m = GraphMaker()
    let x = m.input([5])
    m.output(try m.add(Relu(), [try m.add(Neg(), [try m.add(Relu(), [x])])]))
    let session = try Model(m.graph).makeSession()
    let input = try session.inputBuffer("x").bindMemory(to: Float.self)
    for (index, value) in [-1, 2, 3, -4, 5].enumerated() { input[index] = Float(value) }
    for _ in 0..<3 {
      try session.execute()
      #expect(Array(input) == [-1, 2, 3, -4, 5])
      let result = session.withOutput("y") { Array($0.bindMemory(to: Float.self)) }
      #expect(result == [0, 0, 0, 0, 0])
    }
  }

  @Test("inputs and constants may be outputs")
  func passThrough() throws {
    var m = GraphMaker()
    let x = m.input([2, 3])
    m.output(x, name: "same")
    m.output(try m.add(Reshape(shape: [6]), [x]), name: "flat")
    m.output(m.constant([4]), name: "constant")
    try expectSessionMatchesReference(&m, kernel: nil, tolerance: 0)
  }

  @Test("two sessions of one model do not disturb each other")
  func sessions() throws {
    var m = try Self.network(seed: 3)
    let (first, second) = (m.feeds(), m.feeds())
    let model = try Model(m.graph, options: ModelOptions(threads: 2))
    let (a, b) = (model.makeSession(), model.makeSession())
    let before = try a.run(inputs: first)
    _ = try b.run(inputs: second)
    let after = try a.run(inputs: first)
    for (name, tensor) in before { #expect(after[name]?.isIdentical(to: tensor) == true) }
  }

  @Test("elementwise chains run in place")
  func inPlace() throws {
    var m = GraphMaker()
    var x = m.input([1, 100])
    for _ in 0..<10 { x = try m.add(Tanh(), [x]) }
    m.output(x)
    // The input keeps its own memory, everything after shares one buffer.
    #expect(try Model(m.graph).plan.arenaBytes == 2 * 448)
    try expectSessionMatchesReference(&m, kernel: "activation")
  }
}

@Suite struct RuntimeErrorTests {
  static func session() throws -> Session {
    var m = GraphMaker()
    let x = m.input([1, 4])
    m.output(try m.add(Relu(), [x]))
    return try Model(m.graph).makeSession()
  }

  static func error(_ inputs: [String: Tensor]) throws -> RuntimeError? {
    let session = try session()
    do {
      _ = try session.run(inputs: inputs)
      return nil
    } catch {
      return error
    }
  }

  @Test("wrong inputs are named with what was expected and what came")
  func inputs() throws {
    let good = Tensor([1, 4], floats: [1, 2, 3, 4])
    #expect(try Self.error(["x": good]) == nil)
    let missing = try Self.error([:])
    #expect(missing?.code == .missingInput)
    #expect(missing?.message == "input 'x' was not given, expected float32[1x4]")
    let shape = try Self.error(["x": good.reshaped([4])])
    #expect(shape?.code == .inputMismatch)
    #expect(shape?.message == "input 'x' is float32[4], expected float32[1x4]")
    let element = try Self.error(["x": good.converted(to: .float64)])
    #expect(element?.message == "input 'x' is float64[1x4], expected float32[1x4]")
    let unknown = try Self.error(["x": good, "z": good])
    #expect(unknown?.code == .unknownName)
    #expect(unknown?.message == "no input is named 'z', the inputs are 'x'")
  }

  @Test("a reference that refuses its values stops the run, names its node, and the session recovers")
  func reference() throws {
    for threads in [1, 2] {
      var m = GraphMaker()
      let table = m.constant([3])
      let index = m.graph.addInput("i", TensorType(.int64, [1]))
      let picked = try m.add(Gather(axis: 0), [table, index])
      m.output(try m.add(Relu(), [picked]))
      let session = try Model(m.graph, options: ModelOptions(threads: threads)).makeSession()
      #expect {
        _ = try session.run(inputs: ["i": Tensor([1], int64s: [7])])
      } throws: { error in
        guard let error = error as? RuntimeError else { return false }
        return error.code == .operatorFailed && error.node == m.graph.nodes[0].name
          && error.message.contains("(Gather)")
      }
      #expect(throws: Never.self) { _ = try session.run(inputs: ["i": Tensor([1], int64s: [2])]) }
    }
  }

  @Test("activations beyond the limit are refused, not allocated")
  func tooLarge() throws {
    var m = GraphMaker()
    let x = m.input([1])
    let huge = try m.add(Expand(shape: [(1 << 31) + 16]), [x])
    m.output(try m.add(Relu(), [huge]))
    #expect {
      _ = try Model(m.graph)
    } throws: { ($0 as? RuntimeError)?.code == .tooLarge }
  }

  @Test("an instruction set that this machine lacks is refused")
  func instructionSet() throws {
    var m = GraphMaker()
    m.output(m.input([1]))
    for isa in InstructionSet.allCases where !isa.isAvailable {
      #expect {
        _ = try Model(m.graph, options: ModelOptions(instructionSet: isa))
      } throws: { ($0 as? RuntimeError)?.code == .unavailableInstructionSet }
    }
    #expect(InstructionSet.portable.isAvailable)
  }
}
