import Sepal

/// A validation report for people.
struct ValidationText {
  var report: ValidationReport
  var showsLayers: Bool

  func show() {
    printOutputs()
    if showsLayers {
      printLayers()
      printFusedAway()
    }
    printSteps()
    let count = report.samples.count
    let inputs =
      report.seed.map { "\(count) random input\(count == 1 ? "" : "s") (seed \($0))" }
      ?? (count == 1 ? "the given input" : "the \(count) given inputs")
    var verdict = "equivalent"
    if case .deviations = report.criterion,
      report.weightPrecision == .half || !report.approximations.promised.isEmpty
    {
      verdict = "as close as it promises"
    }
    print("\(report.isEquivalent ? verdict : "NOT \(verdict)") on \(inputs)")
    printApproximations()
    if report.weightPrecision == .half { print("weights in float16 are judged by what they promise") }
    if let layer = report.firstDivergence {
      print("first layer beyond its bound: \(layer.name) (source tensor \(layer.origin))")
    }
    // An approximated layer is where the error comes from.
    if showsLayers || !report.isEquivalent, report.judgesLayers,
      let layer = report.largestGrowth
    {
      print("the error grows most at \(layer.name): \(fixed(layer.growth, 1)) times")
    }
  }

  private func printOutputs() {
    var table = TextTable([
      ("output", .left), ("max abs", .right), ("rms rel", .right), ("cosine", .right), ("top 1", .left),
      ("margin", .right), ("worst", .right), ("bound", .right), ("", .left),
    ])
    for output in report.outputs {
      let figures = output.comparison
      table.add([
        output.name, scientific(figures.maxAbsolute), scientific(figures.rmsRelative),
        fixed(figures.cosine, 8),
        figures.top1Agrees ? "same" : "differs", sigmas(figures.top1Margin), sigmas(figures.deviations),
        bound(figures), verdict(figures.isWithinBound),
      ])
    }
    print(table.text)
    for output in report.outputs where output.comparison.unbounded > 0 {
      print(
        "\(output.name): no bound on rounding errors can be given for \(output.comparison.unbounded) elements; "
          + "--atol or --rtol decide by a fixed tolerance")
    }
  }

  private func printLayers() {
    var table = TextTable([
      ("layer", .left), ("source tensor", .left), ("max abs", .right), ("rms rel", .right),
      ("growth", .right),
      ("worst", .right), ("bound", .right), ("", .left),
    ])
    for layer in report.layers {
      let figures = layer.comparison
      table.add([
        layer.name, layer.origin, scientific(figures.maxAbsolute), scientific(figures.rmsRelative),
        fixed(layer.growth, 1), sigmas(figures.deviations), bound(figures), verdict(figures.isWithinBound),
      ])
    }
    print("\n\(table.text)")
    print("(step by step: what the plan computes strip by strip has the same bits)\n")
  }

  /// What was promised for approximated layers, beside what is there; errors of layers before them included.
  private func printApproximations() {
    guard !report.approximations.promised.isEmpty else { return }
    var table = TextTable([("approximated layer", .left), ("promised", .right), ("observed", .right)])
    for (origin, promised) in report.approximations.promised.sorted(by: { $0.key < $1.key }) {
      let layer = report.layers.last { $0.origin == origin }
      table.add([origin, scientific(promised), layer.map { scientific($0.comparison.rmsRelative) } ?? "-"])
    }
    print("\(table.text)")
    print("approximated layers are judged by what they promise, relative to their outputs")
  }

  private func printFusedAway() {
    guard !report.fusedAway.isEmpty else { return }
    print("fused into others: \(report.fusedAway.joined(separator: ", "))\n")
  }

  private func printSteps() {
    let wrong = report.steps.filter { !$0.isWithinBound }
    for step in wrong {
      print(
        "step \(step.name) (\(step.kernel)) is WRONG: error \(scientific(step.observed)), rounding explains "
          + scientific(step.bound))
    }
    if wrong.isEmpty, let worst = report.steps.max(by: { $0.ratio < $1.ratio }) {
      print(
        "\(report.steps.count) steps within their rounding bounds, at most \(fixed(100 * worst.ratio, 1))% of it "
          + "(\(worst.name))")
    }
  }

  /// Of the verdict at hand: the standard deviations accepted, or the error.
  private func bound(_ figures: Comparison) -> String {
    if case .deviations = report.criterion, figures.sigma > 0 { return sigmas(figures.bound / figures.sigma) }
    return scientific(figures.bound)
  }

  private func sigmas(_ value: Double) -> String {
    value.isInfinite ? "-" : value >= 1000 ? "\(scientific(value))σ" : "\(fixed(value, 1))σ"
  }

  private func verdict(_ isWithinBound: Bool) -> String { isWithinBound ? "ok" : "BEYOND" }
}
