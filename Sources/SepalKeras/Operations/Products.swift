import SepalGraph
import SepalTensor

extension OperationRules {
  static let products: [String: Rule] = [
    "Matmul": matmul, "linalg.matmul": matmul, "matmul": matmul,
    "Dot": dot,
    "Inner": inner,
    "Tensordot": tensordot, "tensordot": tensordot,
    "nn.bias_add": biasAdd,
    "Normalize": normalize, "math.l2_normalize": l2Normalize, "nn.l2_normalize": l2Normalize,
    "nn.local_response_normalization": localResponseNormalization,
  ]

  private static func matmul(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    var (a, b) = try context.pair()
    for field in ["adjoint_a", "adjoint_b", "a_is_sparse", "b_is_sparse", "grad_a", "grad_b"] {
      // Of real matrices the adjoint is the transpose, but who asks for it did not mean to.
      guard try !context.bool(field, default: false) else { throw context.unsupported(field, "is true") }
    }
    if try context.bool("transpose_a", default: false) {
      a = try context.swapLastAxes(a, step: "a_transposed")
    }
    if try context.bool("transpose_b", default: false) {
      b = try context.swapLastAxes(b, step: "b_transposed")
    }
    context.ignore("output_type")
    return [try context.add(MatMul(), [a, b])]
  }

  /// numpy's dot: over the last axis of a and the last but one of b.
  private static func dot(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let (a, b) = try context.pair()
    let (left, right) = (context.shape(of: a).count, context.shape(of: b).count)
    guard left > 0, right > 0 else { return [try context.add(Mul(), [a, b])] }
    return [try context.contract(a, b, [left - 1], [max(right - 2, 0)])]
  }

  private static func inner(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let (a, b) = try context.pair()
    let (left, right) = (context.shape(of: a).count, context.shape(of: b).count)
    guard left > 0, right > 0 else { return [try context.add(Mul(), [a, b])] }
    return [try context.contract(a, b, [left - 1], [right - 1])]
  }

  /// Over the last n axes of a and the first n of b, or over the axes that two lists name.
  private static func tensordot(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let (a, b) = try context.pair()
    let (left, right) = (context.shape(of: a).count, context.shape(of: b).count)
    guard let axes = context.entry("axes")?.plainValue else {
      return [try context.contract(a, b, Array(max(left - 2, 0)..<left), Array(0..<min(right, 2)))]
    }
    if let count = axes.int {
      guard (0...min(left, right)).contains(count) else { throw context.invalid("axes", "is \(count)") }
      return [try context.contract(a, b, Array(left - count..<left), Array(0..<count))]
    }
    guard let lists = axes.array, lists.count == 2 else {
      throw context.invalid("axes", "is \(axes.kind), expected a number or two lists")
    }
    func resolved(_ json: JSON, rank: Int) throws(KerasError) -> [Int] {
      var resolved: [Int] = []
      for element in json.array ?? [json] {
        guard let axis = element.int else { throw context.invalid("axes", "holds \(element.kind)") }
        resolved.append(try context.axis(axis, rank: rank, "axes"))
      }
      return resolved
    }
    return [
      try context.contract(a, b, try resolved(lists[0], rank: left), try resolved(lists[1], rank: right))
    ]
  }

  private static func biasAdd(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let values = try context.promoted([try context.operand(0, "value"), try context.operand(1, "bias")])
    let (x, shape) = (values[0], context.shape(of: values[0]))
    let format = try context.string("data_format", default: "NHWC")
    guard format.hasPrefix("NC"), shape.count > 2 else { return [try context.add(Add(), values)] }
    let bias = context.shape(of: values[1])
    let column = try context.reshape(
      values[1], to: bias + [Int](repeating: 1, count: shape.count - 2), step: "column")
    return [try context.add(Add(), [x, column])]
  }

