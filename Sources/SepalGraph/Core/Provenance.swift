/// Where a graph came from and what was done to it. Travels in the native file.
public struct Provenance: Sendable, Hashable {
  /// `onnx`, `keras`, `sepal`.
  public var sourceFormat = ""
  /// The producer that the source names, such as `pytorch 2.1`.
  public var producer = ""
  /// Lower-case hexadecimal SHA-256 of the source, as `schemas/FORMAT.md` defines it; empty when unknown.
  public var sourceDigest = ""
  /// Nodes in the source file before anything was done.
  public var sourceNodeCount = 0
  /// Parameters, statistics included, that the source's layers hold; nil when the importer does not know or the graph
  /// was read from a native file.
  public var sourceParameterCount: Int?
  /// The version of the program that converted the source; empty when unknown.
  public var toolVersion = ""
  /// Passes that were left out, sorted.
  public var disabledPasses: [String] = []
  /// How convolutions were to be separated: `off`, `exact` or `approx=TOLERANCE`; empty when unknown.
  public var separation = ""
  /// What what is cheaper was counted in: `MACs`, or `ms` as predicted for a machine; empty when unknown.
  public var costUnit = ""
  /// Whether approximations were fitted to samples of the inputs.
  public var isCalibrated = false
  public var rewrites: [RewriteRecord] = []
  /// What the source computes, at the shapes that this graph has.
  public var golden: [GoldenVector] = []

  public init() {}

  /// `sourceParameterCount` as long as nothing was done to the graph.
  package var unchangedParameterCount: Int? { rewrites.isEmpty ? sourceParameterCount : nil }
}

/// How the result of a rewrite relates to what it replaced.
public enum Exactness: Sendable, Hashable {
  /// Bit-identical on every input.
  case exact
  /// The same function over the real numbers; rounding may differ.
  case reassociated
  /// Differs by at most this relative error.
  case approximate(Double)
}

/// One applied rewrite.
public struct RewriteRecord: Sendable, Hashable {
  public var pass: String
  /// `name (Op)` of the nodes that went.
  public var before: [String]
  /// `name (Op)` of the nodes that came.
  public var after: [String]
  /// Source tensors that the new nodes' outputs stand for.
  public var origins: [String]
  public var exactness: Exactness
  /// Nil where nobody asked.
  public var witness: RewriteWitness?

  public init(
    pass: String, before: [String], after: [String], origins: [String], exactness: Exactness,
    witness: RewriteWitness? = nil
  ) {
    self.pass = pass
    self.before = before
    self.after = after
    self.origins = origins
    self.exactness = exactness
    self.witness = witness
  }
}

/// Digests of what a rewrite did. Each is 32 hexadecimal digits in lower case, the first half of a SHA-256.
public struct RewriteWitness: Sendable, Hashable {
  /// Of the whole rewrite: its nodes with their attributes and operands, and its constants.
  public var digest: String
  /// Of each constant that the nodes it made read, in order.
  public var constants: [String]

  public init(digest: String, constants: [String]) {
    self.digest = digest
    self.constants = constants
  }
}
