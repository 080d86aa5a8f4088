import SepalDigest
import SepalGraph
import SepalTensor
import SepalValidation

/// What a file says about its source besides the rewrites: its digest, and what it computes. Found out on other threads
/// while the source is being converted.
struct SourceRecord {
  private let digest: Background<Result<String, FileError>>?
  private let golden: Background<Result<GoldenVector, ComparisonError>>?
  /// A source that cannot be evaluated is an error.
  private let isGoldenRequired: Bool
  /// Nobody asked, but the source takes long.
  private var isTooSlow = false
  private let path: String

  /// Multiply-adds up to which a source is evaluated unasked: about a second.
  private static let maximumMACs = 1_000_000_000

  /// - Parameter golden: whether to evaluate the source; nil where that is quick.
  init(_ source: ModelFile, golden isWanted: Bool?) throws(SepalError) {
    path = source.path
    isGoldenRequired = isWanted == true
    // A native file knows what it was converted from, and is not that.
    guard source.format != .sepal else {
      (digest, golden) = (nil, nil)
      if isGoldenRequired && source.graph.provenance.golden.isEmpty {
        throw SepalError(.usage, "\(path): was converted; golden vectors are made from the source")
      }
      return
    }
    let (paths, graph) = (source.sources, source.graph)
    digest = Background { Result { () throws(FileError) in try SourceDigest.of(paths) } }
    guard isWanted ?? (Self.macs(of: graph) <= Self.maximumMACs) else {
      golden = nil
      isTooSlow = isWanted == nil
      return
    }
    golden = Background {
      Result { () throws(ComparisonError) in try GoldenVector(recording: graph) }
    }
  }

  /// Adds what was found out to the provenance of `graph`, and a note where something could not be.
  func complete(_ graph: inout Graph, notes: inout [String]) throws(SepalError) {
    switch digest?.value {
    case .success(let digest): graph.provenance.sourceDigest = digest
    case .failure(let error): throw SepalError(.inaccessible, error.description)
    case nil: break
    }
    switch golden?.value {
    case .success(let vector): graph.provenance.golden = [vector]
    case .failure(let error):
      guard !isGoldenRequired else { throw SepalError(.badData, "\(path): \(error)") }
      notes.append("no golden vectors: \(error)")
    case nil:
      if isTooSlow && graph.provenance.golden.isEmpty {
        notes.append("no golden vectors: the source is slow to evaluate; --golden makes them")
      }
    }
  }

  private static func macs(of graph: Graph) -> Int {
    graph.nodes.reduce(0) { sum, node in
      let outputs = node.outputs.map { graph.type(of: $0) }
      let (total, overflows) = sum.addingReportingOverflow(
        node.op.macs(graph.inputTypes(of: node), outputs: outputs))
      return overflows ? .max : total
    }
  }
}
