import SepalGraph
import SepalTensor

extension OperationRules {
  static let reshaping: [String: Rule] = [
    "Reshape": reshape, "reshape": reshape,
    "Ravel": flatten(keepingBatch: false),
    "keras.backend.batch_flatten": flatten(keepingBatch: true),
    "compat.v1.layers.flatten": flatten(keepingBatch: true),
    "Transpose": transpose, "transpose": transpose, "compat.v1.transpose": transpose,
    "Swapaxes": swapAxes,
    "Moveaxis": moveAxis,
    "ExpandDims": expandDims, "expand_dims": expandDims,
    "Squeeze": squeeze, "squeeze": squeeze, "compat.v1.squeeze": squeeze,
    "BroadcastTo": broadcast, "broadcast_to": broadcast,
    "Tile": tile, "tile": tile,
    "Repeat": repeatElements, "repeat": repeatElements,
    "Flip": flip, "reverse": flip,
    "image.flip_left_right": flipImage(axis: 2), "image.flip_up_down": flipImage(axis: 1),
    "Roll": roll, "roll": roll,
    "Pad": pad, "pad": pad, "compat.v1.pad": pad,
    "shape": shape, "compat.v1.shape": shape, "Shape": shape,
  ]

  private static func reshape(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.tensor(0, "x", "tensor")
    guard var sizes = try context.integers(1, "newshape", "shape") else {
      throw KerasError(.invalid, "is called without 'shape'")
    }
    if let open = sizes.firstIndex(of: -1) {
      sizes[open] = 1
      let known = saturatingProduct(sizes.map { max($0, 0) })
      let count = context.type(of: x).count
      guard known > 0, count.isMultiple(of: known), sizes.allSatisfy({ $0 >= 0 }) else {
        throw context.invalid("shape", "is \(sizes), which \(context.type(of: x)) does not fill")
      }
      sizes[open] = count / known
    }
    guard sizes.allSatisfy({ $0 >= 0 }) else {
      throw context.invalid("shape", "is \(sizes), expected sizes and at most one -1")
    }
    return [try context.add(Reshape(shape: sizes), [x])]
  }

  private static func flatten(keepingBatch: Bool) -> Rule {
    { context throws(KerasError) in
      let x = try context.tensor(0, "x", "inputs")
      let shape = context.shape(of: x)
      guard keepingBatch else { return [try context.add(Reshape(shape: [shape.reduce(1, *)]), [x])] }
      guard let batch = shape.first else { throw KerasError(.invalid, "is called with a scalar") }
      return [try context.add(Reshape(shape: [batch, shape.dropFirst().reduce(1, *)]), [x])]
    }
  }

  private static func transpose(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    context.ignore("conjugate")
    let x = try context.tensor(0, "x", "a")
    let rank = context.shape(of: x).count
    let given = try context.integers(1, "axes", "perm")
    var order: [Int] = []
    for axis in given ?? Array((0..<rank).reversed()) {
      order.append(try context.axis(axis, rank: rank, "axes"))
    }
    return [try context.add(Transpose(permutation: order), [x])]
  }

  private static func swapAxes(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.tensor(0, "x")
    let rank = context.shape(of: x).count
    var order = Array(0..<rank)
    order.swapAt(
      try context.axis(try context.int("axis1"), rank: rank, "axis1"),
      try context.axis(try context.int("axis2"), rank: rank, "axis2"))
    return [try context.add(Transpose(permutation: order), [x])]
  }

  private static func moveAxis(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.tensor(0, "x")
    let rank = context.shape(of: x).count
    let source = try context.axes("source", rank: rank)
    let destination = try context.axes("destination", rank: rank)
    guard source.count == destination.count else {
      throw context.invalid("destination", "has \(destination.count) axes, expected \(source.count)")
    }
    // numpy inserts the moved axes in the order of their destinations.
    var order = (0..<rank).filter { !source.contains($0) }
    for (from, to) in zip(source, destination).sorted(by: { $0.1 < $1.1 }) { order.insert(from, at: to) }
    return [try context.add(Transpose(permutation: order), [x])]
  }

