import SepalGraph

/// Why a graph could not be optimised. The graph must be dropped, unless the code is `unknownPass`.
public struct OptimizationError: Error, Sendable, Hashable {
  public enum Code: Sendable, Hashable {
    /// A pass was named that does not exist.
    case unknownPass
    /// A pass proposed something illegal.
    case illegalRewrite
    /// Passes undo each other's work, or one never ends.
    case noFixpoint
  }

  public let code: Code
  /// The pass at fault, or the name that is not a pass.
  public let pass: String
  public let message: String
  /// Where in the graph, for illegal rewrites.
  public let cause: GraphError?

  init(_ code: Code, pass: String, message: String, cause: GraphError? = nil) {
    self.code = code
    self.pass = pass
    self.message = message
    self.cause = cause
  }
}

extension OptimizationError: CustomStringConvertible {
  public var description: String { "pass '\(pass)': \(message)" }
}
