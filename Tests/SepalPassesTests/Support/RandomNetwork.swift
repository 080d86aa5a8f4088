import SepalGraph
import SepalTensor

/// A seeded network of convolutions, pools, elementwise operators, data movement and transposes, with values that are
/// read several times and outputs taken from anywhere.
struct RandomNetwork {
  private(set) var graph = Graph()
  private var random: SeededGenerator
  private var values: [ValueID] = []

  init(seed: UInt64, nodes: Int) throws {
    random = SeededGenerator(seed)
    let shapes = [[1, 4, 6, 6], [2, 3, 5, 4], [1, 1, 8, 6], [1, 4, 9], [1, 2, 3, 4, 5], [1, 6, 6, 4]]
    values.append(graph.addInput("x", TensorType(.float32, pick(shapes))))
    if chance(3) { values.append(graph.addInput("z", graph.type(of: values[0]))) }
    while graph.nodeCount < nodes {
      if let added = try step() { values += added }
    }
    let unread = values.filter { graph.value($0).useCount == 0 }
    for (index, value) in Set(unread + [pick(values), pick(values)]).sorted().enumerated() {
      graph.addOutput("y\(index)", value)
    }
    graph.markOrigins()
  }

  private mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }
  private mutating func chance(_ odds: Int) -> Bool { below(odds) == 0 }
  private mutating func pick<Element>(_ list: [Element]) -> Element { list[below(list.count)] }

  private mutating func constant(_ shape: [Int], in range: ClosedRange<Double> = -1...1) -> ValueID {
    graph.addConstant("c\(graph.values.count)", random.tensor(shape, in: range))
  }

  private mutating func add(_ op: any Operator, _ inputs: [ValueID?]) throws -> [ValueID] {
    let name = "n\(graph.nodeCount)"
    return try graph.add(op, name: name, inputs: inputs)
  }

  /// Favours recent values, so that networks get deep.
  private mutating func operand() -> ValueID {
    chance(3) ? pick(values) : pick(Array(values.suffix(2)))
  }

  private mutating func step() throws -> [ValueID]? {
    let x = operand()
    let type = graph.type(of: x)
    guard type.count <= 4096 else { return nil }
    switch below(16) {
    case 0, 1, 2: return try spatial(x, type.shape)
    case 3: return try add(pick([Relu(), Sigmoid(), Abs(), HardSwish(), Clip(min: -1, max: 1)]), [x])
    case 4, 5:
      let partners = values.filter { broadcastShape(graph.type(of: $0).shape, type.shape) == type.shape }
      let pair = [x, pick(partners)]
      return try add(pick([Add(), Mul(), Sub(), Max()]), chance(2) ? pair : pair.reversed())
    case 6:
      let shape = type.shape.map { chance(2) ? $0 : 1 }
      let trimmed = Array(shape.dropFirst(below(shape.count + 1)))
      return try add(pick([Add(), Mul()]), [x, constant(trimmed)])
    case 7, 8, 9:
      guard type.rank > 1 else { return nil }
      if type.rank > 2, chance(2) {
        let orders = [Layout.toChannelsLast(rank: type.rank), Layout.toChannelsFirst(rank: type.rank)]
        return try add(Transpose(permutation: pick(orders)), [x])
      }
      return try add(Transpose(permutation: Array(0..<type.rank).shuffled(using: &random)), [x])
    case 10: return try reshaped(x, type.shape)
    case 11: return try joined(x, type)
    case 12, 13: return try moved(x, type.shape)
    default: return try reduced(x, type.shape)
    }
  }

  private mutating func spatial(_ x: ValueID, _ shape: [Int]) throws -> [ValueID]? {
    guard (3...5).contains(shape.count) else { return nil }
    let layout: Layout = chance(3) ? .channelsLast : .channelsFirst
    let channels = shape[layout.channelAxis(rank: shape.count)]
    let extents = shape[layout.firstSpatialAxis..<layout.firstSpatialAxis + shape.count - 2]
    let ones = extents.map { _ in 1 }
    switch below(5) {
    case 0: return try add(GlobalAveragePool(layout: layout, keepDims: chance(2)), [x])
    case 1:
      guard extents.allSatisfy({ $0 > 1 }) else { return nil }
      var pool = MaxPool()
      (pool.kernel, pool.strides, pool.dilations) = (ones.map { _ in 2 }, ones, ones)
      (pool.padBegins, pool.padEnds) = (ones.map { _ in 0 }, ones)
      pool.layout = layout
      return try add(pool, [x])
    case 2:
      return try add(ScaleShift(layout: layout), [x, constant([channels]), constant([channels])])
    default:
      guard channels <= 16 else { return nil }
      let depthwise = chance(3)
      let outputs = depthwise ? channels : 1 + below(6)
      let kernel = extents.map { _ in 1 + below(2) * 2 }
      let pads = kernel.map { $0 / 2 }
      let op = Conv(
        strides: ones, padBegins: pads, padEnds: pads, dilations: ones, groups: depthwise ? channels : 1,
        layout: layout, activation: chance(3) ? .relu : .identity)
      let weight = constant([outputs, depthwise ? 1 : channels] + kernel, in: -0.5...0.5)
      let output = layout.shape(batch: shape[0], channels: outputs, spatial: Array(extents))
      let residuals = values.filter { graph.type(of: $0).shape == output }
      let residual = residuals.isEmpty || chance(2) ? nil : pick(residuals)
      return try add(op, [x, weight, chance(2) ? constant([outputs]) : nil, residual])
    }
  }

  private mutating func reshaped(_ x: ValueID, _ shape: [Int]) throws -> [ValueID]? {
    guard !shape.isEmpty else { return nil }
    var target = shape
    let axis = below(shape.count)
    switch below(4) {
    case 0 where axis + 1 < shape.count:
      target.replaceSubrange(axis...axis + 1, with: [shape[axis] * shape[axis + 1]])
    case 1 where shape[axis] % 2 == 0 && shape.count < 6:
      target.replaceSubrange(axis...axis, with: chance(2) ? [2, shape[axis] / 2] : [shape[axis] / 2, 2])
    case 2 where shape.count < 6: target.insert(1, at: axis)
    case 3 where shape.count > 1:
      target = [shape[0], shape.dropFirst().reduce(1, *)]
      let flat = try add(Reshape(shape: target), [x])
      let gemm = Gemm(transB: chance(2))
      let weight = gemm.transB ? [3, target[1]] : [target[1], 3]
      return try add(gemm, [flat[0], constant(weight), constant([3])])
    default: return nil
    }
    return try add(Reshape(shape: target), [x])
  }

  private mutating func joined(_ x: ValueID, _ type: TensorType) throws -> [ValueID]? {
    guard type.rank > 0 else { return nil }
    let axis = below(type.rank)
    if chance(2), type.shape[axis] > 1 {
      let first = 1 + below(type.shape[axis] - 1)
      return try add(Split(axis: axis, sizes: [first, type.shape[axis] - first]), [x])
    }
    let partners = values.filter { other in
      var shape = graph.type(of: other).shape
      guard shape.count == type.rank else { return false }
      shape[axis] = type.shape[axis]
      return shape == type.shape
    }
    return try add(Concat(axis: axis), [x, pick(partners), pick(partners)])
  }

  private mutating func moved(_ x: ValueID, _ shape: [Int]) throws -> [ValueID]? {
    guard !shape.isEmpty else { return nil }
    let axis = below(shape.count)
    switch below(6) {
    case 0:
      let slice = try Slice.normalized(
        axes: [axis], starts: [below(shape[axis])], ends: [shape[axis]], steps: [1 + below(2)], shape: shape)
      return try add(slice, [x])
    case 1:
      let amounts = shape.map { _ in below(2) }
      return try add(Pad(begins: amounts, ends: shape.map { _ in below(2) }, mode: .edge), [x])
    case 2:
      var repeats = shape.map { _ in 1 }
      repeats[axis] = 2
      return try add(Tile(repeats: repeats), [x])
    case 3:
      let indices = Tensor([2], int64s: [Int64(below(shape[axis])), 0])
      return try add(Gather(axis: axis), [x, graph.addConstant("i\(graph.values.count)", indices)])
    case 4:
      var (sizes, scales) = (shape, shape.map { _ in 1.0 })
      (sizes[axis], scales[axis]) = (2 * shape[axis], 2)
      return try add(Resize(sizes: sizes, scales: scales, mode: pick([.nearest, .linear])), [x])
    default:
      var target = shape
      if shape[axis] == 1 { target[axis] = 3 }
      return try add(Expand(shape: target), [x])
    }
  }

  private mutating func reduced(_ x: ValueID, _ shape: [Int]) throws -> [ValueID]? {
    guard shape.count > 1 else { return nil }
    let axis = below(shape.count)
    switch below(4) {
    case 0: return try add(Softmax(axis: axis), [x])
    case 1: return try add(CumSum(axis: axis - shape.count), [x])
    case 2: return try add(ReduceMax(axes: [axis], keepDims: chance(2)), [x])
    default:
      let axes = Array(0..<shape.count).filter { _ in chance(2) }
      return try add(ReduceMean(axes: axes, keepDims: chance(2)), [x])
    }
  }
}
