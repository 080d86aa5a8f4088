import SepalGraph
import SepalTensor

/// The nodes that compute a layer from the products that its kernel is a sum of.
///
/// Strides, padding and dilation belong to the factor with the taps; bias and activation to the last node; the sum so
/// far, or the layer's own residual, is added by each term. Where channels have ranks of their own, one depthwise
/// convolution reads each as often as its rank says.
struct SeparableWiring {
  let layer: SeparableLayer
  let structure: SeparableStructure

  /// Whether sums of several products can be added up: a transposed convolution takes no residual.
  static func canAddUp(_ layer: SeparableLayer, _ structure: SeparableStructure) -> Bool {
    if case .transposed = layer.kind { return structure == .depthwisePointwise }
    return true
  }

  /// - Parameters:
  ///   - operands: the layer's x, bias and residual.
  ///   - constant: makes a constant; `node` makes a node with one output.
  func wire<Operand, E: Error>(
    _ products: [KernelProduct], x: Operand, bias: Operand?, residual: Operand?,
    constant: (String, Tensor) -> Operand,
    node: (any Operator, String, [Operand?]) throws(E) -> Operand
  ) throws(E) -> Operand? {
    var sum = residual
    for (term, product) in products.enumerated() {
      let isLast = term == products.count - 1
      let (first, second) = operators(product, activation: isLast ? activation : .identity)
      let suffix = products.count > 1 ? "\(term + 1)" : ""
      let (firstName, secondName) = (
        "\(layer.node.name).\(roles.first)\(suffix)", "\(layer.node.name).\(roles.second)\(suffix)"
      )
      var source = x
      if let channels = product.channels {
        let indices = Tensor([channels.count], int64s: channels.map(Int64.init))
        let name = "\(layer.node.name).channels"
        source = try node(Gather(axis: channelAxis), name, [x, constant("\(name).indices", indices)])
      }
      let middle = try node(
        first, firstName,
        [source, constant("\(firstName).weight", product.first.tensor(isTransposed: first is ConvTranspose))])
      var operands: [Operand?] = [
        middle,
        constant("\(secondName).weight", product.second.tensor(isTransposed: second is ConvTranspose)),
        isLast ? bias : nil,
      ]
      if second is Conv { operands.append(sum) }
      sum = try node(second, isLast ? layer.node.name : secondName, operands)
    }
    return sum
  }

  /// The layer as these products; nil where it has no such parts.
  ///
  /// - Parameter bias: makes another one than the layer's.
  func rewrite(
    _ products: [KernelProduct], exactness: Exactness, bias: ((inout Rewrite) -> Rewrite.Operand)? = nil
  ) -> Rewrite? {
    let node = layer.node
    guard let x = node.input(0)?.operand else { return nil }
    var rewrite = Rewrite(removing: [node.id], exactness: exactness)
    let bias = bias?(&rewrite) ?? node.input(2)?.operand
    let output = wire(products, x: x, bias: bias, residual: node.input(3)?.operand) { name, tensor in
      rewrite.constant(name, tensor)
    } node: { op, name, inputs in
      rewrite.node(op, name: name, inputs: inputs)
    }
    guard let output else { return nil }
    rewrite.replace(node.output, with: output)
    return rewrite
  }

  private var activation: Activation {
    switch layer.kind {
    case .convolution(let op): op.activation
    case .transposed(let op): op.activation
    case .dense(let op): op.activation
    }
  }

  private var channelAxis: Int {
    switch layer.kind {
    case .convolution(let op): op.layout == .channelsFirst ? 1 : layer.input.rank - 1
    case .transposed(let op): op.layout == .channelsFirst ? 1 : layer.input.rank - 1
    case .dense: layer.input.rank - 1
    }
  }

  private var roles: (first: String, second: String) {
    switch structure {
    case .depthwisePointwise: ("depthwise", "pointwise")
    case .pointwiseDepthwise: ("pointwise", "depthwise")
    case .spatial: ("column", "row")
    case .spatialReversed: ("row", "column")
    case .lowRank: ("narrow", "wide")
    }
  }

