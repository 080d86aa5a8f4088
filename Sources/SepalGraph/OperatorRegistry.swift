/// Every operator, one line each. The native file and the documentation are driven by this list.
public enum OperatorRegistry {
  public static let all: [any Operator.Type] = [
    Add.self,
    Clip.self,
    Conv.self,
    Relu.self,
  ]

  private static let byName: [String: any Operator.Type] = Dictionary(
    uniqueKeysWithValues: all.map { ($0.schema.name, $0) })

  public static func type(named name: String) -> (any Operator.Type)? { byName[name] }
}
