import SepalGraph

/// Operators that change no byte: their output is their input's memory, and there is nothing to run.
struct AliasKernel: Kernel {
  static let operators = [Reshape.schema.name, Identity.schema.name, Transpose.schema.name]

  private let input: Form
  let outputForm: Form
  let summary = "alias"
  var units: Int { 0 }
  var work: Int { 0 }
  func inputForm(_ index: Int) -> Form { input }

  /// Declines constants, whose memory is not in the arena, and transpositions that move more than unit axes, other than
  /// those between the two forms of an image.
  init?(_ site: Site) {
    guard site.constant(0) == nil else { return nil }
    var forms = (input: Form.plain, output: Form.plain)
    if site.op(Identity.self) != nil {
      forms = (site.form(0), site.form(0))
    } else if let op = site.op(Transpose.self) {
      let moved = op.permutation.filter { site.inputs[0].shape[$0] != 1 }
      if moved != moved.sorted() {
        let rank = op.permutation.count
        if op.permutation == [0] + Array(2..<rank) + [1], ImageShape(site.outputs[0]) != nil {
          forms.output = .planar
        } else if op.permutation == [0, rank - 1] + Array(1..<rank - 1), ImageShape(site.inputs[0]) != nil {
          forms.input = .planar
        } else {
          return nil
        }
      }
    }
    (input, outputForm) = forms
  }

  func bind(_ memory: Operands) -> BoundStep {
    BoundStep(body: { _, _, _, _ in }, context: memory.context(0))
  }
}
