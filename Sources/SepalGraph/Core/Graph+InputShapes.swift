import SepalTensor

extension Graph {
  /// The same graph for another batch.
  ///
  /// Types are inferred anew; `Reshape`, `Expand` and `Resize` follow the batch where it leads what they make. Other extents of an
  /// input cannot change: padding and sizes were computed from them when the model was imported, and only its source says
  /// how.
  ///
  /// - Parameter shapes: by input name; inputs that are not named keep their shape.
  /// - Throws: `GraphError` naming the input, or the node that has no meaning for this batch.
  public func withInputShapes(_ shapes: [String: [Int]]) throws(GraphError) -> Graph {
    for name in shapes.keys.sorted() where !inputs.contains(where: { value($0).name == name }) {
      throw GraphError(node: name, op: "", message: "no input has this name")
    }
    var result = Graph(name: name)
    result.provenance = provenance
    // They are of other shapes.
    result.provenance.golden = []
    var copies: [ValueID: ValueID] = [:]
    for input in inputs {
      let value = value(input)
      let shape = shapes[value.name] ?? value.type.shape
      guard shape.dropFirst() == value.type.shape.dropFirst(), shape.count == value.type.rank,
        shape.allSatisfy({ $0 > 0 }),
        let count = TensorType.checkedCount(shape, elementSize: value.type.element.size),
        count <= TensorType.maximumByteCount / value.type.element.size
      else {
        throw GraphError(
          node: value.name, op: "",
          message:
            "is \(value.type); only its batch can change, not to \(shape). Import the source for other shapes"
        )
      }
      let copy = result.addInput(value.name, TensorType(value.type.element, shape))
      result.addOrigins(value.origins, to: copy)
      copies[input] = copy
    }
    for value in values where value.isConstant {
      guard let constant = value.constant else {
        throw GraphError(node: value.name, op: "", message: "the elements of this constant were discarded")
      }
      copies[value.id] = result.addConstant(value.name, constant, origins: value.origins)
    }
    for node in nodes {
      let inputs = node.inputs.map { $0.flatMap { copies[$0] } }
      let before = inputTypes(of: node).present.map(\.shape)
      let after = inputs.compactMap { $0.map { result.type(of: $0).shape } }
      let op = try before == after ? node.op : rebatched(node, from: before[0], to: after[0])
      let outputs = try result.add(
        op, name: node.name, inputs: inputs, outputNames: node.outputs.map { value($0).name })
      for (old, new) in zip(node.outputs, outputs) {
        result.addOrigins(value(old).origins, to: new)
        copies[old] = new
      }
    }
    for output in outputs {
      if let copy = copies[output.value] { result.addOutput(output.name, copy) }
    }
    return result
  }

  /// The operator of a node whose operands changed their batch.
  private func rebatched(_ node: Node, from old: [Int], to new: [Int]) throws(GraphError) -> any Operator {
    if let reshape = node.op(as: Reshape.self), reshape.shape.first == old.first {
      return Reshape(shape: [new[0]] + reshape.shape.dropFirst())
    }
    if var expand = node.op(as: Expand.self), expand.shape.count == new.count, expand.shape.first == old.first
    {
      expand.shape[0] = new[0]
      return expand
    }
    if var resize = node.op(as: Resize.self), resize.sizes.first == old.first {
      resize.sizes[0] = new[0]
      return resize
    }
    if node.op is Reshape || node.op is Expand {
      throw GraphError(
        node: node.name, op: node.op.name,
        message: "makes \(type(of: node.output)), in which the batch of its operand \(old) does not lead")
    }
    return node.op
  }
}
