import SepalTensor

/// Checks that shape inference shares. `operand` is the operand's name in the error.
extension TensorType {
  package func requireFloat(_ operand: String) throws(OperatorError) {
    guard element.isFloat else { throw OperatorError("\(operand) is \(self), expected floating point") }
  }

  package func requireRank(_ ranks: ClosedRange<Int>, _ operand: String) throws(OperatorError) {
    guard ranks.contains(rank) else {
      let expected =
        ranks.count == 1
        ? "\(ranks.lowerBound)"
        : ranks.upperBound >= TensorType.maximumRank
          ? "\(ranks.lowerBound) or more" : "\(ranks.lowerBound) to \(ranks.upperBound)"
      throw OperatorError("\(operand) is \(self), expected rank \(expected)")
    }
  }

  package func require(_ element: ElementType, _ shape: [Int], _ operand: String) throws(OperatorError) {
    let expected = TensorType(element, shape)
    guard self == expected else { throw OperatorError("\(operand) is \(self), expected \(expected)") }
  }

  /// Accepts shapes that broadcast to `shape` without widening it.
  package func require(
    _ element: ElementType, broadcastingTo shape: [Int], _ operand: String
  ) throws(OperatorError) {
    guard self.element == element, broadcastShape(self.shape, shape) == shape else {
      throw OperatorError("\(operand) is \(self), expected \(element) broadcasting to \(shape)")
    }
  }
}

/// The product, or `Int.max` where it is not representable. For costs of types that a file may make absurd.
package func saturatingProduct(_ factors: some Sequence<Int>) -> Int {
  var product = 1
  for factor in factors {
    if factor == 0 { return 0 }
    let (value, overflow) = product.multipliedReportingOverflow(by: factor)
    product = overflow ? Int.max : value
  }
  return product
}
