import SepalGraph
import SepalTensor

/// Attributes and operands whose values the importer needs, checked and resolved.
extension NodeContext {
  /// Operand `index`, which decides something that is fixed at import and so must be known; nil when left out.
  func constantInput(_ index: Int, _ role: String) throws(ONNXError) -> Tensor? {
    guard let input = optionalInput(index) else { return nil }
    guard let tensor = constant(input) else {
      throw node.error(
        .unsupported, "is computed at run time, but as '\(role)' it must be known at conversion",
        tensor: node.inputs[index])
    }
    return tensor
  }

  /// The integers of operand `index`, a vector or a scalar; nil when left out.
  func constantInts(_ index: Int, _ role: String) throws(ONNXError) -> [Int]? {
    guard let tensor = try constantInput(index, role) else { return nil }
    guard let integers = tensor.integers(), tensor.shape.count <= 1 else {
      throw node.error(
        .invalid, "is \(tensor.type), but as '\(role)' it must be a list of integers",
        tensor: node.inputs[index])
    }
    return integers.map { Int($0) }
  }

  /// The only element of operand `index`; nil when left out.
  func constantScalar(_ index: Int, _ role: String) throws(ONNXError) -> Tensor? {
    guard let tensor = try constantInput(index, role) else { return nil }
    guard tensor.count == 1 else {
      throw node.error(
        .invalid, "is \(tensor.type), but as '\(role)' it must have one element", tensor: node.inputs[index])
    }
    return tensor
  }

  func required<Value>(_ value: Value?, input index: Int, _ role: String) throws(ONNXError) -> Value {
    guard let value else { throw node.error(.invalid, "input \(index), '\(role)', is missing") }
    return value
  }

  /// Integers that an operand carries in newer operator sets and an attribute of the same name in older ones.
  func ints(_ name: String, orInput index: Int) throws(ONNXError) -> [Int]? {
    if let values = try constantInts(index, name) { return values }
    return try node.ints(name)
  }

  /// A number attribute; nil when absent.
  func number(_ name: String) throws(ONNXError) -> Double? {
    guard let value = try node.float(name) else { return nil }
    guard !value.isNaN else { throw node.error(.invalid, "is not a number", attribute: name) }
    return Double(value)
  }

  /// An axis attribute, counted from the front.
  func axis(_ name: String = "axis", default value: Int? = nil, rank: Int) throws(ONNXError) -> Int {
    try axis(try node.required(name, try node.int(name) ?? value), rank: rank, name)
  }

  func axis(_ value: Int, rank: Int, _ name: String) throws(ONNXError) -> Int {
    guard value >= -rank, value < rank else {
      throw node.error(.invalid, "is \(value), expected an axis of a value of rank \(rank)", attribute: name)
    }
    return value < 0 ? value + rank : value
  }

  /// Axes counted from the front, in the order given; duplicates are refused.
  func axes(_ values: [Int], rank: Int, _ name: String = "axes") throws(ONNXError) -> [Int] {
    guard values.count <= TensorType.maximumRank else {
      throw node.error(
        .limit, "names \(values.count) axes, expected at most \(TensorType.maximumRank)", attribute: name)
    }
    var axes: [Int] = []
    for value in values {
      let axis = try axis(value, rank: rank, name)
      guard !axes.contains(axis) else {
        throw node.error(.invalid, "is \(values), which names axis \(axis) twice", attribute: name)
      }
      axes.append(axis)
    }
    return axes
  }

  /// A shape computed from the file's numbers: each dimension and the whole must be addressable.
  func checkedShape(_ shape: [Int], _ name: String) throws(ONNXError) -> [Int] {
    guard shape.allSatisfy({ (0...largestExtent).contains($0) }), TensorType.checkedCount(shape) != nil
    else {
      throw node.error(.invalid, "asks for the impossible shape \(shape)", attribute: name)
    }
    guard shape.count <= TensorType.maximumRank else {
      throw node.error(
        .limit, "asks for rank \(shape.count), expected at most \(TensorType.maximumRank)", attribute: name)
    }
    return shape
  }

  /// An attribute or operand that selects one of a few words.
  func choice<Value>(
    _ name: String, default value: String, _ choices: KeyValuePairs<String, Value>
  ) throws(ONNXError) -> Value {
    let text = try node.string(name, default: value)
    guard let match = choices.first(where: { $0.key == text }) else {
      let known = choices.map { $0.key }.joined(separator: ", ")
      throw node.error(.unsupported, "is '\(text)', expected one of \(known)", attribute: name)
    }
    return match.value
  }

  /// Turns an operator's refusal into an error about this node.
  func checked<Value>(_ body: () throws(OperatorError) -> Value) throws(ONNXError) -> Value {
    do throws(OperatorError) {
      return try body()
    } catch {
      throw node.error(.invalid, error.message)
    }
  }
}