  private static func expandDims(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.tensor(0, "x", "input")
    guard let given = try context.integers(1, "axis") else { throw context.invalid("axis", "is missing") }
    var shape = context.shape(of: x)
    let rank = shape.count + given.count
    var axes: Set<Int> = []
    for value in given { axes.insert(try context.axis(value, rank: rank)) }
    guard axes.count == given.count else { throw context.invalid("axis", "names an axis twice") }
    for axis in axes.sorted() { shape.insert(1, at: axis) }
    return [try context.add(Reshape(shape: shape), [x])]
  }

  private static func squeeze(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.tensor(0, "x", "input")
    let shape = context.shape(of: x)
    let axes: [Int]
    if let given = try context.integers(1, "axis", "squeeze_dims") {
      var named: [Int] = []
      for value in given { named.append(try context.axis(value, rank: shape.count)) }
      axes = named
    } else {
      guard shape.first != 1 else {
        throw context.unsupported("axis", "is not given, so that a batch of one would be squeezed as well")
      }
      axes = shape.indices.filter { shape[$0] == 1 }
    }
    guard axes.allSatisfy({ shape[$0] == 1 }) else {
      throw context.invalid("axis", "is \(axes), which are not all of extent 1 in \(context.type(of: x))")
    }
    return [
      try context.add(Reshape(shape: shape.indices.filter { !axes.contains($0) }.map { shape[$0] }), [x])
    ]
  }

  private static func broadcast(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.tensor(0, "x", "input")
    guard let shape = try context.integers(1, "shape") else { throw context.invalid("shape", "is missing") }
    return [try context.add(Expand(shape: shape), [x])]
  }

  private static func tile(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    var x = try context.tensor(0, "x", "input")
    guard var repeats = try context.integers(1, "repeats", "multiples") else {
      throw context.invalid("repeats", "is missing")
    }
    let shape = context.shape(of: x)
    if repeats.count < shape.count {
      repeats = [Int](repeating: 1, count: shape.count - repeats.count) + repeats
    } else if repeats.count > shape.count {
      let ones = [Int](repeating: 1, count: repeats.count - shape.count)
      x = try context.add(Reshape(shape: ones + shape), [x], step: "expanded")
    }
    return [try context.add(Tile(repeats: repeats), [x])]
  }

  /// Each element along an axis several times in a row.
  private static func repeatElements(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    var x = try context.tensor(0, "x", "input")
    if context.entry("axis") == nil {
      x = try context.reshape(x, to: [context.type(of: x).count], step: "flat")
    }
    let shape = context.shape(of: x)
    let axis = try context.singleAxis(rank: shape.count, default: 0)
    guard let repeats = try context.integers(1, "repeats") else {
      throw context.invalid("repeats", "is missing")
    }
    guard repeats.allSatisfy({ (0...Int(Int32.max)).contains($0) }) else {
      throw context.invalid("repeats", "is \(repeats.prefix(8)), expected no negative number")
    }
    if repeats.count == 1 {
      let (extent, overflow) = shape[axis].multipliedReportingOverflow(by: repeats[0])
      guard !overflow else { throw context.invalid("repeats", "is too large") }
      var (apart, joined) = (shape, shape)
      apart.insert(1, at: axis + 1)
      joined[axis] = extent
      var counts = apart.map { _ in 1 }
      counts[axis + 1] = repeats[0]
      let tiled = try context.add(
        Tile(repeats: counts), [try context.add(Reshape(shape: apart), [x], step: "apart")], step: "tiled")
      return [try context.add(Reshape(shape: joined), [tiled])]
    }
    let total = repeats.reduce(0, +)
    guard repeats.count == shape[axis], total <= 1 << 20 else {
      throw context.invalid(
        "repeats", "has \(repeats.count) values that sum to \(total), expected \(shape[axis])")
    }
    let positions = repeats.indices.flatMap { [Int64](repeating: Int64($0), count: repeats[$0]) }
    let indices = context.add(constant: Tensor([positions.count], int64s: positions), step: "indices")
    return [try context.add(Gather(axis: axis), [x, indices])]
  }

  private static func flip(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.tensor(0, "x", "tensor", "m")
    let axes = try context.reductionAxes(context.shape(of: x).count, "axis")
    return [try context.reverse(x, axes)]
  }

  private static func flipImage(axis: Int) -> Rule {
    { context throws(KerasError) in
      let x = try context.tensor(0, "image")
      let rank = context.shape(of: x).count
      guard rank == 3 || rank == 4 else {
        throw KerasError(.invalid, "is called with \(context.type(of: x)), expected rank 3 or 4")
      }
      return [try context.reverse(x, [axis + rank - 4])]
    }
  }

