import SepalGraph

extension Graph {
  /// What a report says about a value and the node that computes it.
  func site(of id: ValueID) -> StructureComparison.Site {
    let value = value(id)
    guard let node = producer(of: id) else {
      return .init(
        name: value.name, op: value.isConstant ? "constant" : "input", type: "\(value.type)",
        origins: value.origins.map(\.name))
    }
    let attributes = node.op.nonDefaultAttributes.map { "\($0.name): \($0.value)" }.joined(separator: ", ")
    return .init(
      name: node.name, op: node.op.name + (attributes.isEmpty ? "" : " {\(attributes)}"),
      type: "\(value.type)", origins: value.origins.map(\.name))
  }
}
