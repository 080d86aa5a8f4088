import SepalGraph

extension LayoutFlip {
  /// The flip as a change to the graph.
  func rewrite() -> Rewrite {
    let composed = steps.flatMap { step in
      step.node.outputs.flatMap { readers[$0]?.transposes.map(\.node.id) ?? [] }
    }
    var rewrite = Rewrite(
      removing: steps.map(\.node.id) + dying + composed.filter { !dying.contains($0) }, exactness: exactness)
    var operands: [Source: Rewrite.Operand] = [:]
    for step in steps {
      let inputs = step.sources.map { source -> Rewrite.Operand? in
        guard let source else { return nil }
        if let known = operands[source] { return known }
        let operand = operand(source, &rewrite)
        operands[source] = operand
        return operand
      }
      let node = step.node
      let results = rewrite.nodes(
        step.commutation.op, name: node.name, inputs: inputs, outputCount: node.outputs.count,
        outputNames: node.outputs.map { "\(graph.value($0).name).reordered" })
      for (output, result) in zip(node.outputs, results) {
        operands[.flipped(output)] = result
        handOver(output, to: result, &rewrite)
      }
    }
    return rewrite
  }

  private func operand(_ source: Source, _ rewrite: inout Rewrite) -> Rewrite.Operand {
    switch source {
    case .existing(let x): return x.operand
    case .flipped: preconditionFailure("a flipped value is used before its node")
    case .moved(let x, let shape, let permutation, let rank):
      let name = graph.value(x).name
      let result = Array(permutation.applied(to: shape).suffix(rank))
      if let tensor = graph.constant(x) {
        if result == tensor.shape && permutation.isReshape(of: shape) { return x.operand }
        return rewrite.constant(name, tensor.reshaped(shape).transposed(by: permutation).reshaped(result))
      }
      let seen = graph.type(of: x).shape
      if permutation.isReshape(of: shape) {
        return result == seen
          ? x.operand : rewrite.node(Reshape(shape: result), name: "\(name).reshaped", inputs: [x.operand])
      }
      var operand = x.operand
      if shape != seen {
        operand = rewrite.node(Reshape(shape: shape), name: "\(name).reshaped", inputs: [operand])
      }
      operand = rewrite.transposed(operand, shape: shape, by: permutation, name: "\(name).transposed")
      if rank < shape.count {
        operand = rewrite.node(Reshape(shape: result), name: "\(name).squeezed", inputs: [operand])
      }
      return operand
    }
  }

  /// Lets the readers of `old` read `new`, directly or through a transpose.
  private func handOver(_ old: ValueID, to new: Rewrite.Operand, _ rewrite: inout Rewrite) {
    guard let order = orders[old], let readers = readers[old] else { return }
    let value = graph.value(old)
    let shape = order.inverse.applied(to: value.type.shape)
    if order.isIdentity {
      rewrite.replace(old, with: new)
    } else {
      rewrite.inheritOrigins(of: old, to: new, permutation: order.axes)
      if readers.needOldOrder {
        let back = rewrite.transposed(new, shape: shape, by: order, name: "\(value.name).transposed")
        rewrite.replace(old, with: back)
      }
    }
    for (node, whole) in readers.transposes {
      let result = rewrite.transposed(new, shape: shape, by: whole, name: node.name)
      rewrite.replace(node.output, with: result)
    }
  }
}
