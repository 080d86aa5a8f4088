import Foundation
import Sepal
import SepalFormat

/// A network at one tolerance.
struct CurvePoint: Codable {
  var tolerance: Double
  var accuracy: Double
  /// ‖Δlogits‖ / ‖logits‖ over the test set.
  var outputError: Double
  var macs: Int
  var bytes: Int
  var milliseconds: Double
  var predictedMilliseconds: Double
  /// Of the convolutions with several taps and what replaced them.
  var convolutionMilliseconds: Double
  var predictedConvolutionMilliseconds: Double
  /// Terms, or channels in between, of each layer that was considered, the most of any channel; 0: kept.
  var terms: [Int]

  var summary: String {
    String(
      format:
        "%.2f: accuracy %.4f error %.4f MACs %d bytes %d ms %.3f predicted %.3f convolutions %.3f predicted %.3f",
      tolerance, accuracy, outputError, macs, bytes, milliseconds, predictedMilliseconds,
      convolutionMilliseconds, predictedConvolutionMilliseconds) + " terms \(terms)"
  }
}

/// Images with their classes.
struct TestSet {
  let samples: CalibrationSamples
  let labels: [Int]

  init(_ path: String, _ graph: Graph) throws {
    samples = try CalibrationSamples(path: path, for: graph)
    labels = (try NumpyFile.read(path: path)["labels"]?.integers() ?? []).map(Int.init)
    guard labels.count == samples.count else {
      throw SepalError(.badData, "\(path): \(labels.count) labels for \(samples.count) samples")
    }
  }
}

/// Measures networks that have the same inputs and outputs.
struct CurveBench {
  let machine: MachineCost
  let test: TestSet
  private let expected: [[Double]]
  private static let runs = 400

  init(original: Graph, machine: MachineCost, test: TestSet) throws {
    (self.machine, self.test) = (machine, test)
    expected = try Self.logits(original, test)
  }

  func point(_ graph: Graph, tolerance: Double, _ terms: [Int]) throws -> CurvePoint {
    let logits = try Self.logits(graph, test)
    var (correct, error, power) = (0, 0.0, 0.0)
    for (index, row) in logits.enumerated() {
      if row.indices.max(by: { row[$0] < row[$1] }) == test.labels[index] { correct += 1 }
      for (have, want) in zip(row, expected[index]) {
        error += (have - want) * (have - want)
        power += want * want
      }
    }
    let file = NSTemporaryDirectory() + "sepal-\(UUID().uuidString).sepal"
    defer { try? FileManager.default.removeItem(atPath: file) }
    let bytes = try SepalWriter(storage: .compact, precision: .f32).write(graph, to: file)
    let times = try times(graph)
    return CurvePoint(
      tolerance: tolerance, accuracy: Double(correct) / Double(test.labels.count),
      outputError: (error / power).squareRoot(), macs: Int(MACCost().cost(of: graph)), bytes: bytes,
      milliseconds: times.all, predictedMilliseconds: times.predictedAll,
      convolutionMilliseconds: times.convolutions,
      predictedConvolutionMilliseconds: times.predictedConvolutions, terms: terms)
  }

  private static func logits(_ graph: Graph, _ test: TestSet) throws -> [[Double]] {
    let session = try Model(graph).makeSession()
    return try (0..<test.samples.count).map {
      try session.run(inputs: test.samples[$0]).values.first?.doubles() ?? []
    }
  }

  private typealias Times = (
    all: Double, predictedAll: Double, convolutions: Double, predictedConvolutions: Double
  )

  /// The shortest of many runs, step by step.
  private func times(_ graph: Graph) throws -> Times {
    let model = try Model(graph)
    let session = model.makeSession()
    try session.execute()
    var shortest = try session.profile()
    for _ in 0..<Self.runs { shortest = zip(shortest, try session.profile()).map { min($0, $1) } }
    var times: Times = (0, 0, 0, 0)
    for (index, (step, predicted)) in zip(model.plan.steps, machine.steps(of: model)).enumerated() {
      let measured = shortest[index] / .milliseconds(1)
      times.all += measured
      times.predictedAll += predicted.milliseconds
      if step.op.contains("Conv") {
        times.convolutions += measured
        times.predictedConvolutions += predicted.milliseconds
      }
    }
    return times
  }
}
