import SepalTensor

/// Numbers that a configuration holds: one, or nested lists of equal lengths, with or without a type.
struct ArrayConstant {
  let shape: [Int]
  /// The type that the numbers have by themselves; float64, which Keras seldom means, counts as float32.
  let element: ElementType
  let isFloat64: Bool
  private var numbers: [Double] = []
  /// Set while all numbers are integers, which doubles may not hold.
  private var integers: [Int64]? = []
  private let name: String

  init(_ json: JSON, name: String) throws(KerasError) {
    self.name = name
    let plain = json.plainValue
    var shape: [Int] = []
    var probe = plain
    while let list = probe.array {
      guard shape.count < TensorType.maximumRank else {
        throw KerasError(.invalid, "is called with an array of too many dimensions as '\(name)'")
      }
      shape.append(list.count)
      guard let first = list.first else { break }
      probe = first
    }
    self.shape = shape
    let declared = json.object?["config"]?.object?["dtype"]?.string
    let isBool = if case .bool = probe { true } else { false }
    let isInteger = if case .int = probe { true } else { false }
    if let declared {
      guard let type = ElementType(name: declared) else {
        throw KerasError(.unsupported, "is called with an array of \(declared.printable()) as '\(name)'")
      }
      isFloat64 = type == .float64
      element = type == .float64 ? .float32 : type
    } else {
      isFloat64 = false
      element = isBool ? .bool : isInteger ? .int32 : .float32
    }
    try collect(plain, 0)
  }

  private mutating func collect(_ json: JSON, _ depth: Int) throws(KerasError) {
    if let list = json.array {
      guard depth < shape.count, list.count == shape[depth] else {
        throw KerasError(.invalid, "is called with an irregular array as '\(name)'")
      }
      for element in list { try collect(element, depth + 1) }
      return
    }
    guard depth == shape.count, let number = json.number else {
      throw KerasError(.invalid, "is called with \(json.kind) as '\(name)', expected numbers")
    }
    numbers.append(number)
    if let integer = json.int {
      integers?.append(Int64(integer))
    } else if case .bool(let flag) = json {
      integers?.append(flag ? 1 : 0)
    } else {
      integers = nil
    }
  }

  /// The numbers in another type, which must hold them.
  func tensor(_ element: ElementType) throws(KerasError) -> Tensor {
    guard !element.isFloat else { return Tensor(element, shape, doubles: numbers) }
    if element == .bool { return Tensor(.bool, shape, doubles: numbers) }
    guard let integers, integers.allSatisfy(element.integerRange.contains) else {
      throw KerasError(.invalid, "is called with '\(name)', which is no constant of type \(element)")
    }
    return Tensor(element, shape, integers: integers)
  }
}