  /// What is pushed out at one end comes in at the other.
  private static func roll(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.tensor(0, "x", "input")
    let shape = context.shape(of: x)
    let isFlat = context.entry("axis") == nil
    var value = isFlat ? try context.reshape(x, to: [context.type(of: x).count], step: "flat") : x
    let axes = isFlat ? [0] : try context.axes(rank: shape.count)
    guard let given = try context.integers(1, "shift") else { throw context.invalid("shift", "is missing") }
    guard given.count == 1 || given.count == axes.count else {
      throw context.invalid("shift", "has \(given.count) values, expected \(axes.count)")
    }
    for (index, axis) in axes.enumerated() {
      let extent = context.shape(of: value)[axis]
      let shift = given.count == 1 ? given[0] : given[index]
      // Where the first element comes from.
      let start = extent == 0 ? 0 : (extent - shift % extent) % extent
      guard start != 0 else { continue }
      let tail = try context.add(
        Slice(axes: [axis], starts: [start], ends: [extent]), [value], step: "tail\(axis)")
      let head = try context.add(
        Slice(axes: [axis], starts: [0], ends: [start]), [value], step: "head\(axis)")
      value = try context.add(
        Concat(axis: axis), [tail, head], step: isFlat || index < axes.count - 1 ? "rolled\(axis)" : nil)
    }
    return [isFlat ? try context.add(Reshape(shape: shape), [value]) : value]
  }

  private static func pad(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.tensor(0, "x", "tensor")
    let rank = context.shape(of: x).count
    let field = context.layer.isTensorFlowOperation ? "paddings" : "pad_width"
    let amounts = try context.paddings(field, rank: rank)
    let word = try context.string("mode", default: "constant").lowercased()
    guard let mode = PadMode(rawValue: word) else {
      throw context.unsupported("mode", "is '\(word.printable())', expected constant, reflect, edge or wrap")
    }
    let value = try context.number("constant_values", default: 0)
    let op = Pad(begins: amounts.map(\.0), ends: amounts.map(\.1), mode: mode, value: value)
    return [try context.add(op, [x])]
  }

  /// The shape as a constant: every dimension is known.
  private static func shape(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.tensor(0, "x", "input")
    let shape = context.shape(of: x)
    let element = try context.elementType("out_type", default: .int32)
    guard element.isInteger, shape.allSatisfy({ $0 <= Int(Int32.max) }) else {
      throw context.unsupported("out_type", "is \(element)")
    }
    return [
      context.add(constant: Tensor(element, [shape.count], integers: shape.map(Int64.init)), step: "shape")
    ]
  }
}

extension LayerContext {
  func reverse(_ x: ValueID, _ axes: [Int]) throws(KerasError) -> ValueID {
    let shape = shape(of: x)
    // Positions of empty axes have no last one.
    let reversed = axes.sorted().filter { shape[$0] > 1 }
    guard !reversed.isEmpty else { return x }
    let op = Slice(
      axes: reversed, starts: reversed.map { shape[$0] - 1 }, ends: reversed.map { _ in -1 },
      steps: reversed.map { _ in -1 })
    return try add(op, [x])
  }

  /// Amounts before and after each axis: a pair for each, or one that counts for all.
  fileprivate func paddings(_ field: String, rank: Int) throws(KerasError) -> [(Int, Int)] {
    var pairs: [[Int]] = []
    guard let json = entry(field)?.plainValue else { throw invalid(field, "is missing") }
    if let amount = json.int {
      pairs = [[amount, amount]]
    } else if let list = json.array {
      let isPair = list.count == 2 && list.allSatisfy { $0.int != nil }
      for element in isPair ? [json] : list { pairs.append((element.array ?? [element]).compactMap(\.int)) }
    }
    if pairs.count == 1 { pairs = [[Int]](repeating: pairs[0], count: rank) }
    guard pairs.count == rank, pairs.joined().allSatisfy({ (0...Int(Int32.max)).contains($0) }),
      pairs.allSatisfy({ $0.count == 2 })
    else { throw invalid(field, "is no pair of amounts for each of \(rank) axes") }
    return pairs.map { ($0[0], $0[1]) }
  }
}
