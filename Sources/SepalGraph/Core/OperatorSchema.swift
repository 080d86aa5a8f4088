import SepalTensor

/// Names, arity and attributes of an operator.
public struct OperatorSchema: Sendable {
  public struct Input: Sendable, ExpressibleByStringLiteral {
    public var name: String
    public var isOptional = false
    /// Counted as the layer's parameters when constant (weights, biases, statistics).
    public var isParameter = false

    public init(stringLiteral name: String) { self.name = name }

    public static func parameter(_ name: String) -> Input {
      var input = Input(stringLiteral: name)
      input.isParameter = true
      return input
    }
    public static func optional(_ name: String) -> Input {
      var input = Input(stringLiteral: name)
      input.isOptional = true
      return input
    }
    public static func optionalParameter(_ name: String) -> Input {
      var input = Input.parameter(name)
      input.isOptional = true
      return input
    }
  }

  public let name: String
  public let inputs: [Input]
  /// The last input may repeat.
  public let isVariadic: Bool
  public let outputs: [String]
  /// The last output may repeat.
  public let hasVariadicOutputs: Bool
  private let lazyAttributes: LazyAttributes

  public var attributes: [AttributeField] { lazyAttributes.fields }

  public init(
    _ name: String, inputs: [Input], isVariadic: Bool = false, outputs: [String] = ["y"],
    hasVariadicOutputs: Bool = false, attributes: @autoclosure @escaping @Sendable () -> [AttributeField] = []
  ) {
    self.name = name
    self.inputs = inputs
    self.isVariadic = isVariadic
    self.outputs = outputs
    self.hasVariadicOutputs = hasVariadicOutputs
    lazyAttributes = LazyAttributes(attributes)
  }

  /// The declaration of operand `index`.
  public func input(at index: Int) -> Input? {
    if index < inputs.count { return inputs[index] }
    return isVariadic ? inputs.last : nil
  }

  /// Checks which operands are present.
  public func checkArity(_ present: [Bool]) throws(OperatorError) {
    if present.count > inputs.count && !isVariadic {
      throw OperatorError("\(present.count) inputs, expected at most \(inputs.count)")
    }
    for index in 0..<max(present.count, inputs.count) {
      guard let input = input(at: index), !input.isOptional else { continue }
      guard index < present.count, present[index] else {
        throw OperatorError("input '\(input.name)' is missing")
      }
    }
  }
}

/// Attributes of an operator that are made when they are first asked for: making key paths takes longer than anything
/// else in a schema, and most programs use few of the operators.
private final class LazyAttributes: Sendable {
  private let state: Locked<[AttributeField]?>
  private let make: @Sendable () -> [AttributeField]

  init(_ make: @escaping @Sendable () -> [AttributeField]) {
    self.make = make
    state = Locked(nil)
  }

  var fields: [AttributeField] {
    state.withLock { fields in
      if let fields { return fields }
      let made = make()
      fields = made
      return made
    }
  }
}

/// One stored attribute: its name and how to get and set it on the operator's value.
public struct AttributeField: Sendable {
  public let name: String
  private let getter: @Sendable (any Operator) -> AttributeValue
  private let setter: @Sendable (any Operator, AttributeValue) throws(OperatorError) -> any Operator

  public init<Op: Operator, Value: AttributeConvertible>(
    _ name: String, _ path: WritableKeyPath<Op, Value> & Sendable
  ) {
    self.name = name
    self.getter = { op in
      guard let op = op as? Op else { preconditionFailure("\(name) belongs to \(Op.self)") }
      return op[keyPath: path].attributeValue
    }
    self.setter = { (op, value) throws(OperatorError) in
      guard var op = op as? Op else { preconditionFailure("\(name) belongs to \(Op.self)") }
      guard let converted = Value(attributeValue: value) else {
        throw OperatorError("'\(name)' is \(value), expected \(Value.expectation)")
      }
      op[keyPath: path] = converted
      return op
    }
  }

  public func get(_ op: any Operator) -> AttributeValue { getter(op) }
  public func set(_ op: any Operator, _ value: AttributeValue) throws(OperatorError) -> any Operator {
    try setter(op, value)
  }
}

extension Operator {
  /// All attributes, in schema order.
  public var attributes: [(name: String, value: AttributeValue)] {
    Self.schema.attributes.map { ($0.name, $0.get(self)) }
  }

  /// Attributes that differ from the defaults, in schema order.
  public var nonDefaultAttributes: [(name: String, value: AttributeValue)] {
    let defaults = Self()
    return Self.schema.attributes.compactMap { field in
      let value = field.get(self)
      return value == field.get(defaults) ? nil : (field.name, value)
    }
  }

  /// Same operator with the same attributes.
  public func isEqual(to other: any Operator) -> Bool {
    guard type(of: other) == Self.self else { return false }
    return Self.schema.attributes.allSatisfy { $0.get(self) == $0.get(other) }
  }

  /// An operator of this type with `attributes` set; unknown names are refused.
  public static func make(
    _ attributes: [(name: String, value: AttributeValue)]
  ) throws(OperatorError) -> any Operator {
    var op: any Operator = Self()
    for (name, value) in attributes {
      guard let field = schema.attributes.first(where: { $0.name == name }) else {
        throw OperatorError("\(schema.name) has no attribute '\(name)'")
      }
      op = try field.set(op, value)
    }
    return op
  }
}
