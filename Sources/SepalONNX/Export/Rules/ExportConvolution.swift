import SepalGraph
import SepalTensor

extension ExportRules {
  /// Conv-11; the residual is added behind it.
  static func conv(_ op: Conv, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    let rank = node.outputType.rank
    let operands = [
      node.channelsFirst(node.input(0), op.layout, rank: rank, step: "x"), node.input(1),
      node.optionalInput(2),
    ]
    var y = node.add(
      "Conv", operands,
      [
        "kernel_shape": .ints(Array(node.type(1).shape.dropFirst(2))), "strides": .ints(op.strides),
        "pads": .ints(op.padBegins + op.padEnds), "dilations": .ints(op.dilations), "group": .int(op.groups),
      ])
    if let residual = node.optionalInput(3) {
      let addend = node.channelsFirst(residual, op.layout, rank: rank, step: "residual")
      y = node.add("Add", [y, addend], step: "residual")
    }
    return [finished(y, op, op.layout, node)]
  }

  /// ConvTranspose-11.
  static func convTranspose(_ op: ConvTranspose, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    let x = node.channelsFirst(node.input(0), op.layout, rank: node.outputType.rank, step: "x")
    let y = node.add(
      "ConvTranspose", [x, node.input(1), node.optionalInput(2)],
      [
        "kernel_shape": .ints(Array(node.type(1).shape.dropFirst(2))), "strides": .ints(op.strides),
        "pads": .ints(op.padBegins + op.padEnds), "dilations": .ints(op.dilations),
        "output_padding": .ints(op.outputPadding), "group": .int(op.groups),
      ])
    return [finished(y, op, op.layout, node)]
  }

  /// Gemm-13.
  static func gemm(_ op: Gemm, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    [
      node.activated(
        "Gemm", node.inputs, op.activation,
        [
          "alpha": .float(op.alpha), "beta": .float(op.beta), "transA": .int(op.transA ? 1 : 0),
          "transB": .int(op.transB ? 1 : 0),
        ])
    ]
  }

  /// GlobalAveragePool, two 1×1 convolutions with their activations, Mul.
  static func squeezeExcite(_ op: SqueezeExcite, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    let rank = node.outputType.rank
    guard (3...5).contains(rank) else { throw node.unsupported("is of rank \(rank), expected 3 to 5") }
    let ones = [Int](repeating: 1, count: rank - 2)
    let x = node.channelsFirst(node.input(0), op.layout, rank: rank, step: "x")
    func dense(_ x: ExportedValue, _ weight: Int, _ activation: Activation, _ step: String) -> ExportedValue {
      let kernel = node.input(weight, reshaped: node.type(weight).shape + ones, step: "\(step)/weight")
      let y = node.add(
        "Conv", [x, kernel, node.optionalInput(weight + 1)], ["kernel_shape": .ints(ones)], step: step)
      return node.apply(activation, to: y, step: "\(step)/\(activation.parts.name)")
    }
    let pooled = node.add("GlobalAveragePool", [x], step: "pool")
    let gate = dense(dense(pooled, 1, op.inner, "reduce"), 3, op.gate, "expand")
    return [node.inLayout(node.add("Mul", [x, gate]), op.layout, rank: rank)]
  }

  /// `y` after the activation, in the operator's layout.
  private static func finished(
    _ y: ExportedValue, _ op: some ActivatedOperator, _ layout: Layout, _ node: NodeExport
  ) -> ExportedValue {
    let result = node.apply(op.activation, to: y, step: op.activation.parts.name)
    return node.inLayout(result, layout, rank: node.outputType.rank)
  }
}
