import SepalGraph
import SepalPasses
import SepalTensor
import Testing

/// Runs one pass (or several) to its fixpoint, verifying after each rewrite.
@discardableResult
func run(_ passes: Set<String>, on graph: inout Graph) throws -> OptimizationReport {
  var options = Optimizer.Options()
  options.verifyEachRewrite = true
  return try Optimizer(only: passes, options).run(&graph)
}

/// `pass` turns `before` into `after`, and then finds nothing more to do. Outputs keep their names, types and origins, and
/// every value that claims to stand for a source tensor has its numbers.
func expect(
  _ pass: String, rewrites before: String, to after: String, exactness: Exactness? = nil,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let original = try graph(before)
  var rewritten = original
  try run([pass], on: &rewritten)
  #expect(text(rewritten) == unindented(after), sourceLocation: sourceLocation)
  #expect(!rewritten.provenance.rewrites.isEmpty, sourceLocation: sourceLocation)
  for record in rewritten.provenance.rewrites {
    #expect(record.pass == pass, sourceLocation: sourceLocation)
    if let exactness { #expect(record.exactness == exactness, sourceLocation: sourceLocation) }
  }
  let again = try run([pass], on: &rewritten)
  #expect(again.rewrites == 0, "a second run rewrites again", sourceLocation: sourceLocation)
  expectOrigins(of: original, in: rewritten, sourceLocation)
  try expectEquivalent(original, rewritten, tolerance: 1e-5, sourceLocation: sourceLocation)
}

/// `pass` leaves the graph as it is.
func expect(
  _ pass: String, leaves before: String, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  var graph = try graph(before)
  let original = text(graph)
  let report = try run([pass], on: &graph)
  #expect(report.rewrites == 0, sourceLocation: sourceLocation)
  #expect(text(graph) == original, sourceLocation: sourceLocation)
}

/// Every graph output still stands for the source tensors it stood for.
func expectOrigins(of original: Graph, in rewritten: Graph, _ sourceLocation: SourceLocation) {
  for (old, new) in zip(original.outputs, rewritten.outputs) {
    let before = Set(original.value(old.value).origins)
    let after = Set(rewritten.value(new.value).origins)
    #expect(before.isSubset(of: after), "origins of \(old.name)", sourceLocation: sourceLocation)
  }
}

private func unindented(_ text: String) -> String {
  text.split(separator: "\n").map { String($0.drop { $0 == " " }) }.filter { !$0.isEmpty }.joined(
    separator: "\n")
}
