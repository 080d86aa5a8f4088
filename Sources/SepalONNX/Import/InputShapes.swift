import SepalTensor

/// Decides the static shape of every graph input.
///
/// A dimension that the file leaves open takes, in this order: the value given for it by name of the input, the
/// value that another input's given shape has for the same symbol, 1 when it is the leading one.
struct InputShapes {
  private let given: [String: [Int]]
  private var symbols: [String: Int] = [:]
  private(set) var notes: [String] = []

  init(_ graph: ONNXGraph, _ options: ONNXImporter.Options) throws(ONNXError) {
    given = options.shapes
    let inputs = Dictionary(graph.inputs.map { ($0.name, $0.kind) }) { first, _ in first }
    for name in options.shapes.keys.sorted() + options.constants.keys.sorted() where inputs[name] == nil {
      let names = graph.inputs.prefix(20).map { "'\($0.name)'" }.joined(separator: ", ")
      throw ONNXError(.invalid, "has no input '\(name)'; its inputs are \(names)")
    }
    for (name, shape) in options.shapes.sorted(by: { $0.key < $1.key }) {
      guard case .tensor(_, let declared?) = inputs[name], declared.count == shape.count else { continue }
      for case (.symbolic(let symbol?), let value) in zip(declared, shape) {
        guard symbols[symbol, default: value] == value else {
          throw ONNXError(
            .invalid, "has the dimension '\(symbol)', which the given shapes set to two values", tensor: name)
        }
        symbols[symbol] = value
      }
    }
  }

  mutating func type(of input: ONNXValueInfo) throws(ONNXError) -> TensorType {
    let name = input.name
    func invalid(_ message: String) -> ONNXError { ONNXError(.invalid, message, tensor: name) }
    let (dataType, declared): (ONNXDataType, [Dimension]?)
    switch input.kind {
    case .tensor(let type, let shape): (dataType, declared) = (type, shape)
    case .other(let kind):
      throw ONNXError(.unsupported, "is an input of type \(kind), expected a tensor", tensor: name)
    case .undeclared: throw invalid("is an input without a type")
    }
    guard let element = dataType.element else {
      throw ONNXError(.unsupported, "is an input of \(dataType), which is not supported", tensor: name)
    }
    let shape: [Int]
    if let override = given[name] {
      try check(override, against: declared, name)
      shape = override
    } else if let declared {
      shape = try fixed(declared, name)
    } else {
      throw invalid("is an input of unknown rank: give its shape, as in --shape \(name)=1x3x224x224")
    }
    guard shape.count <= TensorType.maximumRank else {
      throw invalid("is an input of rank \(shape.count), expected at most \(TensorType.maximumRank)")
    }
    guard shape.allSatisfy({ (0...largestExtent).contains($0) }), TensorType.checkedCount(shape) != nil
    else {
      throw invalid("is an input with the impossible shape \(shape)")
    }
    return TensorType(element, shape)
  }

  private mutating func check(
    _ override: [Int], against declared: [Dimension]?, _ name: String
  ) throws(ONNXError) {
    guard let declared else { return }
    guard override.count == declared.count else {
      throw ONNXError(
        .invalid,
        "is an input of rank \(declared.count), but the given shape \(override) has rank \(override.count)",
        tensor: name)
    }
    for (axis, (old, new)) in zip(declared, override).enumerated() {
      if case .fixed(let value) = old, value != new {
        notes.append("dimension \(axis) of input '\(name)' is \(value) in the file and was set to \(new)")
      }
    }
  }

  private mutating func fixed(_ declared: [Dimension], _ name: String) throws(ONNXError) -> [Int] {
    var shape: [Int] = []
    for (axis, dimension) in declared.enumerated() {
      switch dimension {
      case .fixed(let value): shape.append(value)
      case .symbolic(let symbol):
        let label = symbol.map { "'\($0)'" } ?? "\(axis)"
        if let symbol, let value = symbols[symbol] {
          shape.append(value)
        } else if axis == 0 {
          shape.append(1)
          notes.append("dimension \(label) of input '\(name)' is fixed to 1")
        } else {
          let example = declared.enumerated().map { index, dimension in
            if case .fixed(let value) = dimension { String(value) } else { index == 0 ? "1" : "N" }
          }
          throw ONNXError(
            .invalid,
            "is an input whose dimension \(label) is unknown: give its shape, as in --shape "
              + "\(name)=\(example.joined(separator: "x"))", tensor: name)
        }
      }
    }
    return shape
  }
}
