import SepalGraph
import SepalPasses
import SepalTensor
import SepalValidation

extension Converter {
  /// What becomes of a source's graph, whatever it is written as.
  struct Optimized {
    var graph: Graph
    var notes: [String]
    var optimization: OptimizationReport
    /// Rewrites that were checked; nil unless asked for.
    var verified: Int?

    func report(
      _ source: ModelFile, _ output: String, bytesOut: Int, nodes: Int, _ seconds: Double
    ) -> Report {
      Report(
        input: source.path, output: output, bytesIn: source.byteCount, bytesOut: bytesOut,
        // From an optimised file, this is still what its source had.
        nodesBefore: max(source.graph.provenance.sourceNodeCount, source.graph.nodeCount), nodesAfter: nodes,
        seconds: seconds,
        passes: optimization.passes.map {
          .init(name: $0.name, rewrites: $0.rewrites, milliseconds: $0.milliseconds)
        }, verified: verified)
    }
  }

  /// - Parameters:
  ///   - later: passes for the format that is written, run last.
  ///   - keepsLog: whether what is written has the rewrite log, which then gets witnesses.
  func optimized(
    _ source: ModelFile, later: Optimizer? = nil, keepsLog: Bool
  ) throws(SepalError) -> Optimized {
    var graph = source.graph
    let known = graph.provenance.rewrites.count
    graph.provenance.toolVersion = SepalVersion.current
    let disabled = Set(graph.provenance.disabledPasses).union(optimization.disabledPasses)
    graph.provenance.disabledPasses = disabled.sorted()
    graph.provenance.separation = self.optimization.separation.description
    graph.provenance.costUnit = self.optimization.cost.unit
    graph.provenance.isCalibrated = calibration != nil
    var checker = RewriteChecker()
    var recorder = WitnessRecorder()
    let observe: Optimizer.Observer = { rewrite, pass, graph in
      if verifies { checker.check(rewrite, pass: pass, in: graph) }
      if keepsLog { recorder.record(rewrite, pass: pass, in: graph) }
    }
    var optimization = optimization
    if calibration != nil { optimization.separation = .exact }
    var notes = source.notes
    var report: OptimizationReport
    do throws(OptimizationError) {
      report = try Optimizer(optimization).run(&graph, observing: observe)
    } catch {
      throw SepalError(error.code == .unknownPass ? .usage : .internalError, "\(source.path): \(error)")
    }
    // An error on samples says nothing about the random probes of the checker.
    notes += try approximate(&graph, atMost: optimization.stopAfter.map { $0 - report.rewrites }) {
      if keepsLog { recorder.record($0, pass: $1, in: $2) }
    }
    do throws(OptimizationError) {
      if let later { report.add(try later.run(&graph, observing: observe)) }
    } catch {
      throw SepalError(.internalError, "\(source.path): \(error)")
    }
    for (index, witness) in recorder.witnesses.enumerated() {
      graph.provenance.rewrites[known + index].witness = witness
    }
    if let fault = checker.faults.first { throw Self.error(source.path, fault, of: checker.faults.count) }
    return Optimized(
      graph: graph, notes: notes, optimization: report, verified: verifies ? checker.checked : nil)
  }

  /// Fits approximations to the samples, where there are some. One line for each layer.
  private func approximate(
    _ graph: inout Graph, atMost limit: Int?, observing observe: @escaping Optimizer.Observer
  ) throws(SepalError) -> [String] {
    guard let calibration, case .approximate(let tolerance) = optimization.separation else { return [] }
    let samples = try calibration.activations(for: graph)
    do throws(CalibrationError) {
      return try SeparableApproximation(tolerance: tolerance).run(
        &graph, samples: samples, cost: optimization.cost, atMost: limit,
        observing: observe
      ).map(\.summary)
    } catch {
      throw SepalError(.badData, "\(calibration.path): \(error)")
    }
  }

  private static func error(_ input: String, _ fault: RewriteChecker.Fault, of count: Int) -> SepalError {
    let after = fault.after.isEmpty ? "nothing" : fault.after.joined(separator: ", ")
    let others = count > 1 ? " (and \(count - 1) more rewrites)" : ""
    return SepalError(
      .internalError,
      "\(input): pass '\(fault.pass)' is wrong about \(fault.before.joined(separator: ", ")) → \(after): \(fault.message)\(others); --disable-pass \(fault.pass) leaves it out"
    )
  }
}
