import Foundation
import Testing

/// Whole models, on request: `SEPAL_ONNX_MODELS` names a folder of `NAME.onnx` and `NAME.npz` as in `fixtures/traps`.
@Suite struct WholeModelTests {
  static let folder = ProcessInfo.processInfo.environment["SEPAL_ONNX_MODELS"]

  @Test(.enabled(if: folder != nil), arguments: folder.map { files(in: $0, withExtension: "onnx") } ?? [])
  func referenceEvaluationGivesTheRecordedOutputs(name: String) throws {
    try expectRecordedOutputs(
      "\(try #require(Self.folder))/\(name)", tolerance: 1e-4, relativeToLargest: true)
  }
}
