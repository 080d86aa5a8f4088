import SepalGraph
import SepalRuntime
import SepalTensor

extension Bisection {
  /// A part of the graph before a rewrite, whose conversion goes wrong as that of the whole does.
  public struct Repro: Sendable {
    /// Some nodes of the graph before the rewrite.
    public let original: Graph
    /// What the conversion makes of them.
    public let converted: Graph
    /// What those nodes read in the whole graph, by name.
    public let inputs: [String: Tensor]
    /// What the reference of `original` computes, each tensor in its declared type.
    public let expected: [String: Tensor]
    /// What the runtime computes with `converted`.
    public let actual: [String: Tensor]

    /// Nil when the two are equivalent.
    init?(
      original: Graph, converted: Graph, inputs: [String: Tensor], options: Validator.Options
    ) throws(ComparisonError) {
      guard
        try !Validator(original: original, converted: converted, options: options).run(inputs: inputs)
          .isEquivalent
      else { return nil }
      self.original = original
      self.converted = converted
      self.inputs = inputs
      do {
        var expected = try original.evaluate(inputs, precision: .double)
        for output in original.outputs {
          expected[output.name] = expected[output.name]?.converted(
            to: original.type(of: output.value).element)
        }
        self.expected = expected
      } catch {
        throw ComparisonError("the reference cannot be evaluated: \(error)")
      }
      do {
        actual = try Model(converted).makeSession().run(inputs: inputs)
      } catch {
        throw ComparisonError("the converted model cannot be run: \(error)")
      }
    }
  }
}
