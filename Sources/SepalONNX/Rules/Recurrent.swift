import SepalGraph
import SepalTensor

extension ImportRules {
  /// RNN-7, -14, -22.
  static func rnn(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    try RecurrentNode(context, gates: SimpleRNN.gateCount, functions: ["Tanh"]).add {
      (functions, reverse) throws(ONNXError) in
      SimpleRNN(activation: functions[0], reverse: reverse)
    }
  }

  /// GRU-7, -14, -22.
  static func gru(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let resetAfter = try context.node.flag("linear_before_reset", default: false)
    return try RecurrentNode(context, gates: GRU.gateCount, functions: ["Sigmoid", "Tanh"]).add {
      (functions, reverse) throws(ONNXError) in
      GRU(
        activation: functions[1], recurrentActivation: functions[0], resetAfter: resetAfter, reverse: reverse)
    }
  }

  /// LSTM-7, -14, -22, without peepholes and coupled gates.
  static func lstm(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    if context.optionalInput(7) != nil {
      throw context.node.error(
        .unsupported, "is a peephole weight, which is not supported", tensor: context.node.inputs[7])
    }
    if try context.node.flag("input_forget", default: false) {
      throw context.node.error(.unsupported, "is 1, which is not supported", attribute: "input_forget")
    }
    return try RecurrentNode(context, gates: LSTM.gateCount, functions: ["Sigmoid", "Tanh", "Tanh"]).add {
      (functions, reverse) throws(ONNXError) in
      guard functions[1] == functions[2] else {
        throw context.node.error(
          .unsupported, "names different functions for the cell and the output, which is not supported",
          attribute: "activations")
      }
      return LSTM(activation: functions[1], recurrentActivation: functions[0], reverse: reverse)
    }
  }
}

/// What RNN, GRU and LSTM share: one operator of the graph per direction, and layouts on either side.
private struct RecurrentNode {
  private let context: NodeContext
  private let batchFirst: Bool
  /// Per direction: whether it runs backwards, and its functions.
  private let directions: [(reverse: Bool, functions: [GateFunction])]
  /// G·H.
  private let rows: Int
  private let hidden: Int

  init(_ context: NodeContext, gates: Int, functions defaults: [String]) throws(ONNXError) {
    self.context = context
    let node = context.node
    if node.has("clip") {
      throw node.error(.unsupported, "limits the gates, which is not supported", attribute: "clip")
    }
    batchFirst = try node.flag("layout", default: false)
    let reversed = try context.choice(
      "direction", default: "forward",
      ["forward": [false], "reverse": [true], "bidirectional": [false, true]])
    var functions = try GateFunctions(node, count: defaults.count * reversed.count, defaults: defaults)
    var directions: [(Bool, [GateFunction])] = []
    for reverse in reversed { directions.append((reverse, try functions.next(defaults.count))) }
    self.directions = directions

    let (x, weight, recurrent) = (try context.shape(0), try context.shape(1), try context.shape(2))
    hidden = recurrent.last ?? 0
    rows = gates * hidden
    let count = reversed.count
    guard x.count == 3, weight == [count, rows, x[2]], recurrent == [count, rows, hidden] else {
      throw node.error(
        .invalid,
        "x has shape \(x), W \(weight) and R \(recurrent), expected W [\(count), \(gates)·hidden, inputs] and R [\(count), \(gates)·hidden, hidden]"
      )
    }
    if let size = try node.int("hidden_size"), size != hidden {
      throw node.error(.invalid, "is \(size), but R has \(hidden)", attribute: "hidden_size")
    }
    let steps = batchFirst ? x[1] : x[0]
    if let lengths = try context.constantInts(4, "sequence_lens"), !lengths.allSatisfy({ $0 == steps }) {
      throw node.error(
        .unsupported, "ends sequences before step \(steps), which is not supported", tensor: node.inputs[4])
    }
    try require(3, "B", [count, 2 * rows])
    let batch = batchFirst ? x[0] : x[1]
    for (index, name) in [(5, "initial_h"), (6, "initial_c")] {
      try require(index, name, batchFirst ? [batch, count, hidden] : [count, batch, hidden])
    }
  }

  private func require(_ index: Int, _ name: String, _ shape: [Int]) throws(ONNXError) {
    guard let value = context.optionalInput(index), context.type(of: value).shape != shape else { return }
    throw context.node.error(
      .invalid, "is \(context.type(of: value)), but as '\(name)' it must have shape \(shape)",
      tensor: context.node.inputs[index])
  }

  /// Adds `make`'s operator for each direction and joins what they compute: Y, Y_h and, for an LSTM, Y_c.
  func add(
    _ make: (_ functions: [GateFunction], _ reverse: Bool) throws(ONNXError) -> any RecurrentOperator
  ) throws(ONNXError) -> [ValueID?] {
    var x = try context.input(0)
    if !batchFirst { x = try context.add(Transpose(permutation: [1, 0, 2]), [x], step: "batch_first") }
    var results: [[ValueID]] = []
    for (index, direction) in directions.enumerated() {
      let op = try make(direction.functions, direction.reverse)
      let step = direction.reverse ? "reverse" : "forward"
      let operands = [
        x, try part(1, index, 0..<rows, "\(step)/W"), try part(2, index, 0..<rows, "\(step)/R"),
        try part(3, index, 0..<rows, "\(step)/Wb"), try part(3, index, rows..<2 * rows, "\(step)/Rb"),
        try state(5, index, "\(step)/initial_h"), try state(6, index, "\(step)/initial_c"),
      ]
      results.append(try context.addAll(op, operands, step: step))
    }
    var outputs: [ValueID?] = []
    for output in results[0].indices {
      guard context.isRead(output: output) else {
        outputs.append(nil)
        continue
      }
      let name = ["Y", "Y_h", "Y_c"][output]
      var parts: [ValueID] = []
      for (result, direction) in zip(results, directions) {
        let step = "\(name)/\(direction.reverse ? "reverse" : "forward")"
        parts.append(try inLayout(result[output], isSequence: output == 0, step))
      }
      let axis = output == 0 ? (batchFirst ? 2 : 1) : (batchFirst ? 1 : 0)
      outputs.append(parts.count == 1 ? parts[0] : try context.add(Concat(axis: axis), parts, step: name))
    }
    return outputs
  }

