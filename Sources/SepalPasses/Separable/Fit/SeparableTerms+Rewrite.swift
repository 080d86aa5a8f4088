import SepalGraph
import SepalTensor

extension SeparableTerms {
  /// The convolution `node` as depthwise and pointwise convolutions: the sum so far is each pointwise one's residual. The
  /// spatial parts have the strides, padding and dilations; the node's own residual comes first, bias and activation
  /// last.
  ///
  /// Terms are wired one after the other rather than as one depthwise convolution with several filters per channel:
  /// those would be read row by row out of blocks that hold other channels.
  func rewrite(_ node: Node, _ conv: Conv, weight: TensorType, exactness: Exactness) -> Rewrite {
    var rewrite = Rewrite(removing: [node.id], exactness: exactness)
    let (outputs, inputs) = (weight.shape[0], weight.shape[1])
    let kernel = Array(weight.shape.dropFirst(2))
    var sum = node.input(3)?.operand
    for (term, (filter, matrix)) in zip(filters, matrices).enumerated() {
      let suffix = filters.count > 1 ? "\(term + 1)" : ""
      let isLast = term == filters.count - 1
      let spatialWeight = rewrite.constant(
        "\(node.name).spatial\(suffix).weight", Tensor([inputs, 1] + kernel, floats: filter.map(Float.init)))
      let spatial = rewrite.node(
        Self.spatial(conv, inputs), name: "\(node.name).spatial\(suffix)",
        inputs: [node.input(0)?.operand, spatialWeight])
      let matrixWeight = rewrite.constant(
        "\(node.name).pointwise\(suffix).weight",
        Tensor([outputs, inputs] + kernel.map { _ in 1 }, floats: matrix.map(Float.init)))
      var operands: [Rewrite.Operand?] = [spatial, matrixWeight, nil, sum]
      if isLast {
        operands[2] = rewrite.constant(
          "\(node.name).pointwise\(suffix).bias", Tensor([outputs], floats: bias.map(Float.init)))
      }
      let activation = isLast ? conv.activation : .identity
      sum =
        rewrite.node(
          Self.pointwise(conv, activation), name: "\(node.name).pointwise\(suffix)", inputs: operands)
    }
    if let sum { rewrite.replace(node.output, with: sum) }
    return rewrite
  }

  private static func spatial(_ conv: Conv, _ inputs: Int) -> Conv {
    var spatial = conv
    spatial.groups = inputs
    spatial.activation = .identity
    return spatial
  }

  private static func pointwise(_ conv: Conv, _ activation: Activation) -> Conv {
    let axes = conv.strides.count
    let (ones, zeros) = ([Int](repeating: 1, count: axes), [Int](repeating: 0, count: axes))
    return Conv(
      strides: ones, padBegins: zeros, padEnds: zeros, dilations: ones, layout: conv.layout,
      activation: activation)
  }

  /// The convolution by itself, as it is (`terms` 0) or in so many terms, with zeros for weights: for a cost model.
  static func sketch(_ node: Node, _ conv: Conv, in graph: Graph, terms: Int) throws(GraphError) -> Graph {
    var sketch = Graph(name: node.name)
    guard let weight = node.input(1).map({ graph.type(of: $0) }), let input = node.input(0) else {
      return sketch
    }
    let (outputs, inputs) = (weight.shape[0], weight.shape[1])
    func zeros(_ shape: [Int]) -> Tensor { Tensor(TensorType(.float32, shape)) { _ in } }
    let x = sketch.addInput("x", graph.type(of: input))
    let bias = sketch.addConstant("bias", zeros([outputs]))
    var sum = node.input(3).map { sketch.addInput("residual", graph.type(of: $0)) }
    if terms == 0 {
      let dense = sketch.addConstant("weight", zeros(weight.shape))
      sum = try sketch.add(conv, name: "dense", inputs: [x, dense, bias, sum])[0]
    }
    for term in 0..<terms {
      let kernel = Array(weight.shape.dropFirst(2))
      let filters = sketch.addConstant("filters\(term)", zeros([inputs, 1] + kernel))
      let matrix = sketch.addConstant("matrix\(term)", zeros([outputs, inputs] + kernel.map { _ in 1 }))
      let features = try sketch.add(spatial(conv, inputs), name: "spatial\(term)", inputs: [x, filters])[0]
      let isLast = term == terms - 1
      let last = pointwise(conv, isLast ? conv.activation : .identity)
      sum = try sketch.add(
        last, name: "pointwise\(term)", inputs: [features, matrix, isLast ? bias : nil, sum])[0]
    }
    if let sum { sketch.addOutput("y", sum) }
    return sketch
  }
}
