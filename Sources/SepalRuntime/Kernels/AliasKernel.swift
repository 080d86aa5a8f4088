import SepalGraph

/// Operators that change no byte: their output is their input's memory, and there is nothing to run.
struct AliasKernel: Kernel {
  static let operators = [Reshape.schema.name, Identity.schema.name, Transpose.schema.name]

  let summary = "alias"
  var units: Int { 0 }
  var work: Int { 0 }

  /// Declines constants, whose memory is not in the arena, and transpositions that move more than unit axes.
  init?(_ site: Site) {
    guard site.constant(0) == nil else { return nil }
    if let op = site.op(Transpose.self) {
      let moved = op.permutation.filter { site.inputs[0].shape[$0] != 1 }
      guard moved == moved.sorted() else { return nil }
    }
  }

  func bind(_ memory: Operands) -> BoundStep {
    BoundStep(body: { _, _, _, _ in }, context: memory.context(0))
  }
}
