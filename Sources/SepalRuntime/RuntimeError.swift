/// Why a model could not be planned or run.
public struct RuntimeError: Error, Sendable, Hashable {
  public enum Code: String, Sendable {
    /// The graph breaks a rule that the plan relies on.
    case invalidGraph
    /// The activations need more memory than the options allow.
    case tooLarge
    /// The instruction set asked for is not in this build or not on this machine.
    case unavailableInstructionSet
    /// An input was not given.
    case missingInput
    /// A name that the model does not have.
    case unknownName
    /// An input's element type or shape is not the model's.
    case inputMismatch
    /// An operator refused its operands' values.
    case operatorFailed
  }

  public let code: Code
  /// The node that failed, where it was one.
  public let node: String?
  public let message: String

  public init(_ code: Code, node: String? = nil, _ message: String) {
    self.code = code
    self.node = node
    self.message = message
  }
}

extension RuntimeError: CustomStringConvertible {
  public var description: String { node.map { "node '\($0)': \(message)" } ?? message }
}
