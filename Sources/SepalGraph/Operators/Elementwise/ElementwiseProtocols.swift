import SepalTensor

/// One input, same shape out, each element by itself.
public protocol UnaryOperator: Operator {
  func apply(_ x: Double) -> Double
  /// The integer meaning, for operators that have one; others refuse integers.
  func apply(_ x: Int64) -> Int64?
  /// The element type of the result for an operand of `element`, or nil when the operator does not take it.
  func resultElement(_ element: ElementType) -> ElementType?
}

extension UnaryOperator {
  public func apply(_ x: Int64) -> Int64? { nil }

  public func resultElement(_ element: ElementType) -> ElementType? {
    element.isFloat || (element.isInteger && apply(Int64(0)) != nil) ? element : nil
  }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    guard let element = resultElement(inputs[0].element) else {
      throw OperatorError("does not take \(inputs[0].element)")
    }
    return [TensorType(element, inputs[0].shape)]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let x = inputs[0]
    let output = try inferOutputs(inputs.types)[0]
    if let integers = x.integers() {
      return [Tensor(output.element, x.shape, integers: integers.map { apply($0) ?? $0 })]
    }
    return [Tensor(output.element, x.shape, doubles: x.doubles().map { apply($0) })]
  }
}

/// A unary operator that other operators can absorb as their last step.
public protocol ActivationOperator: UnaryOperator {
  var asActivation: Activation { get }
}

extension ActivationOperator {
  public func apply(_ x: Double) -> Double { asActivation(x) }
}

/// Two inputs under numpy broadcasting, same element type out.
public protocol BinaryOperator: Operator {
  func apply(_ a: Double, _ b: Double) -> Double
  /// The integer meaning; nil where it is not defined (integer division by zero).
  func apply(_ a: Int64, _ b: Int64) -> Int64?
  /// The element type of the result for operands of `element`, or nil when the operator does not take it.
  func resultElement(_ element: ElementType) -> ElementType?
}

extension BinaryOperator {
  public func resultElement(_ element: ElementType) -> ElementType? { element == .bool ? nil : element }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    let (a, b) = (inputs[0], inputs[1])
    guard a.element == b.element else {
      throw OperatorError("inputs are \(a.element) and \(b.element), expected the same element type")
    }
    return [try broadcastType(a, b)]
  }

  /// The output type, without asking that both operands have one element type.
  func broadcastType(_ a: TensorType, _ b: TensorType) throws(OperatorError) -> TensorType {
    guard let element = resultElement(a.element) else { throw OperatorError("does not take \(a.element)") }
    guard let shape = broadcastShape(a.shape, b.shape) else {
      throw OperatorError("shapes \(a) and \(b) do not broadcast")
    }
    return TensorType(element, shape)
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let (a, b) = (inputs[0], inputs[1])
    let output = try broadcastType(a.type, b.type)
    let (element, shape) = (output.element, output.shape)
    let strides = [broadcastStrides(a.shape, to: shape), broadcastStrides(b.shape, to: shape)]
    let count = output.count
    if let left = a.integers(), let right = b.integers() {
      var result = [Int64](repeating: 0, count: count)
      var undefined = false
      forEachOffset(shape, strides: strides) { flat, offsets in
        if let value = apply(left[offsets[0]], right[offsets[1]]) {
          result[flat] = value
        } else {
          undefined = true
        }
      }
      if undefined { throw OperatorError("integer result is not defined") }
      return [Tensor(element, shape, integers: result)]
    }
    let (left, right) = (a.doubles(), b.doubles())
    var result = [Double](repeating: 0, count: count)
    if a.shape == b.shape {
      for index in 0..<count { result[index] = apply(left[index], right[index]) }
    } else {
      forEachOffset(shape, strides: strides) { flat, offsets in
        result[flat] = apply(left[offsets[0]], right[offsets[1]])
      }
    }
    return [Tensor(element, shape, doubles: result)]
  }
}

extension BinaryOperator where Self: ActivatedOperator {
  /// A fused activation is a function of real numbers: integers take none.
  public func resultElement(_ element: ElementType) -> ElementType? {
    element.isFloat || (element.isInteger && activation == .identity) ? element : nil
  }
}

/// Two numbers under numpy broadcasting, bool out. Comparisons with NaN are false.
public protocol ComparisonOperator: BinaryOperator {
  func holds<Number: Comparable>(_ a: Number, _ b: Number) -> Bool
}

extension ComparisonOperator {
  public func apply(_ a: Double, _ b: Double) -> Double { holds(a, b) ? 1 : 0 }
  public func apply(_ a: Int64, _ b: Int64) -> Int64? { holds(a, b) ? 1 : 0 }
  public func resultElement(_ element: ElementType) -> ElementType? { element == .bool ? nil : .bool }
}

/// Two bool inputs under numpy broadcasting, bool out.
public protocol LogicalOperator: BinaryOperator {
  func combine(_ a: Bool, _ b: Bool) -> Bool
}

extension LogicalOperator {
  public func apply(_ a: Double, _ b: Double) -> Double { combine(a != 0, b != 0) ? 1 : 0 }
  public func apply(_ a: Int64, _ b: Int64) -> Int64? { combine(a != 0, b != 0) ? 1 : 0 }
  public func resultElement(_ element: ElementType) -> ElementType? { element == .bool ? .bool : nil }
}
