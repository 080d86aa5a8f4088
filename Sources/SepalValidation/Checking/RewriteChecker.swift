import SepalGraph
import SepalTensor

/// Shows of each rewrite, by itself, that what comes computes the same as what goes.
///
/// A rewrite replaces values by others. Both are functions of what is read where the rewrite is cut out of the graph; the
/// checker evaluates both there, in double precision, on random probes, and demands that they agree: bit by bit where the
/// rewrite says that it is exact, else to the rounding of the constants that it makes. How much those roundings matter is
/// not guessed: the new constants are moved by one unit in their last place, at random, and the result is watched.
/// Where the two differ on arbitrary probes, the rewrite may rely on what comes before it, such as the range of an
/// activation; so the cut moves back step by step. Agreement at any cut is agreement in the graph.
///
/// It knows no pass and shares no code with any; it rests on the operators' reference evaluations. Convolutions and their like
/// are probed on a small picture, the same kernel everywhere, so that the cost is linear in the weights.
///
/// What it can miss: probes are continuous random numbers, so that a wrong constant changes the result unless it has no
/// effect at all on these probes; seen are changes beyond eight times the effect of rounding. A weight of a sum of n terms is
/// thus found to be wrong from about √n · 2⁻²⁰ of a typical one. Each of the three probes would have to miss it.
public struct RewriteChecker: Sendable {
  /// A rewrite that does not compute what it replaced, or could not be shown to.
  public struct Fault: Sendable, Hashable {
    public var pass: String
    /// `name (Op)` of the nodes that went and of those that came.
    public var before: [String]
    public var after: [String]
    /// Source tensors that the replaced values stood for.
    public var origins: [String]
    /// Position of the rewrite in the log, from 0.
    public var index: Int
    public var message: String
  }

  /// Rewrites that were looked at.
  public private(set) var checked = 0
  public private(set) var faults: [Fault] = []

  /// How far the cut moves back before a rewrite counts as wrong.
  private static let maximumDepth = 3
  private static let maximumNodes = 64

  public init() {}

  /// Checks a rewrite that is about to be applied to `graph`.
  public mutating func check(_ rewrite: Rewrite, pass: String, in graph: Graph) {
    defer { checked += 1 }
    guard let message = Self.objection(to: rewrite, in: graph) else { return }
    let (before, after) = rewrite.summary(in: graph)
    faults.append(
      Fault(
        pass: pass, before: before, after: after,
        origins: rewrite.replacements.flatMap { graph.value($0.old).origins.map(\.name) },
        index: checked, message: message))
  }

  /// Why the rewrite is not to be believed; nil when it is right.
  private static func objection(to rewrite: Rewrite, in graph: Graph) -> String? {
    // Nodes that nobody reads; that nobody does is for the graph to see to.
    guard !rewrite.replacements.isEmpty else { return nil }
    var nodes = RewriteSite.core(of: rewrite, in: graph)
    var cuts: [Set<NodeID>] = []
    for _ in 0...maximumDepth {
      cuts.append(nodes)
      let wider = RewriteSite.widened(nodes, for: rewrite, in: graph)
      guard wider.count > nodes.count, wider.count <= maximumNodes else { break }
      nodes = wider
    }
    var objection: String?
    for cut in cuts {
      do throws(GraphError) {
        let site = try RewriteSite(reducing: rewrite, in: graph, nodes: cut)
        objection = try SiteComparison(site, exactness: rewrite.exactness).objection
        if objection == nil { return nil }
      } catch {
        objection = "\(error)"
      }
    }
    return objection ?? "cannot be checked"
  }
}
