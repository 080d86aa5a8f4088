import SepalGraph
import SepalTensor

/// One rule per operation that a Functional model uses between layers.
///
/// Keras 3 names them by class (`Add`); Keras 2 by TensorFlow's function (`math.add`, in TFOpLambda) or raw operator
/// (`raw.AddV2`, in TensorFlowOpLayer).
enum OperationRules {
  typealias Rule = LayerRules.Rule

  static let byName: [String: Rule] = [
    "Add": binary(Add()),
    "math.add": binary(Add()),
    "__operators__.add": binary(Add()),
    "Multiply": binary(Mul()),
    "math.multiply": binary(Mul()),
  ]

  /// Two operands, either of which may be a number or an array.
  static func binary(_ op: any Operator) -> Rule {
    { context throws(KerasError) in
      let a = try context.operand(0, "x1", "x", "a")
      let b = try context.operand(1, "x2", "y", "b")
      return [
        try context.add(
          op, [try context.value(a, like: b, step: "a"), try context.value(b, like: a, step: "b")])
      ]
    }
  }
}

extension LayerContext {
  /// An operand that must be there.
  func operand(_ index: Int, _ names: String...) throws(KerasError) -> Operands.Operand {
    var operand = index < operands.positional.count ? operands.argument(index) : nil
    if operand == nil { operand = operands.keyword(names) }
    guard let operand else { throw KerasError(.invalid, "is called without '\(names[0])'") }
    return operand
  }

  /// An operand as a value: numbers become constants of the other operand's type.
  func value(
    _ operand: Operands.Operand, like other: Operands.Operand, step: String
  ) throws(KerasError) -> ValueID {
    if case .value(let value) = operand { return value }
    guard let json = operand.json else {
      throw KerasError(.unsupported, "is called with a list of tensors as '\(step)'")
    }
    let element: ElementType = if case .value(let value) = other { type(of: value).element } else { .float32 }
    return add(constant: try Tensor(json, element: element, name: step), step: step)
  }
}

extension Tensor {
  /// Numbers in nested lists of equal lengths.
  init(_ json: JSON, element: ElementType, name: String) throws(KerasError) {
    var shape: [Int] = []
    var numbers: [Double] = []
    var probe = json.plainValue
    while let list = probe.array, shape.count <= TensorType.maximumRank {
      shape.append(list.count)
      guard let first = list.first else { break }
      probe = first
    }
    func collect(_ json: JSON, _ depth: Int) throws(KerasError) {
      if let list = json.array {
        guard depth < shape.count, list.count == shape[depth] else {
          throw KerasError(.invalid, "is called with an irregular array as '\(name)'")
        }
        for element in list { try collect(element, depth + 1) }
      } else {
        guard depth == shape.count, let number = json.number else {
          throw KerasError(.invalid, "is called with \(json.kind) as '\(name)', expected numbers")
        }
        numbers.append(number)
      }
    }
    try collect(json.plainValue, 0)
    self.init(element, shape, doubles: numbers)
  }
}
