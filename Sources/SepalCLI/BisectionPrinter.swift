import Sepal

/// Tells people what a bisection has found.
struct BisectionPrinter {
  var report: BisectionReport

  func run() {
    let of = "of \(report.rewrites)"
    switch report.finding {
    case "runtime": print("bisection: wrong without any rewrite; the runtime is at fault, not the conversion")
    case "file":
      print("bisection: all \(report.rewrites) rewrites, replayed, are right; the file holds something else")
    default:
      let after = report.after.flatMap { $0.isEmpty ? nil : $0.joined(separator: ", ") } ?? "nothing"
      print("bisection: equivalent before rewrite \(report.rewrite ?? 0) \(of), not after it")
      print("  pass     \(report.pass ?? "")")
      print("  nodes    \(report.before?.joined(separator: ", ") ?? "") → \(after)")
      if let origins = report.origins, !origins.isEmpty {
        print("  origins  \(origins.joined(separator: ", "))")
      }
      if report.finding == "kernels" {
        print("  the rewrite itself is right: the kernels for what it made are at fault")
      }
    }
    for fault in report.faults {
      print("  rewrite \(fault.rewrite) (\(fault.pass)) by itself \(fault.message)")
    }
    if let repro = report.repro {
      print(
        "  repro    \(repro.original), \(repro.nodes) node\(repro.nodes == 1 ? "" : "s"); converted \(repro.converted)"
      )
      print("           \(repro.inputs) gives \(repro.actual), expected \(repro.expected)")
    }
  }
}
