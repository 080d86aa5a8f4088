import SepalTensor

extension Graph {
  /// Floating-point width of a reference evaluation.
  public enum EvaluationPrecision: Sendable {
    /// Every value is rounded to its declared type; sums inside an operator still run in `Double`.
    case declared
    /// All floating-point inputs and constants are widened to float64 and stay so.
    case double
  }

  /// Runs every node's reference evaluation in topological order. Values are dropped after their last reader.
  ///
  /// - Parameters:
  ///   - inputs: one tensor per graph input, by name, of the declared type (any float width under `.double`).
  ///   - observe: called with each node output as it is produced.
  /// - Returns: the graph outputs, by name.
  public func evaluate(
    _ inputs: [String: Tensor], precision: EvaluationPrecision = .declared,
    observing observe: (Value, Tensor) throws(GraphError) -> Void = { (_, _) throws(GraphError) in }
  ) throws(GraphError) -> [String: Tensor] {
    var live: [ValueID: Tensor] = [:]
    func widened(_ tensor: Tensor) -> Tensor {
      precision == .double && tensor.element.isFloat ? tensor.converted(to: .float64) : tensor
    }
    /// Under `.double` any float width stands for any other.
    func agrees(_ actual: TensorType, _ declared: TensorType) -> Bool {
      if precision == .double && actual.element.isFloat && declared.element.isFloat {
        return actual.shape == declared.shape
      }
      return actual == declared
    }
    for id in self.inputs {
      let value = value(id)
      guard let tensor = inputs[value.name] else {
        throw GraphError(node: name, op: "graph", message: "input '\(value.name)' was not given")
      }
      guard agrees(tensor.type, value.type) else {
        throw GraphError(
          node: name, op: "graph",
          message: "input '\(value.name)' is \(tensor.type), expected \(value.type)")
      }
      live[id] = widened(tensor)
    }
    var remaining: [ValueID: Int] = [:]
    for node in nodes {
      var operands: [Tensor?] = []
      for input in node.inputs {
        guard let input else {
          operands.append(nil)
          continue
        }
        guard let tensor = live[input] ?? value(input).constant.map(widened) else {
          throw GraphError(node: node.name, op: node.op.name, message: "operand is not available")
        }
        operands.append(tensor)
      }
      let results: [Tensor]
      do throws(OperatorError) {
        results = try node.op.evaluate(Inputs(operands))
      } catch {
        throw GraphError(node: node.name, op: node.op.name, message: error.message)
      }
      for (id, result) in zip(node.outputs, results) {
        guard agrees(result.type, type(of: id)) else {
          throw GraphError(
            node: node.name, op: node.op.name,
            message: "evaluated to \(result.type), inferred \(type(of: id))")
        }
        let tensor = widened(result)
        try observe(value(id), tensor)
        if value(id).useCount > 0 {
          live[id] = tensor
          remaining[id] = value(id).useCount
        }
      }
      for input in node.inputs {
        guard let input, let count = remaining[input] else { continue }
        remaining[input] = count - 1
        if count == 1 { live[input] = nil }
      }
    }
    var results: [String: Tensor] = [:]
    for output in outputs {
      results[output.name] = live[output.value] ?? value(output.value).constant.map(widened)
    }
    return results
  }
}
