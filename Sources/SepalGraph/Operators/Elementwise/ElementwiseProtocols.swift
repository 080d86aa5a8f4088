import SepalTensor

/// One input, same type and shape out, each element by itself.
public protocol UnaryOperator: Operator {
  func apply(_ x: Double) -> Double
  /// The integer meaning, for operators that have one; others refuse integers.
  func apply(_ x: Int64) -> Int64?
}

extension UnaryOperator {
  public func apply(_ x: Int64) -> Int64? { nil }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    if !inputs[0].element.isFloat && apply(Int64(0)) == nil {
      throw OperatorError("x is \(inputs[0].element), expected floating point")
    }
    return [inputs[0]]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let x = inputs[0]
    if let integers = x.integers() {
      return [Tensor(x.element, x.shape, integers: integers.map { apply($0) ?? $0 })]
    }
    return [Tensor(x.element, x.shape, doubles: x.doubles().map { apply($0) })]
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
    guard let element = resultElement(a.element) else {
      throw OperatorError("does not take \(a.element)")
    }
    guard let shape = broadcastShape(a.shape, b.shape) else {
      throw OperatorError("shapes \(a) and \(b) do not broadcast")
    }
    return [TensorType(element, shape)]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let (a, b) = (inputs[0], inputs[1])
    guard let shape = broadcastShape(a.shape, b.shape), let element = resultElement(a.element) else {
      throw OperatorError("does not take \(a.type) and \(b.type)")
    }
    let strides = [broadcastStrides(a.shape, to: shape), broadcastStrides(b.shape, to: shape)]
    let count = shape.reduce(1, *)
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
