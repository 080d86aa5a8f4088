import Foundation
import PlantedFaults
import Sepal
import SepalPasses
import Testing

/// What a bisection leaves behind shows by itself who is right. `make check-repro` asks ONNX Runtime about the same files,
/// which then stay in the folder that the environment names.
struct ReproFilesTests {
  private static let kept = ProcessInfo.processInfo.environment["SEPAL_REPRO_FOLDER"]

  /// How far `found` is off, relative to the largest element of `expected`.
  private func error(_ found: [String: Tensor], _ expected: [String: Tensor]) throws -> Double {
    #expect(Set(found.keys) == Set(expected.keys))
    return try expected.reduce(0) { worst, item in
      let (a, b) = (item.value.doubles(), try #require(found[item.key]).doubles())
      try #require(a.count == b.count)
      let largest = a.reduce(0) { max($0, $1.magnitude) }
      return zip(a, b).reduce(worst) { max($0, ($1.0 - $1.1).magnitude / largest) }
    }
  }

  @Test(arguments: PlantedFault.all, [false, true])
  func aPlantedFaultLeavesASmallModelThatShowsIt(fault: PlantedFault, isLate: Bool) throws {
    let graph = try PlantedFault.network()
    let stages =
      isLate ? [Pipeline.stages[0], [fault.pass]] + Pipeline.stages[1...] : [[fault.pass]] + Pipeline.stages
    var wrong = graph
    try Optimizer(stages: stages).run(&wrong)
    let bisection = Bisection(original: graph, options: Validator.Options()) {
      (stopAfter) throws(OptimizationError) in
      var options = Optimizer.Options()
      options.stopAfter = stopAfter
      return try Optimizer(stages: stages, options)
    }
    let scratch = ScratchFile("")
    let name = "\(fault.pass.name)-\(isLate ? "late" : "early")"
    let folder = Self.kept.map { "\($0)/\(name)" } ?? scratch.path
    let report = try BisectionReport(bisection.run(wrong), reproFolder: folder)
    #expect(report.finding == "rewrite")
    #expect(report.pass == fault.pass.name)
    let repro = try #require(report.repro)
    #expect(repro.nodes <= 5, "\(name)")
    #expect(repro.original == "\(folder)/original.onnx")
    #expect(repro.converted == "\(folder)/converted.onnx")

    let inputs = try NumpyFile.read(path: repro.inputs)
    let expected = try NumpyFile.read(path: repro.expected)
    let actual = try NumpyFile.read(path: repro.actual)
    let original = try ModelFile(path: repro.original).graph.evaluate(inputs)
    #expect(try error(original, expected) < 1e-5)
    let distance = try error(original, actual)
    #expect(distance > 1e-3, "\(name) \(distance)")
    // The rewrite is wrong, not a kernel: the same file elsewhere gives the same wrong numbers.
    #expect(try error(ModelFile(path: repro.converted).graph.evaluate(inputs), actual) < 1e-5)
  }
}
