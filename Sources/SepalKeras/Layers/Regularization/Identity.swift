import SepalGraph

extension LayerRules {
  /// Layers that do something in training only.
  static func identity(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    [try context.input()]
  }
}
