import SepalGraph

extension Graph {
  /// Bounds that every element of `id` is known to keep (NaN aside), as far as a few producers tell.
  ///
  /// - Parameter inputs: the bounds of the graph's own inputs.
  func range(
    of id: ValueID, inputs: ClosedRange<Double>? = nil, depth: Int = 8
  ) -> ClosedRange<Double> {
    let unbounded = -Double.infinity...Double.infinity
    if let stated = inputs, self.inputs.contains(id) { return stated }
    guard depth > 0, let node = producer(of: id), type(of: id).element.isFloat else { return unbounded }
    func operandRange() -> ClosedRange<Double> {
      node.input(0).map { range(of: $0, inputs: inputs, depth: depth - 1) } ?? unbounded
    }
    switch node.op {
    case let op as any ActivatedOperator: return op.activation.range
    case let op as any ActivationOperator: return op.asActivation.range
    case is Abs, is Exp, is Sqrt: return 0...Double.infinity
    case is MaxPool, is GlobalMaxPool, is Identity, is Reshape, is Transpose, is Slice, is Split:
      return operandRange()
    case is AveragePool, is GlobalAveragePool:
      // A rounded mean may leave the bounds of its terms, but not change sign.
      return operandRange().lowerBound >= 0 ? 0...Double.infinity : unbounded
    default: return unbounded
    }
  }
}
