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
  var milliseconds = 0.0
  var predictedMilliseconds = 0.0
  /// Of the convolutions with several taps and what replaced them.
  var convolutionMilliseconds = 0.0
  var predictedConvolutionMilliseconds = 0.0
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

/// Judges networks that have the same inputs and outputs.
struct CurveBench {
  private let test: TestSet
  private let expected: [[Double]]
  init(original: Graph, test: TestSet) throws {
    self.test = test
    expected = try Self.logits(original, test)
  }

  /// All but the times.
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
    return CurvePoint(
      tolerance: tolerance, accuracy: Double(correct) / Double(test.labels.count),
      outputError: (error / power).squareRoot(), macs: Int(MACCost().cost(of: graph)), bytes: bytes,
      terms: terms)
  }

  private static func logits(_ graph: Graph, _ test: TestSet) throws -> [[Double]] {
    let session = try Model(graph).makeSession()
    return try (0..<test.samples.count).map {
      try session.run(inputs: test.samples[$0]).values.first?.doubles() ?? []
    }
  }
}

/// The shortest time of each step of a network, over runs that take turns with those of other networks: for seconds at a
/// time a shared machine is slow.
final class Stopwatch {
  private let model: Model
  private let session: Session
  private var shortest: [Duration]
  private static let runs = 60

  init(_ graph: Graph) throws {
    model = try Model(graph)
    session = model.makeSession()
    try session.execute()
    shortest = try session.profile()
  }

  func run() throws {
    for _ in 0..<Self.runs { shortest = zip(shortest, try session.profile()).map { min($0, $1) } }
  }

  /// Enters the times, and what `machine` predicts.
  func report(_ machine: MachineCost, in point: inout CurvePoint) {
    for (index, (step, predicted)) in zip(model.plan.steps, machine.steps(of: model)).enumerated() {
      let measured = shortest[index] / .milliseconds(1)
      point.milliseconds += measured
      point.predictedMilliseconds += predicted.milliseconds
      if step.op.contains("Conv") {
        point.convolutionMilliseconds += measured
        point.predictedConvolutionMilliseconds += predicted.milliseconds
      }
    }
  }
}