  private func operators(_ product: KernelProduct, activation: Activation) -> (any Operator, any Operator) {
    switch layer.kind {
    case .dense:
      return (Gemm(transB: true), Gemm(transB: true, activation: activation))
    case .transposed(let op):
      var spatial = op
      let point = Conv(
        strides: op.strides.map { _ in 1 }, padBegins: op.strides.map { _ in 0 },
        padEnds: op.strides.map { _ in 0 }, dilations: op.strides.map { _ in 1 }, layout: op.layout)
      if structure == .depthwisePointwise {
        (spatial.groups, spatial.activation) = (product.first.groups, .identity)
        return (spatial, finished(point, product.second, activation))
      }
      (spatial.groups, spatial.activation) = (product.second.groups, activation)
      return (finished(point, product.first, .identity), spatial)
    case .convolution(let op):
      let axes = op.strides.indices
      let first = axes.map { axis in
        switch structure {
        case .spatial: axis == 0
        case .spatialReversed: axis != 0
        case .pointwiseDepthwise: false
        case .depthwisePointwise, .lowRank: true
        }
      }
      return (
        finished(part(of: op, first), product.first, .identity),
        finished(part(of: op, first.map { !$0 }), product.second, activation)
      )
    }
  }

  /// `op` along the axes that are `own`, a single tap along the others.
  private func part(of op: Conv, _ own: [Bool]) -> Conv {
    func values(_ values: [Int], otherwise: Int) -> [Int] {
      zip(values, own).map { $1 ? $0 : otherwise }
    }
    return Conv(
      strides: values(op.strides, otherwise: 1), padBegins: values(op.padBegins, otherwise: 0),
      padEnds: values(op.padEnds, otherwise: 0), dilations: values(op.dilations, otherwise: 1),
      layout: op.layout)
  }

  private func finished(_ op: Conv, _ factor: KernelFactor, _ activation: Activation) -> Conv {
    var op = op
    (op.groups, op.activation) = (factor.groups, activation)
    return op
  }

  /// The layer by itself: as it is, in parts, or as a convolution of so many groups. What it costs depends on no weight: they are zeros.
  func graph(_ products: [KernelProduct]? = nil, groups: Int? = nil) -> Graph? {
    let node = layer.node
    var graph = Graph(name: node.name)
    let x = graph.addInput("x", layer.input)
    let residual = node.input(3).map { _ in graph.addInput("residual", layer.output) }
    let bias = node.input(2).map { _ in
      graph.addConstant("bias", Tensor(TensorType(.float32, [layer.outputs])) { _ in })
    }
    let output: ValueID?
    do throws(GraphError) {
      if let products {
        var made = graph
        output = try wire(products, x: x, bias: bias, residual: residual) { name, tensor in
          made.addConstant(name, tensor)
        } node: { (op, name, inputs) throws(GraphError) in
          try made.add(op, name: name, inputs: inputs)[0]
        }
        graph = made
      } else {
        var op = node.op
        let groups = groups ?? layer.groups
        op = op.grouped(groups)
        let whole = KernelFactor(
          outputs: layer.outputs, inputsPerGroup: layer.inputs / groups, groups: groups, kernel: layer.kernel)
        var weight = whole.tensor(isTransposed: op is ConvTranspose)
        if case .dense(var gemm) = layer.kind {
          gemm.transB = true
          (op, weight) = (gemm, whole.tensor(isTransposed: false))
        }
        let constant = graph.addConstant("weight", weight)
        output = try graph.add(op, name: node.name, inputs: [x, constant, bias, residual])[0]
      }
    } catch {
      return nil
    }
    guard let output, graph.type(of: output) == layer.output else { return nil }
    graph.addOutput("y", output)
    return graph
  }
}

extension Operator {
  /// A convolution or transposed convolution with so many groups; any other operator as it is.
  func grouped(_ groups: Int) -> any Operator {
    if var conv = self as? Conv {
      conv.groups = groups
      return conv
    }
    if var conv = self as? ConvTranspose {
      conv.groups = groups
      return conv
    }
    return self
  }
}
