import ArgumentParser
import Sepal

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Show a model's structure and costs.")

  @Argument(help: "The model: \(SourceOptions.formats).")
  var model: String

  @OptionGroup var source: SourceOptions

  @Flag(help: "List every layer.")
  var layers = false

  @Flag(help: "Show how the runtime executes the model on this machine.")
  var plan = false

  @Option(help: "Threads that the plan is for.")
  var threads = 1

  @Flag(help: "Print one JSON object.")
  var json = false

  @Option(help: "Write the graph in Graphviz' DOT language to this file.")
  var dot: String?

  func validate() throws {
    guard threads >= 1 else { throw ValidationError("--threads is \(threads), expected 1 or more") }
  }

  func run() throws {
    let file = try source.load(model)
    let inspection = try Inspection(file, planThreads: plan ? threads : nil)
    if let dot { try write(file.graph.dot + "\n", to: dot) }
    if json {
      try printJSON(inspection)
      return
    }
    printSummary(inspection, file)
    if layers { printLayers(inspection) }
    if let plan = inspection.plan { printPlan(plan) }
  }

  private func printSummary(_ inspection: Inspection, _ file: ModelFile) {
    print("\(model): \(inspection.format), \(bytes(file.byteCount))")
    let provenance = file.graph.provenance
    if !provenance.producer.isEmpty { print("  made by     \(provenance.producer)") }
    if !provenance.rewrites.isEmpty {
      print("  converted   from \(provenance.sourceNodeCount) nodes by \(provenance.rewrites.count) rewrites")
    }
    if !provenance.sourceDigest.isEmpty {
      print("  source      \(provenance.sourceFormat), SHA-256 \(provenance.sourceDigest)")
    }
    for port in inspection.inputs {
      print("  input       \(port.name): \(port.dtype) \(shapeText(port.shape))")
    }
    for port in inspection.outputs {
      print("  output      \(port.name): \(port.dtype) \(shapeText(port.shape))")
    }
    let totals = inspection.totals
    print("  nodes       \(grouped(totals.nodes))  (\(operators(inspection)))")
    print("  parameters  \(grouped(totals.parameters))")
    print("  MACs        \(grouped(totals.macs))")
    print("  weights     \(bytes(totals.weightBytes))")
    print("  activations \(bytes(totals.peakActivationBytes)) at the peak")
  }

  private func printPlan(_ plan: Inspection.PlanSummary) {
    var table = TextTable([
      ("step", .right), ("operators", .left), ("kernel", .left), ("threads", .right), ("MACs", .right),
      ("MB", .right), ("at", .right), ("last node", .left),
    ])
    for (index, step) in plan.steps.enumerated() {
      table.add([
        "\(index)", step.op.isEmpty ? "-" : step.op, step.kernel, "\(step.threads)", grouped(step.macs),
        fixed(Double(step.movedBytes) / 1e6, 2), grouped(step.offset), step.nodes.last ?? "",
      ])
    }
    print(
      "\n\(plan.instructionSet), \(plan.threads) thread\(plan.threads == 1 ? "" : "s"): arena \(bytes(plan.arenaBytes)), working memory \(bytes(plan.scratchBytes)), packed weights \(bytes(plan.weightBytes))\n\(table.text)"
    )
  }

  /// `52 Conv, 1 Gemm`, most frequent first.
  private func operators(_ inspection: Inspection) -> String {
    let counts = Dictionary(grouping: inspection.layers, by: \.op).mapValues(\.count)
    let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    return sorted.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
  }

  private func printLayers(_ inspection: Inspection) {
    var table = TextTable([
      ("layer", .left), ("operator", .left), ("activation", .left), ("output", .left), ("parameters", .right),
      ("MACs", .right),
    ])
    for layer in inspection.layers {
      table.add([
        layer.name, layer.op, layer.activation, shapeText(layer.outputShape), grouped(layer.parameters),
        grouped(layer.macs),
      ])
    }
    print("\n\(table.text)")
  }
}
