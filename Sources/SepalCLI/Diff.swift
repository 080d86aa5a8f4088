import ArgumentParser
import Sepal

struct Diff: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare the structure of two models, of whatever format.",
    discussion: """
      Both are optimised; then operators, attributes, shapes and connections must be the same, names aside, and \
      weights must agree within the tolerance. Exit code 1 when they do not. Lines with - are of the first model, \
      with + of the second.
      """)

  @Argument(help: "The first model: \(SourceOptions.formats).")
  var first: String

  @Argument(help: "The second model, whole in its file.")
  var second: String

  @OptionGroup var source: SourceOptions

  @Option(help: "Accepted difference of weights, relative to the largest of each tensor.")
  var tolerance = ModelDifference.defaultTolerance

  @Option(help: "Print at most this many differences of each kind.")
  var limit = 10

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    guard tolerance >= 0 else { throw ValidationError("--tolerance is \(tolerance), expected 0 or more") }
    guard limit >= 1 else { throw ValidationError("--limit is \(limit), expected 1 or more") }
  }

  func run() throws {
    let a = try source.load(first)
    let b = try ModelFile(path: second, shapes: try source.shapes())
    for note in b.notes where !a.notes.contains(note) { FileHandle.error.write("note: \(note)\n") }
    let difference = try ModelDifference(a, b, tolerance: tolerance)
    if json {
      try printJSON(difference)
    } else {
      printReport(difference)
    }
    if !difference.same { throw ExitCode(1) }
  }

  private func printReport(_ difference: ModelDifference) {
    for place in difference.structure.prefix(limit) {
      print(place.message)
      for site in place.a { print("  - \(describe(site))") }
      for site in place.b { print("  + \(describe(site))") }
    }
    printRest(difference.structure.count, "places")
    for weights in difference.weights.prefix(limit) {
      print("weights differ by \(scientific(weights.relError)) of the largest")
      print("  - \(describe(weights.a))")
      print("  + \(describe(weights.b))")
    }
    printRest(difference.weights.count, "weights")
    let nodes = difference.nodes
    if !difference.structure.isEmpty {
      print("different: \(nodes.a) and \(nodes.b) nodes, \(nodes.common) of them common")
    } else if !difference.weights.isEmpty {
      print("same structure of \(nodes.a) nodes, \(difference.weights.count) weights differ")
    } else {
      print("same: \(nodes.a) nodes, weights within \(scientific(difference.tolerance)) of their largest")
    }
  }

  private func printRest(_ count: Int, _ what: String) {
    if count > limit { print("… and \(count - limit) more \(what)") }
  }

  private func describe(_ site: StructureComparison.Site) -> String {
    let origins = site.origins.filter { $0 != site.name }.joined(separator: ", ")
    return "\(site.name): \(site.op) → \(site.type)\(origins.isEmpty ? "" : "  (from \(origins))")"
  }
}
