import SepalGraph
import SepalTensor

/// Values that do not depend on the model's inputs.
extension ImportRules {
  /// Constant-1 to -25, which has one of several attributes.
  static func constant(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let node = context.node
    let tensor: Tensor
    if let value = try stored(node, "value") {
      tensor = value
    } else if let value = try stored(node, "sparse_value") {
      tensor = value
    } else if let value = try node.float("value_float") {
      tensor = Tensor([], floats: [value])
    } else if let values = try node.floats("value_floats") {
      tensor = Tensor([values.count], floats: values)
    } else if let value = try node.int("value_int") {
      tensor = Tensor([], int64s: [Int64(value)])
    } else if let values = try node.ints("value_ints") {
      tensor = Tensor([values.count], int64s: values.map { Int64($0) })
    } else {
      let unsupported = ["value_string", "value_strings"].first { node.has($0) }
      guard let unsupported else { throw node.error(.invalid, "has no value") }
      throw node.error(.unsupported, "is not supported", attribute: unsupported)
    }
    return [context.add(constant: tensor)]
  }

  /// ConstantOfShape-9 to -25. Small ones are constants at once, large ones the expansion of a scalar.
  static func constantOfShape(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let given = try context.required(try context.constantInts(0, "shape"), input: 0, "shape")
    var scalar = Tensor([], floats: [0])
    if let tensor = try stored(context.node, "value") {
      guard tensor.count == 1 else {
        throw context.node.error(.invalid, "is \(tensor.type), expected one element", attribute: "value")
      }
      scalar = tensor.reshaped([])
    }
    let shape = try context.checkedShape(given, "shape")
    return [try context.add(Expand(shape: shape), [context.add(constant: scalar, step: "value")])]
  }

  private static func stored(_ node: ONNXNode, _ name: String) throws(ONNXError) -> Tensor? {
    guard let value = try node.tensor(name) else { return nil }
    do throws(ONNXError) {
      return try value.tensor()
    } catch {
      throw node.error(error.code, error.message, attribute: name)
    }
  }

  /// Shape-1, -13, -15 to -25.
  static func shape(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let shape = try context.shape(0)
    func clamped(_ name: String, _ value: Int) throws(ONNXError) -> Int {
      let bound = try context.node.int(name, default: value)
      return min(max(bound < 0 ? bound + shape.count : bound, 0), shape.count)
    }
    let (start, end) = (try clamped("start", 0), try clamped("end", shape.count))
    let dims = shape[start..<max(start, end)].map { Int64($0) }
    return [context.add(constant: Tensor([dims.count], int64s: dims))]
  }

  /// Size-1 to -25.
  static func size(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let count = context.type(of: try context.input(0)).count
    return [context.add(constant: Tensor([], int64s: [Int64(count)]))]
  }
}
