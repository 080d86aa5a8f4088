import SepalGraph
import SepalTensor

/// The inputs of golden vectors, as `schemas/FORMAT.md` defines them. Files rely on it: what is here must not change; another
/// way of making inputs is another generator.
enum GoldenInputs {
  static let generator = 1

  static func make(for graph: Graph, seed: UInt64) -> [String: Tensor] {
    var random = SplitMix64(seed: seed)
    var inputs: [String: Tensor] = [:]
    for id in graph.inputs {
      let type = graph.type(of: id)
      let values = (0..<type.count).map { _ in
        switch type.element {
        case .bool: Double(random.next() & 1)
        case let element where element.isInteger: Double(random.next() % 8)
        default: (0..<12).reduce(-6.0) { sum, _ in sum + Double(random.next() >> 11) * 0x1p-53 }
        }
      }
      inputs[graph.value(id).name] = Tensor(type.element, type.shape, doubles: values)
    }
    return inputs
  }
}
