import SepalGraph
import SepalTensor

extension ExportRules {
  /// BatchNormalization-9.
  static func batchNorm(_ op: BatchNorm, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    let rank = node.outputType.rank
    let x = node.channelsFirst(node.input(0), op.layout, rank: rank, step: "x")
    let y = node.add(
      "BatchNormalization", [x] + node.inputs.dropFirst(), ["epsilon": .float(op.epsilon)])
    let result = node.apply(op.activation, to: y, step: op.activation.parts.name)
    return [node.inLayout(result, op.layout, rank: rank)]
  }

  /// One node: BatchNormalization with mean 0, variance 1 and epsilon 0, or Mul where there is no shift. With channels last,
  /// Mul and Add, which need no transposes.
  static func scaleShift(_ op: ScaleShift, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    let (x, type) = (node.input(0), node.outputType)
    let channels = type.shape[op.layout.channelAxis(rank: type.rank)]
    if op.layout == .channelsFirst, let shift = node.optionalInput(2) {
      let mean = node.add(constant: Tensor(type.element, [channels], repeating: 0), step: "mean")
      let variance = node.add(constant: Tensor(type.element, [channels], repeating: 1), step: "variance")
      return [
        node.activated(
          "BatchNormalization", [x, node.input(1), shift, mean, variance], op.activation,
          ["epsilon": .float(0)])
      ]
    }
    let unitAxes = op.layout == .channelsFirst ? type.rank - 2 : 0
    let shape = [channels] + [Int](repeating: 1, count: unitAxes)
    var y = node.add("Mul", [x, node.input(1, reshaped: shape, step: "scale")])
    if node.optionalInput(2) != nil {
      y = node.add("Add", [y, node.input(2, reshaped: shape, step: "shift")], step: "shift")
    }
    return [node.apply(op.activation, to: y, step: op.activation.parts.name)]
  }

  /// InstanceNormalization-6.
  static func instanceNorm(_ op: InstanceNorm, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    let rank = node.outputType.rank
    let x = node.channelsFirst(node.input(0), op.layout, rank: rank, step: "x")
    let y = node.add(
      "InstanceNormalization", [x] + node.inputs.dropFirst(), ["epsilon": .float(op.epsilon)])
    return [node.inLayout(y, op.layout, rank: rank)]
  }

  /// GroupNormalization-21; before, an InstanceNormalization over the groups and an affine map per channel.
  static func groupNorm(_ op: GroupNorm, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    let type = node.outputType
    let x = node.channelsFirst(node.input(0), op.layout, rank: type.rank, step: "x")
    if node.opset >= 21 {
      let y = node.add(
        "GroupNormalization", [x, node.input(1), node.input(2)],
        ["epsilon": .float(op.epsilon), "num_groups": .int(op.groups)])
      return [node.inLayout(y, op.layout, rank: type.rank)]
    }
    let spatial = op.layout == .channelsFirst ? type.shape.dropFirst(2) : type.shape.dropFirst().dropLast()
    let channels = type.shape[op.layout.channelAxis(rank: type.rank)]
    let whole = [type.shape[0], channels] + spatial
    let grouped = [type.shape[0], op.groups, channels / op.groups * spatial.reduce(1, *)]
    let ones = node.add(constant: Tensor(type.element, [op.groups], repeating: 1), step: "ones")
    let zeros = node.add(constant: Tensor(type.element, [op.groups], repeating: 0), step: "zeros")
    let flat = node.reshape(x, whole, to: grouped, step: "groups")
    let normalized = node.add(
      "InstanceNormalization", [flat, ones, zeros], ["epsilon": .float(op.epsilon)], step: "normalized")
    let back = node.reshape(normalized, grouped, to: whole, step: "channels")
    let perChannel = [channels] + spatial.map { _ in 1 }
    let scaled = node.add("Mul", [back, node.input(1, reshaped: perChannel, step: "scale")], step: "scaled")
    let y = node.add("Add", [scaled, node.input(2, reshaped: perChannel, step: "bias")])
    return [node.inLayout(y, op.layout, rank: type.rank)]
  }

  /// LayerNormalization-17; before, its definition.
  static func layerNorm(_ op: LayerNorm, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    let (x, type) = (node.input(0), node.outputType)
    let axis = op.axis < 0 ? op.axis + type.rank : op.axis
    if node.opset >= 17 {
      let normalized = Array(type.shape[axis...])
      let operands = [
        x, whole(1, normalized, node), node.node.input(2) == nil ? nil : whole(2, normalized, node),
      ]
      return [
        node.add(
          "LayerNormalization", operands, ["axis": .int(axis), "epsilon": .float(op.epsilon)])
      ]
    }
    let axes = Array(axis..<type.rank)
    func mean(_ x: ExportedValue, _ step: String) -> ExportedValue {
      node.add("ReduceMean", [x], ["axes": .ints(axes), "keepdims": .int(1)], step: step)
    }
    let centered = node.add("Sub", [x, mean(x, "mean")], step: "centered")
    let variance = mean(node.add("Mul", [centered, centered], step: "square"), "variance")
    let epsilon = node.add(scalar: op.epsilon, type.element, step: "epsilon")
    let deviation = node.add(
      "Sqrt", [node.add("Add", [variance, epsilon], step: "stabilized")], step: "deviation")
    let normalized = node.add("Div", [centered, deviation], step: "normalized")
    let scaled = node.add(
      "Mul", [normalized, node.input(1)], step: node.optionalInput(2) == nil ? nil : "scaled")
    return [node.optionalInput(2).map { node.add("Add", [scaled, $0]) } ?? scaled]
  }

  /// A parameter in the whole shape, which some runtimes insist on.
  private static func whole(_ index: Int, _ shape: [Int], _ node: NodeExport) -> ExportedValue {
    let type = node.type(index)
    if type.shape == shape { return node.input(index) }
    if let tensor = node.constant(index) {
      return node.add(constant: tensor.broadcast(to: shape), step: index == 1 ? "scale" : "bias")
    }
    let step = index == 1 ? "scale" : "bias"
    return node.add(
      "Expand", [node.input(index), node.add(integers: shape, step: "\(step)/shape")], step: step)
  }

  /// LRN-1.
  static func localResponse(_ op: LRN, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    let rank = node.outputType.rank
    let x = node.channelsFirst(node.input(0), op.layout, rank: rank, step: "x")
    let y = node.add(
      "LRN", [x],
      [
        "alpha": .float(op.alpha), "beta": .float(op.beta), "bias": .float(op.bias), "size": .int(op.size),
      ])
    return [node.inLayout(y, op.layout, rank: rank)]
  }

  /// Softmax-13.
  static func softmax(_ op: Softmax, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    [node.add("Softmax", node.inputs, ["axis": .int(op.axis)])]
  }

  /// LogSoftmax-13.
  static func logSoftmax(_ op: LogSoftmax, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    [node.add("LogSoftmax", node.inputs, ["axis": .int(op.axis)])]
  }
}

extension Tensor {
  /// `count` times the same number.
  init(_ element: ElementType, _ shape: [Int], repeating value: Double) {
    self.init(element, shape, doubles: [Double](repeating: value, count: shape.reduce(1, *)))
  }

  /// The elements repeated to `shape`, to which they broadcast.
  func broadcast(to shape: [Int]) -> Tensor {
    let strides = broadcastStrides(self.shape, to: shape)
    return region(shape, strides: strides)
  }
}
