import SepalGraph

/// One rule per operation that a Functional model uses between layers.
///
/// Keras 3 names them by class (`Add`), Keras 2 by TensorFlow's function (`math.add`, in TFOpLambda) or raw operator
/// (`raw_ops.AddV2`, in TensorFlowOpLayer). What Python passes as keywords or stores in the configuration alike, rules read
/// like a layer's configuration.
enum OperationRules {
  typealias Rule = LayerRules.Rule

  /// Names are unique: Keras's start with a capital, TensorFlow's do not.
  private static let rules: [String: Rule] = [
    activations, arithmetic, comparisons, convolutions, elementwise, images, indexing, joining, products,
    reductions, reshaping,
  ].reduce(into: [:]) { $0.merge($1) { first, _ in first } }

  /// Names of operations, sorted.
  static let names = (rules.keys + RawOperator.byName.keys.map { "raw_ops.\($0)" }).sorted()

  static func rule(_ name: String) -> Rule? {
    if name.hasPrefix("raw_ops.") {
      guard let raw = RawOperator.byName[String(name.dropFirst(8))], let rule = rules[raw.function] else {
        return nil
      }
      return { context throws(KerasError) in try run(rule, try raw.arguments(of: context)) }
    }
    guard let rule = rules[name] else { return nil }
    return { context throws(KerasError) in try run(rule, context.withSettings()) }
  }

  private static func run(_ rule: Rule, _ context: LayerContext) throws(KerasError) -> [ValueID] {
    let outputs = try rule(context)
    for member in context.config.members where !member.value.isNull && !context.hasRead(member.name) {
      throw context.unsupported(member.name, "is given, which is not supported")
    }
    return outputs
  }
}

extension LayerConfig {
  var isTensorFlowOperation: Bool {
    ["TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer"].contains(className)
  }
}
