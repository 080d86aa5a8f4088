import SepalGraph
import SepalTensor

/// What a rule sees of the node that it exports, and how it makes nodes of the model.
struct NodeExport {
  let node: Node
  let opset: Int
  let graph: Graph
  let model: ExportedModel

  /// An operand that must be there: the graph has been verified.
  func input(_ index: Int) -> ExportedValue {
    guard let input = optionalInput(index) else { preconditionFailure("operand \(index) is absent") }
    return input
  }

  /// Nil where the operand is left out. A constant becomes an initialiser when it is first asked for.
  func optionalInput(_ index: Int) -> ExportedValue? {
    node.input(index).map { model.value(of: $0, in: graph) }
  }

  /// All operands, in order.
  var inputs: [ExportedValue?] { node.inputs.indices.map(optionalInput) }

  func type(_ index: Int) -> TensorType {
    guard let input = node.input(index) else { preconditionFailure("operand \(index) is absent") }
    return graph.type(of: input)
  }

  /// The elements of an operand that is constant.
  func constant(_ index: Int) -> Tensor? { graph.constant(node.input(index)) }

  var outputType: TensorType { graph.type(of: node.output) }

  func isRead(output index: Int) -> Bool { graph.useCount(of: node.outputs[index]) > 0 }

  /// Adds a node with one result. Nodes that one operator becomes tell themselves apart by `step`; the one that stands
  /// for all goes without.
  func add(
    _ opType: String, _ inputs: [ExportedValue?], _ attributes: ExportedAttributes = [:],
    step: String? = nil
  ) -> ExportedValue {
    guard let result = addAll(opType, inputs, attributes, results: [true], step: step)[0] else {
      preconditionFailure("a node without a result")
    }
    return result
  }

  /// Adds a node with several results, of which some may be left out.
  func addAll(
    _ opType: String, _ inputs: [ExportedValue?], _ attributes: ExportedAttributes = [:],
    results: [Bool], step: String? = nil
  ) -> [ExportedValue?] {
    let name = label(step)
    let names = results.enumerated().map { index, isThere in
      isThere ? (index == 0 ? name : "\(name):\(index)") : nil
    }
    return model.addNode(opType, name: name, inputs: inputs, attributes: attributes, results: names)
  }

  func add(constant tensor: Tensor, step: String) -> ExportedValue {
    let name = "\(node.name)/\(step)"
    return tensor.byteCount <= 128
      ? model.addSharedInitializer(name, tensor) : model.addInitializer(name, tensor)
  }

  func add(scalar value: Double, _ element: ElementType, step: String) -> ExportedValue {
    add(constant: Tensor(element, [], doubles: [value]), step: step)
  }

  func add(integers values: [Int], step: String) -> ExportedValue {
    add(constant: Tensor([values.count], int64s: values.map { Int64($0) }), step: step)
  }

  /// Operand `index` under another shape: a constant takes it at once.
  func input(_ index: Int, reshaped shape: [Int], step: String) -> ExportedValue {
    if let tensor = constant(index), let id = node.input(index) {
      if tensor.shape == shape { return input(index) }
      return model.addInitializer(graph.value(id).name, tensor.reshaped(shape))
    }
    return reshape(input(index), type(index).shape, to: shape, step: step)
  }

  func reshape(_ x: ExportedValue, _ old: [Int], to shape: [Int], step: String) -> ExportedValue {
    old == shape ? x : add("Reshape", [x, add(integers: shape, step: "\(step)/shape")], step: step)
  }

  /// `x` of `rank` with the channels where ONNX has them.
  func channelsFirst(_ x: ExportedValue, _ layout: Layout, rank: Int, step: String) -> ExportedValue {
    guard layout == .channelsLast else { return x }
    return add(
      "Transpose", [x], ["perm": .ints(Layout.toChannelsFirst(rank: rank))], step: "\(step)/channels_first")
  }

  /// A channels-first result of `rank` in the operator's layout.
  func inLayout(_ y: ExportedValue, _ layout: Layout, rank: Int) -> ExportedValue {
    guard layout == .channelsLast else { return y }
    return add(
      "Transpose", [y], ["perm": .ints(Layout.toChannelsLast(rank: rank))], step: "channels_last")
  }

  /// What cannot be said in the chosen operator set.
  func unsupported(_ message: String) -> ONNXError {
    ONNXError(.unsupported, message, node: node.name, opType: node.op.name, opset: opset)
  }

  private func label(_ step: String?) -> String { step.map { "\(node.name)/\($0)" } ?? node.name }
}
