import ArgumentParser
import Sepal

/// `sepal validate FILE`: the golden vectors in a native file, replayed on this machine.
struct GoldenReplayCommand {
  var path: String
  var threads: Int
  var json: Bool

  func run() throws {
    let certificate = try Certificate(path: path, threads: threads)
    if json {
      try printJSON(certificate)
    } else {
      report(certificate)
    }
    if !certificate.equivalent { throw ExitCode(1) }
  }

  private func report(_ certificate: Certificate) {
    var table = TextTable([
      ("output", .left), ("compared", .right), ("max abs", .right), ("bound", .right), ("", .left),
    ])
    for output in certificate.outputs {
      let compared =
        output.compared == output.count * certificate.vectors
        ? grouped(output.compared) : "\(grouped(output.compared)) of \(grouped(output.count))"
      table.add([
        output.name, compared, scientific(output.maxAbs), scientific(output.bound),
        output.ok ? "ok" : "BEYOND",
      ])
    }
    print(table.text)
    print("source: \(certificate.sourceFormat), SHA-256 \(certificate.sourceDigest)")
    if !certificate.intact { print("weights or graph are NOT those that were written") }
    for changed in certificate.changed ?? [] {
      let nodes = changed.nodes.joined(separator: ", ")
      print("  rewrite \(changed.rewrite) (\(changed.pass)) left other constants to \(nodes)")
    }
    let vectors = "\(certificate.vectors) golden vector\(certificate.vectors == 1 ? "" : "s")"
    let machine =
      "\(certificate.instructionSet), \(certificate.threads) thread\(certificate.threads == 1 ? "" : "s")"
    print("\(certificate.equivalent ? "equivalent" : "NOT equivalent") on \(vectors) (\(machine))")
  }
}
