import SepalTensor

/// One operator of the graph: a value type holding its attributes, one file each.
///
/// A new operator is one file in `Operators/` plus one line in `OperatorRegistry.all`.
public protocol Operator: Sendable {
  static var schema: OperatorSchema { get }

  /// All attributes at their defaults.
  init()

  /// Output types, or why the inputs or attributes are not legal. Arity was checked against the schema.
  func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType]

  /// The plain meaning of the operator: obvious, slow, accumulating floating point in `Double`.
  /// Inputs may be wider than inferred (`float64` for `float32`); outputs follow the inputs' element type.
  func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor]

  /// Multiply-adds of convolutions and matrix products for these inputs; zero elsewhere.
  func macs(_ inputs: Inputs<TensorType>, outputs: [TensorType]) -> Int
}

extension Operator {
  public func macs(_ inputs: Inputs<TensorType>, outputs: [TensorType]) -> Int { 0 }

  /// The operator's name in the registry, the file and dumps.
  public var name: String { Self.schema.name }
}

/// An operator with one output whose fused activation is applied last.
public protocol ActivatedOperator: Operator {
  var activation: Activation { get set }
}

/// Operands of one node; absent optional ones are nil.
public struct Inputs<Element> {
  private let items: [Element?]

  public init(_ items: [Element?]) { self.items = items }

  public var count: Int { items.count }

  /// A required operand. The schema's arity check has made sure that it is there.
  public subscript(index: Int) -> Element {
    guard let item = items[index] else { preconditionFailure("operand \(index) is absent") }
    return item
  }

  /// An optional operand.
  public func optional(_ index: Int) -> Element? { index < items.count ? items[index] : nil }

  /// All operands that are present, in order.
  public var present: [Element] { items.compactMap { $0 } }
}

extension Inputs<Tensor> {
  /// What shape inference sees of these operands.
  public var types: Inputs<TensorType> { Inputs<TensorType>(items.map { $0?.type }) }
}

extension Inputs: Sendable where Element: Sendable {}

/// Why an operator refuses its inputs or attributes. The caller adds the node's name.
public struct OperatorError: Error, Sendable, Hashable, CustomStringConvertible {
  public var message: String
  public init(_ message: String) { self.message = message }
  public var description: String { message }
}
