import SepalGraph
import SepalTensor

extension LayerRules {
  /// x·scale + offset; numbers, or one for each channel.
  static func rescaling(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let input = try context.floatInput()
    let scale = try context.numbers("scale", default: 1)
    let offset = try context.numbers("offset", default: 0)
    let isShifted = offset.doubles() != [0]
    let scaled = try context.add(
      Mul(), [input, context.add(constant: scale, step: "scale")], step: isShifted ? "scaled" : nil)
    guard isShifted else { return [scaled] }
    return [try context.add(Add(), [scaled, context.add(constant: offset, step: "offset")])]
  }
}

extension LayerContext {
  /// The input of a layer that computes in floating point whatever it is given.
  func floatInput() throws(KerasError) -> ValueID {
    if let policy = layer.policyName, ElementType(name: policy)?.isFloat == false {
      throw unsupported("dtype", "is \(policy.printable()), expected a floating-point type")
    }
    let input = try input()
    return type(of: input).element.isFloat ? input : try add(Cast(to: .float32), [input], step: "cast")
  }

  /// A number or an array of them.
  func numbers(_ field: String, default value: Double? = nil) throws(KerasError) -> Tensor {
    guard let array = entry(field)?.plainValue, array.array != nil else {
      return Tensor(.float32, [], doubles: [try number(field, default: value)])
    }
    return try ArrayConstant(array, name: field).tensor(.float32)
  }
}
