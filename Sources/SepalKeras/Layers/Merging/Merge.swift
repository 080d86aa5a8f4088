import SepalGraph
import SepalTensor

extension LayerRules {
  /// Add, Multiply, Maximum, Minimum: the operation over all inputs, from the first to the last.
  static func merge(_ op: any Operator) -> Rule {
    { context throws(KerasError) in [try context.merge(try context.inputs(), op)] }
  }

  static func subtract(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let inputs = try context.inputs()
    guard inputs.count == 2 else {
      throw KerasError(.invalid, "is called with \(inputs.count) tensors, expected two")
    }
    return [try context.merge(inputs, Sub())]
  }

  static func average(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    [try context.average(try context.inputs())]
  }

  static func concatenate(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    [try context.concatenate(try context.inputs(), axis: try context.int("axis", default: -1))]
  }

  /// The one merging layer of Keras 1, which names what it does.
  static func legacyMerge(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let inputs = try context.inputs()
    switch try context.string("mode", default: "sum") {
    case "sum": return [try context.merge(inputs, Add())]
    case "mul": return [try context.merge(inputs, Mul())]
    case "max": return [try context.merge(inputs, Max())]
    case "min": return [try context.merge(inputs, Min())]
    case "ave": return [try context.average(inputs)]
    case "concat":
      return [try context.concatenate(inputs, axis: try context.int("concat_axis", default: -1))]
    case let mode:
      throw context.unsupported(
        "mode", "is '\(mode.printable())', expected one of sum, mul, max, min, ave, concat")
    }
  }
}

extension LayerContext {
  /// Operands of lower rank get axes behind the first, as Keras lines them up.
  fileprivate func merge(
    _ inputs: [ValueID], _ op: any Operator, last: String? = nil
  ) throws(KerasError) -> ValueID {
    let rank = inputs.map { shape(of: $0).count }.max() ?? 0
    var aligned: [ValueID] = []
    for (index, input) in inputs.enumerated() {
      let shape = shape(of: input)
      let missing = [Int](repeating: 1, count: shape.isEmpty ? 0 : rank - shape.count)
      aligned.append(
        try reshape(input, to: shape.prefix(1) + missing + shape.dropFirst(), step: "aligned\(index)"))
    }
    var result = aligned[0]
    for (index, input) in aligned.enumerated().dropFirst() {
      result = try add(op, [result, input], step: index == aligned.count - 1 ? last : "first\(index + 1)")
    }
    return result
  }

  fileprivate func average(_ inputs: [ValueID]) throws(KerasError) -> ValueID {
    let sum = try merge(inputs, Add(), last: "sum")
    guard type(of: sum).element.isFloat else {
      throw KerasError(.unsupported, "averages \(type(of: sum).element), expected float32")
    }
    return try add(Div(), [sum, add(scalar: Double(inputs.count), step: "count")])
  }

  fileprivate func concatenate(_ inputs: [ValueID], axis: Int) throws(KerasError) -> ValueID {
    let axis = try self.axis(axis, rank: shape(of: inputs[0]).count)
    return inputs.count == 1 ? inputs[0] : try add(Concat(axis: axis), inputs)
  }
}
