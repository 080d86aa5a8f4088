import SepalGraph
import SepalTensor

/// Compares what the file says about values (`value_info` and graph outputs) with what was inferred.
///
/// A declared shape is a hint that exporters and later edits get wrong: inference wins, with one note for the
/// whole model. A declared element type that contradicts inference means that the model was understood
/// differently by whoever wrote it, which is an error.
struct AnnotationCheck {
  private var declared: [String: (ONNXDataType, [Dimension]?)] = [:]
  private var contradictions = 0
  private var example = ""

  init(_ infos: [ONNXValueInfo]) {
    declared.reserveCapacity(infos.count)
    for info in infos {
      if case .tensor(let dataType, let shape) = info.kind { declared[info.name] = (dataType, shape) }
    }
  }

  mutating func check(_ name: String, _ inferred: TensorType, _ node: ONNXNode) throws(ONNXError) {
    guard let (dataType, shape) = declared[name] else { return }
    guard dataType == .undefined || dataType == ONNXDataType(inferred.element) else {
      throw node.error(
        .invalid, "is declared as \(dataType), but the operator gives \(ONNXDataType(inferred.element))",
        tensor: name)
    }
    guard let shape, contradicts(shape, inferred.shape) else { return }
    if contradictions == 0 {
      let dims = shape.map(\.description).joined(separator: "x")
      example = "'\(name)' is declared as [\(dims)] and is \(inferred)"
    }
    contradictions += 1
  }

  var note: String? {
    switch contradictions {
    case 0: nil
    case 1: "a declared shape is wrong and was ignored: \(example)"
    default: "\(contradictions) declared shapes are wrong and were ignored, the first: \(example)"
    }
  }

  private func contradicts(_ declared: [Dimension], _ inferred: [Int]) -> Bool {
    guard declared.count == inferred.count else { return true }
    return zip(declared, inferred).contains { declared, inferred in
      if case .fixed(let value) = declared { value != inferred } else { false }
    }
  }
}
