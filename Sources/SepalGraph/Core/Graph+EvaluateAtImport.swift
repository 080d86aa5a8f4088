import SepalTensor

extension Graph {
  /// The outputs of `op` when all operands are small constants: shape arithmetic, mostly. Larger computations, and
  /// those whose cost the size of operands and results does not bound, stay in the graph for constant folding; so does
  /// everything once `budget`, in bytes, is used up, which no honest model comes near.
  package func evaluateAtImport(
    _ op: any Operator, _ inputs: [ValueID?], name: String, budget: inout Int
  ) throws(GraphError) -> [Tensor]? {
    let limit = 1024
    guard !(op is Conv), !(op is ConvTranspose), !(op is any PoolOperator), !(op is LRN) else { return nil }
    var operands: [Tensor?] = []
    for input in inputs {
      guard let input else {
        operands.append(nil)
        continue
      }
      guard let tensor = constant(input) else { return nil }
      operands.append(tensor)
    }
    // Another shape for the same bytes costs nothing, however many there are.
    if let reshape = op as? Reshape, let tensor = operands.first ?? nil,
      tensor.count == reshape.shape.reduce(1, *)
    {
      return [tensor.reshaped(reshape.shape)]
    }
    guard operands.allSatisfy({ ($0?.count ?? 0) <= limit }) else { return nil }
    do throws(OperatorError) {
      try Swift.type(of: op).schema.checkArity(inputs.map { $0 != nil })
      let types = try op.inferOutputs(Inputs(operands.map { $0?.type }))
      guard types.allSatisfy({ TensorType.checkedCount($0.shape).map { $0 <= limit } ?? false }) else {
        return nil
      }
      let bytes = types.reduce(0) { $0 + $1.byteCount }
      guard bytes <= budget else { return nil }
      budget -= bytes
      return try op.evaluate(Inputs(operands))
    } catch {
      throw GraphError(node: name, op: op.name, message: error.message)
    }
  }
}
