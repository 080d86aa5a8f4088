import SepalGraph
import SepalTensor

extension LayerRules {
  /// x·scale + offset; numbers, or one for each channel.
  static func rescaling(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    var value = try context.input()
    if !context.type(of: value).element.isFloat {
      value = try context.add(Cast(to: .float32), [value], step: "cast")
    }
    let scale = try context.numbers("scale", default: 1)
    let offset = try context.numbers("offset", default: 0)
    value = try context.add(Mul(), [value, context.add(constant: scale, step: "scale")], step: "scaled")
    return [try context.add(Add(), [value, context.add(constant: offset, step: "offset")])]
  }
}

extension LayerContext {
  /// A number or a list of them as a scalar or a vector.
  func numbers(_ field: String, default value: Double? = nil) throws(KerasError) -> Tensor {
    guard let list = entry(field)?.plainValue.array else {
      return Tensor(.float32, [], doubles: [try number(field, default: value)])
    }
    var numbers: [Double] = []
    for element in list {
      guard let number = element.number else {
        throw invalid(field, "holds \(element.kind), expected numbers")
      }
      numbers.append(number)
    }
    return Tensor(.float32, [numbers.count], doubles: numbers)
  }
}
