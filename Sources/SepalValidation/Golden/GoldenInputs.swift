import SepalGraph
import SepalTensor

/// The inputs of golden vectors, as `schemas/FORMAT.md` defines them. Files rely on it: what is here must not change; another
/// way of making inputs is another generator.
enum GoldenInputs {
  static let generator = 1

  static func make(for graph: Graph, seed: UInt64) -> [String: Tensor] {
    var generator = InputGenerator(seed: seed)
    return generator.inputs(for: graph, .normal)
  }
}