  /// `value` of one direction with an axis for the directions.
  private func inLayout(_ value: ValueID, isSequence: Bool, _ step: String) throws(ONNXError) -> ValueID {
    var shape = context.type(of: value).shape
    guard isSequence else {
      shape.insert(1, at: batchFirst ? 1 : 0)
      return try context.reshape(value, to: shape, step: step)
    }
    if batchFirst {
      shape.insert(1, at: 2)
      return try context.reshape(value, to: shape, step: step)
    }
    let sequence = try context.add(Transpose(permutation: [1, 0, 2]), [value], step: "\(step)/time_first")
    return try context.reshape(sequence, to: [shape[1], 1, shape[0], shape[2]], step: step)
  }

  /// `rows` of the weights or biases `[directions, rows, …]` of one direction; constants are views of the whole.
  private func part(
    _ index: Int, _ direction: Int, _ rows: Range<Int>, _ step: String
  ) throws(ONNXError) -> ValueID? {
    guard let value = context.optionalInput(index) else { return nil }
    let type = context.type(of: value)
    let shape = [rows.count] + type.shape.dropFirst(2)
    guard let tensor = context.constant(value) else {
      let slice = Slice(
        axes: [0, 1], starts: [direction, rows.lowerBound], ends: [direction + 1, rows.upperBound],
        steps: [1, 1])
      return try context.reshape(
        try context.add(slice, [value], step: "\(step)/slice"), to: shape, step: step)
    }
    let first = (direction * type.shape[1] + rows.lowerBound) * type.shape.dropFirst(2).reduce(1, *)
    let view = Tensor(
      TensorType(type.element, shape), storage: tensor.storage,
      byteOffset: tensor.byteOffset + first * type.element.size)
    return context.add(constant: view, step: step)
  }

  /// The initial state of one direction, `[N, H]`.
  private func state(_ index: Int, _ direction: Int, _ step: String) throws(ONNXError) -> ValueID? {
    guard var value = context.optionalInput(index) else { return nil }
    let axis = batchFirst ? 1 : 0
    var shape = context.type(of: value).shape
    shape.remove(at: axis)
    if directions.count > 1 {
      let slice = Slice(axes: [axis], starts: [direction], ends: [direction + 1], steps: [1])
      value = try context.add(slice, [value], step: "\(step)/slice")
    }
    return try context.reshape(value, to: shape, step: step)
  }
}

/// The attributes `activations`, `activation_alpha` and `activation_beta`, read in order: a function takes a parameter
/// from each list only where it has one, as ONNX Runtime does.
private struct GateFunctions {
  private let node: ONNXNode
  private var names: ArraySlice<String>
  private var alphas, betas: ArraySlice<Float>

  init(_ node: ONNXNode, count: Int, defaults: [String]) throws(ONNXError) {
    self.node = node
    let repeated = Array(repeatElement(defaults, count: count / defaults.count).joined())
    names = (try node.strings("activations") ?? repeated)[...]
    guard names.count == count else {
      throw node.error(.invalid, "has \(names.count) values, expected \(count)", attribute: "activations")
    }
    alphas = (try node.floats("activation_alpha") ?? [])[...]
    betas = (try node.floats("activation_beta") ?? [])[...]
  }

  mutating func next(_ count: Int) throws(ONNXError) -> [GateFunction] {
    var functions: [GateFunction] = []
    for name in names.prefix(count) { functions.append(try function(name)) }
    names.removeFirst(count)
    return functions
  }

  private mutating func function(_ name: String) throws(ONNXError) -> GateFunction {
    switch name.lowercased() {
    case "relu": return .activation(.relu)
    case "tanh": return .tanh
    case "sigmoid": return .sigmoid
    case "softplus": return .softplus
    case "softsign": return .softsign
    case "elu": return .activation(.elu(alpha: try number(&alphas, 1, "activation_alpha")))
    case "leakyrelu":
      return .activation(.leakyRelu(alpha: try number(&alphas, 0.01, "activation_alpha")))
    case "hardsigmoid":
      let alpha = try number(&alphas, 0.2, "activation_alpha")
      return .activation(.hardSigmoid(alpha: alpha, beta: try number(&betas, 0.5, "activation_beta")))
    default:
      throw node.error(.unsupported, "names '\(name)', which is not supported", attribute: "activations")
    }
  }

  private func number(
    _ values: inout ArraySlice<Float>, _ standard: Double, _ attribute: String
  ) throws(ONNXError) -> Double {
    guard let value = values.popFirst() else { return standard }
    guard value.isFinite else { throw node.error(.invalid, "holds \(value)", attribute: attribute) }
    return Double(value)
  }
}
