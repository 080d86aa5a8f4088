import SepalGraph
import SepalTensor

extension NodeExport {
  /// A node, and `activation` of its result where there is one.
  func activated(
    _ opType: String, _ inputs: [ExportedValue?], _ activation: Activation,
    _ attributes: ExportedAttributes = [:]
  ) -> ExportedValue {
    apply(activation, to: add(opType, inputs, attributes), step: "\(activation.parts.name)")
  }

  /// `activation` of x, of the element type of the first result. `step` nil: it is all that the operator does.
  func apply(_ activation: Activation, to x: ExportedValue, step: String?) -> ExportedValue {
    let element = outputType.element
    func inner(_ name: String) -> String { step.map { "\($0)/\(name)" } ?? name }
    func scalar(_ value: Double, _ name: String) -> ExportedValue {
      add(scalar: value, element, step: inner(name))
    }
    switch activation {
    case .identity: return x
    case .relu: return add("Relu", [x], step: step)
    case .clip(let low, let high):
      let bounds = [
        low == -.infinity ? nil : scalar(low, "min"), high == .infinity ? nil : scalar(high, "max"),
      ]
      return bounds.allSatisfy { $0 == nil } ? x : add("Clip", [x] + bounds, step: step)
    case .leakyRelu(let alpha): return add("LeakyRelu", [x], ["alpha": .float(alpha)], step: step)
    case .elu(let alpha): return add("Elu", [x], ["alpha": .float(alpha)], step: step)
    case .hardSigmoid(let alpha, let beta):
      return add("HardSigmoid", [x], ["alpha": .float(alpha), "beta": .float(beta)], step: step)
    case .hardSwish:
      if opset >= 14 { return add("HardSwish", [x], step: step) }
      let gate = add(
        "HardSigmoid", [x], ["alpha": .float(1.0 / 6), "beta": .float(0.5)], step: inner("gate"))
      return add("Mul", [x, gate], step: step)
    case .sigmoid: return add("Sigmoid", [x], step: step)
    case .silu:
      if opset >= 24 { return add("Swish", [x], step: step) }
      return add("Mul", [x, add("Sigmoid", [x], step: inner("gate"))], step: step)
    case .tanh: return add("Tanh", [x], step: step)
    case .gelu:
      if opset >= 20 { return add("Gelu", [x], step: step) }
      let scaled = add("Div", [x, scalar(2.0.squareRoot(), "sqrt2")], step: inner("scaled"))
      let erf = add("Erf", [scaled], step: inner("erf"))
      let gate = add("Add", [erf, scalar(1, "one")], step: inner("gate"))
      let product = add("Mul", [x, gate], step: inner("product"))
      return add("Mul", [product, scalar(0.5, "half")], step: step)
    case .geluTanh:
      if opset >= 20 { return add("Gelu", [x], ["approximate": .string("tanh")], step: step) }
      let cube = add("Mul", [add("Mul", [x, x], step: inner("square")), x], step: inner("cube"))
      let term = add("Mul", [cube, scalar(0.044715, "coefficient")], step: inner("term"))
      let sum = add("Add", [x, term], step: inner("sum"))
      let scaled = add("Mul", [sum, scalar((2 / Double.pi).squareRoot(), "scale")], step: inner("scaled"))
      let gate = add(
        "Add", [add("Tanh", [scaled], step: inner("tanh")), scalar(1, "one")], step: inner("gate"))
      let product = add("Mul", [x, gate], step: inner("product"))
      return add("Mul", [product, scalar(0.5, "half")], step: step)
    }
  }
}

extension ExportRules {
  /// For operators that can be fused as an activation.
  static let activation: Rule = { (node) throws(ONNXError) in
    guard let op = node.node.op as? any ActivationOperator else {
      preconditionFailure("the rule is for activations")
    }
    return [node.apply(op.asActivation, to: node.input(0), step: nil)]
  }

  /// Mish-18; before, x·tanh(softplus(x)).
  static let mish: Rule = { (node) throws(ONNXError) in
    let x = node.input(0)
    if node.opset >= 18 { return [node.add("Mish", [x])] }
    let gate = node.add("Tanh", [node.add("Softplus", [x], step: "softplus")], step: "gate")
    return [node.add("Mul", [x, gate])]
  }
}
