import SepalGraph
import SepalTensor

extension OperationRules {
  static let joining: [String: Rule] = [
    "Concatenate": concatenate, "concat": concatenate,
    "Append": append,
    "Hstack": hstack,
    "Vstack": vstack,
    "Stack": stack, "stack": stack,
    "Split": split, "split": split,
    "Unstack": unstack, "unstack": unstack,
    "FullLike": fill(nil), "OnesLike": fill(1), "ZerosLike": fill(0),
    "ones_like": fill(1), "zeros_like": fill(0),
    "compat.v1.ones_like": fill(1), "compat.v1.zeros_like": fill(0),
  ]

  private static func concatenate(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let values = try context.tensors(0, "xs", "values")
    let axis = try context.singleAxis(rank: context.shape(of: values[0]).count, default: 0)
    return [try context.add(Concat(axis: axis), values)]
  }

  private static func append(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let (a, b) = try context.pair()
    let axis = try context.singleAxis(rank: context.shape(of: a).count)
    return [try context.add(Concat(axis: axis), [a, b])]
  }

  private static func hstack(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let values = try context.tensors(0, "xs")
    return [try context.add(Concat(axis: context.shape(of: values[0]).count > 1 ? 1 : 0), values)]
  }

  private static func vstack(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    var rows: [ValueID] = []
    for (index, value) in try context.tensors(0, "xs").enumerated() {
      let shape = context.shape(of: value)
      rows.append(shape.count > 1 ? value : try context.reshape(value, to: [1] + shape, step: "row\(index)"))
    }
    return [try context.add(Concat(axis: 0), rows)]
  }

  /// Joins along a new axis.
  private static func stack(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let values = try context.tensors(0, "x", "values")
    var shape = context.shape(of: values[0])
    let axis = try context.singleAxis(rank: shape.count + 1, default: 0)
    guard values.allSatisfy({ context.shape(of: $0) == shape }) else {
      throw KerasError(.invalid, "stacks tensors of different shapes")
    }
    shape.insert(1, at: axis)
    var slabs: [ValueID] = []
    for (index, value) in values.enumerated() {
      slabs.append(try context.add(Reshape(shape: shape), [value], step: "slab\(index)"))
    }
    return [try context.add(Concat(axis: axis), slabs)]
  }

  /// Into equal parts, at positions (Keras 3) or of sizes (TensorFlow).
  private static func split(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    context.ignore("num")
    let x = try context.tensor(0, "x", "value")
    let shape = context.shape(of: x)
    let axis = try context.singleAxis(rank: shape.count, default: 0)
    let isTensorFlow = context.layer.isTensorFlowOperation
    let field = isTensorFlow ? "num_or_size_splits" : "indices_or_sections"
    let isCount = context.entry(field)?.int != nil
    guard let given = try context.integers(1, field) else { throw context.invalid(field, "is missing") }
    var sizes: [Int] = []
    if isCount {
      guard given[0] > 0, given[0] <= 1 << 16, shape[axis].isMultiple(of: given[0]) else {
        throw context.invalid(field, "is \(given[0]), which divides \(shape[axis]) unevenly")
      }
      sizes = [Int](repeating: shape[axis] / given[0], count: given[0])
    } else if isTensorFlow {
      sizes = given
      if let open = sizes.firstIndex(of: -1) {
        sizes[open] = 0
        guard sizes.allSatisfy({ (0...shape[axis]).contains($0) }), sizes.count <= 1 << 16 else {
          throw context.invalid(field, "is \(given.prefix(8)), which does not sum to \(shape[axis])")
        }
        sizes[open] = shape[axis] - sizes.reduce(0, +)
      }
    } else {
      var start = 0
      for index in given {
        let end = min(max(index < 0 ? index + shape[axis] : index, start), shape[axis])
        sizes.append(end - start)
        start = end
      }
      sizes.append(shape[axis] - start)
    }
    guard sizes.allSatisfy({ $0 >= 0 }) else {
      throw context.invalid(field, "is \(given.prefix(8)), which does not sum to \(shape[axis])")
    }
    return try context.addAll(Split(axis: axis, sizes: sizes), [x])
  }

  /// One part for each position along an axis, without the axis.
  private static func unstack(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.tensor(0, "x", "value")
    var shape = context.shape(of: x)
    let axis = try context.singleAxis(rank: shape.count, default: 0)
    let count = shape.remove(at: axis)
    guard try context.optionalInt("num") ?? count == count, (1...1 << 16).contains(count) else {
      throw context.invalid("num", "is not the extent of axis \(axis) of \(context.type(of: x))")
    }
    let slabs = try context.addAll(
      Split(axis: axis, sizes: [Int](repeating: 1, count: count)), [x], step: "slabs")
    var parts: [ValueID] = []
    for (index, slab) in slabs.enumerated() {
      parts.append(try context.add(Reshape(shape: shape), [slab], step: "part\(index)"))
    }
    return parts
  }

  /// A tensor of the shape of another, full of one number.
  private static func fill(_ number: Double?) -> Rule {
    { context throws(KerasError) in
      context.ignore("optimize", "layout")
      let x = try context.tensor(0, "x", "input", "tensor")
      let type = context.type(of: x)
      let element = try context.elementType("dtype", default: type.element)
      let value: ValueID
      if let number {
        value = context.add(scalar: number, element, step: "value")
      } else {
        value = try context.tensor(1, "fill_value", element: element)
      }
      return [
        try context.add(Expand(shape: type.shape), [try context.cast(value, to: element, step: "cast")])
      ]
    }
  }
}
