import SepalGraph
import SepalTensor

/// What a rule sees of the node that it imports.
struct NodeContext {
  let node: ONNXNode
  /// Values of the operands; nil where one is left out.
  let inputs: [ValueID?]
  private let importing: GraphImport

  init(_ node: ONNXNode, inputs: [ValueID?], importing: GraphImport) {
    self.node = node
    self.inputs = inputs
    self.importing = importing
  }

  /// Version of the operator set that the model imports, not of the operator's last change.
  var opset: Int { node.opset }

  /// An operand that must be there.
  func input(_ index: Int) throws(ONNXError) -> ValueID {
    guard let input = optionalInput(index) else { throw node.error(.invalid, "input \(index) is missing") }
    return input
  }

  func optionalInput(_ index: Int) -> ValueID? { index < inputs.count ? inputs[index] : nil }

  /// All operands of a variadic operator, which takes at least one and none may be left out.
  func allInputs() throws(ONNXError) -> [ValueID] {
    guard !inputs.isEmpty else { throw node.error(.invalid, "has no inputs") }
    var all: [ValueID] = []
    for index in inputs.indices { all.append(try input(index)) }
    return all
  }

  func type(of value: ValueID) -> TensorType { importing.graph.type(of: value) }

  /// The shape of an operand that must be there.
  func shape(_ index: Int) throws(ONNXError) -> [Int] { type(of: try input(index)).shape }

  /// The tensor of a value that is known at import.
  func constant(_ value: ValueID) -> Tensor? { importing.graph.constant(value) }

  /// Whether output `index` is read by anything.
  func isRead(output index: Int) -> Bool {
    index < node.outputs.count && importing.isRead(node.outputs[index])
  }

  /// Name for what this node becomes in the graph.
  var name: String {
    node.name.isEmpty ? node.outputs.first { !$0.isEmpty } ?? node.label : node.name
  }

  /// Adds an operator with one output. A node that becomes several operators tells them apart by `step`; the
  /// last one goes without.
  func add(_ op: any Operator, _ inputs: [ValueID?], step: String? = nil) throws(ONNXError) -> ValueID {
    try addAll(op, inputs, step: step)[0]
  }

  /// Adds an operator; all its outputs.
  func addAll(
    _ op: any Operator, _ inputs: [ValueID?], step: String? = nil
  ) throws(ONNXError) -> [ValueID] {
    try importing.add(op, inputs, name: label(step), for: node)
  }

  func add(constant tensor: Tensor, step: String? = nil) -> ValueID {
    importing.addConstant(tensor, name: label(step))
  }

  /// A scalar of `element`.
  func add(scalar value: Double, _ element: ElementType, step: String) -> ValueID {
    add(constant: Tensor(element, [], doubles: [value]), step: step)
  }

  /// `value` under another shape, or `value` itself where it has that shape already.
  func reshape(_ value: ValueID, to shape: [Int], step: String? = nil) throws(ONNXError) -> ValueID {
    try add(Reshape(shape: shape), [value], step: step)
  }

  /// A value of its own that equals `value`; a constant stands for itself.
  func identity(_ value: ValueID) throws(ONNXError) -> ValueID {
    constant(value) != nil ? value : try add(Identity(), [value])
  }

  private func label(_ step: String?) -> String { step.map { "\(name)/\($0)" } ?? name }
}
