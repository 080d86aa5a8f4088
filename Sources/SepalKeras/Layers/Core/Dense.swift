import SepalGraph

extension LayerRules {
  /// Dense on the last axis of a value of any rank: kernel [in, units].
  static func dense(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let input = try context.input()
    let shape = context.shape(of: input)
    guard shape.count >= 2, let features = shape.last else {
      throw KerasError(.invalid, "is called with \(context.type(of: input)), expected rank 2 or more")
    }
    // Keras 1 called it `output_dim`.
    let units = try context.size(context.spelling("units", "output_dim"))
    let hasBias = try context.hasBias()
    let variables = try context.variables(
      [VariableSpec("kernel", "W", shape: [features, units])]
        + (hasBias ? [VariableSpec("bias", "b", shape: [units])] : []))
    let kernel = try context.parameter("kernel", variables[0])
    var result: ValueID
    if shape.count == 2 {
      result = try context.add(
        Gemm(), [input, kernel, hasBias ? try context.parameter("bias", variables[1]) : nil],
        step: context.preactivation)
    } else {
      result = try context.add(MatMul(), [input, kernel], step: hasBias ? "matmul" : context.preactivation)
      if hasBias {
        result = try context.add(
          Add(), [result, try context.parameter("bias", variables[1])], step: context.preactivation)
      }
    }
    return [try context.activate(result)]
  }
}