  /// x over its norm along an axis, which counts as at least epsilon.
  private static func normalize(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.floatTensor(0, "x")
    let axes = try context.reductionAxes(context.shape(of: x).count, "axis")
    let epsilon = context.scalar(try context.number("epsilon", default: 1e-7), like: x, step: "epsilon")
    let norm: ValueID
    switch try context.int("order", default: 2) {
    case 1: norm = try context.add(ReduceL1(axes: axes), [x], step: "norm")
    case 2: norm = try context.add(ReduceL2(axes: axes), [x], step: "norm")
    case let order: throw context.unsupported("order", "is \(order), expected 1 or 2")
    }
    return [try context.add(Div(), [x, try context.add(Max(), [norm, epsilon], step: "divisor")])]
  }

  /// x/√max(Σx², ε).
  private static func l2Normalize(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.floatTensor(0, "x")
    let axes = try context.reductionAxes(context.shape(of: x).count, "axis", "dim")
    let epsilon = context.scalar(try context.number("epsilon", default: 1e-12), like: x, step: "epsilon")
    let sum = try context.add(ReduceSumSquare(axes: axes), [x], step: "sum")
    let divisor = try context.add(
      Sqrt(), [try context.add(Max(), [sum, epsilon], step: "bounded")], step: "divisor")
    return [try context.add(Div(), [x, divisor])]
  }

  private static func localResponseNormalization(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.floatTensor(0, "input")
    let radius = try context.int("depth_radius", default: 5)
    guard (0...1 << 16).contains(radius) else { throw context.invalid("depth_radius", "is \(radius)") }
    let size = 2 * radius + 1
    let op = LRN(
      alpha: try context.number("alpha", default: 1) * Double(size),
      beta: try context.number("beta", default: 0.5),
      bias: try context.number("bias", default: 1), size: size, layout: .channelsLast)
    return [try context.add(op, [x])]
  }
}

extension LayerContext {
  fileprivate func swapLastAxes(_ x: ValueID, step: String) throws(KerasError) -> ValueID {
    let rank = shape(of: x).count
    guard rank >= 2 else { throw KerasError(.invalid, "transposes \(type(of: x)), expected rank 2 or more") }
    return try add(
      Transpose(permutation: Array(0..<rank - 2) + [rank - 1, rank - 2]), [x], step: step)
  }

  /// The sum of products over pairs of axes; the other axes of a, then those of b, remain.
  fileprivate func contract(
    _ a: ValueID, _ b: ValueID, _ aAxes: [Int], _ bAxes: [Int]
  ) throws(KerasError) -> ValueID {
    let (aShape, bShape) = (shape(of: a), shape(of: b))
    guard aAxes.map({ aShape[$0] }) == bAxes.map({ bShape[$0] }), Set(aAxes).count == aAxes.count,
      Set(bAxes).count == bAxes.count
    else {
      throw KerasError(
        .invalid, "contracts axes \(aAxes) of \(type(of: a)) with axes \(bAxes) of \(type(of: b))")
    }
    let aFree = aShape.indices.filter { !aAxes.contains($0) }
    let bFree = bShape.indices.filter { !bAxes.contains($0) }
    func arranged(_ x: ValueID, _ order: [Int], _ step: String) throws(KerasError) -> ValueID {
      order == Array(order.indices)
        ? x : try add(Transpose(permutation: order), [x], step: "\(step)_arranged")
    }
    let inner = aAxes.map { aShape[$0] }.reduce(1, *)
    let (rows, columns) = (aFree.map { aShape[$0] }, bFree.map { bShape[$0] })
    let left = try reshape(
      try arranged(a, aFree + aAxes, "a"), to: [rows.reduce(1, *), inner], step: "a_matrix")
    let right = try reshape(
      try arranged(b, bAxes + bFree, "b"), to: [inner, columns.reduce(1, *)], step: "b_matrix")
    if rows.count == 1, columns.count == 1 { return try add(MatMul(), [left, right]) }
    return try add(Reshape(shape: rows + columns), [try add(MatMul(), [left, right], step: "product")])
  }
}
