import SepalGraph

extension LayerRules {
  static func activation(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    [try context.activate(try context.input())]
  }
}
