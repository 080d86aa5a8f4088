import SepalGraph
import SepalTensor

extension ExportRules {
  /// RNN-7.
  static func simpleRNN(_ op: SimpleRNN, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    try RecurrentExport(node, "RNN", [op.activation]).add(op, flag: nil)
  }

  /// GRU-7.
  static func gru(_ op: GRU, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    try RecurrentExport(node, "GRU", [op.recurrentActivation, op.activation]).add(
      op, flag: op.resetAfter)
  }

  /// LSTM-7.
  static func lstm(_ op: LSTM, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    try RecurrentExport(node, "LSTM", [op.recurrentActivation, op.activation, op.activation]).add(
      op, flag: nil)
  }
}

/// One direction of a recurrent layer. Sequences go steps first, the layout that every runtime has.
private struct RecurrentExport {
  private let node: NodeExport
  private let opType: String
  private var names: [String] = []
  private var alphas: [Double] = []
  private var betas: [Double] = []

  init(_ node: NodeExport, _ opType: String, _ functions: [GateFunction]) throws(ONNXError) {
    self.node = node
    self.opType = opType
    for function in functions { try append(function) }
  }

  private mutating func append(_ function: GateFunction) throws(ONNXError) {
    switch function {
    case .activation(.relu): names.append("Relu")
    case .activation(.tanh): names.append("Tanh")
    case .activation(.sigmoid): names.append("Sigmoid")
    case .softplus: names.append("Softplus")
    case .softsign: names.append("Softsign")
    case .activation(.elu(let alpha)):
      names.append("Elu")
      alphas.append(alpha)
    case .activation(.leakyRelu(let alpha)):
      names.append("LeakyRelu")
      alphas.append(alpha)
    case .activation(.hardSigmoid(let alpha, let beta)):
      names.append("HardSigmoid")
      alphas.append(alpha)
      betas.append(beta)
    default: throw node.unsupported("uses \(function), which ONNX has not inside a recurrent layer")
    }
  }

  /// - Parameter flag: GRU's `linear_before_reset`.
  func add(_ op: some RecurrentOperator, flag: Bool?) throws(ONNXError) -> [ExportedValue?] {
    let x = node.add(
      "Transpose", [node.input(0)], ["perm": .ints([1, 0, 2])], step: "steps_first")
    let (rows, hidden) = (node.type(2).shape[0], node.type(2).shape[1])
    let state = [1, node.type(0).shape[0], hidden]
    let operands: [ExportedValue?] = [
      x, node.input(1, reshaped: [1] + node.type(1).shape, step: "W"),
      node.input(2, reshaped: [1, rows, hidden], step: "R"), biases(rows: rows), nil,
      node.node.input(5).map { _ in node.input(5, reshaped: state, step: "initial_h") },
      node.node.input(6).map { _ in node.input(6, reshaped: state, step: "initial_c") },
    ]
    let read = node.node.outputs.indices.map { node.isRead(output: $0) }
    let results = node.addAll(
      opType, operands, attributes(hidden: hidden, reverse: op.reverse, flag), results: read)
    return results.enumerated().map { index, result in
      guard let result else { return nil }
      let type = node.graph.type(of: node.node.outputs[index])
      guard index == 0 else { return node.reshape(result, state, to: type.shape, step: "state\(index)") }
      let steps = [type.shape[1], type.shape[0], hidden]
      let sequence = node.reshape(result, [steps[0], 1, steps[1], hidden], to: steps, step: "sequence")
      return node.add("Transpose", [sequence], ["perm": .ints([1, 0, 2])], step: "batch_first")
    }
  }

  /// Both biases as `[1, 2·rows]`, or nil where there are none.
  private func biases(rows: Int) -> ExportedValue? {
    let given = [3, 4].map { node.node.input($0) }
    guard given.contains(where: { $0 != nil }) else { return nil }
    let element = node.outputType.element
    let tensors = [3, 4].map { index in
      given[index - 3] == nil ? Tensor(element, [rows], repeating: 0) : node.constant(index)
    }
    if let first = tensors[0], let second = tensors[1] {
      let both = Tensor(element, [1, 2 * rows], doubles: first.doubles() + second.doubles())
      return node.add(constant: both, step: "B")
    }
    let parts = [3, 4].map { index in
      given[index - 3] == nil
        ? node.add(constant: Tensor(element, [rows], repeating: 0), step: "zeros") : node.input(index)
    }
    let joined = node.add("Concat", parts, ["axis": .int(0)], step: "biases")
    return node.reshape(joined, [2 * rows], to: [1, 2 * rows], step: "B")
  }

  private func attributes(hidden: Int, reverse: Bool, _ flag: Bool?) -> ExportedAttributes {
    var attributes: ExportedAttributes = [
      "hidden_size": .int(hidden), "direction": .string(reverse ? "reverse" : "forward"),
      "activations": .strings(names),
    ]
    // Parameters are listed only for functions that have some.
    if !alphas.isEmpty { attributes.append("activation_alpha", .floats(alphas)) }
    if !betas.isEmpty { attributes.append("activation_beta", .floats(betas)) }
    if let flag { attributes.append("linear_before_reset", .int(flag ? 1 : 0)) }
    return attributes
  }
}
