import PlantedFaults
import SepalGraph
import SepalPasses
import SepalTensor
import SepalValidation
import Testing

/// A pass with a mistake among those of the pipeline is found by what the model computes.
struct BisectionTests {
  private func bisection(_ stages: [[any Pass.Type]], of graph: Graph) -> Bisection {
    Bisection(original: graph, options: Validator.Options()) { (stopAfter) throws(OptimizationError) in
      var options = Optimizer.Options()
      options.stopAfter = stopAfter
      return try Optimizer(stages: stages, options)
    }
  }

  private func converted(_ stages: [[any Pass.Type]], _ graph: Graph) throws -> Graph {
    var graph = graph
    try Optimizer(stages: stages).run(&graph)
    return graph
  }

  @Test(arguments: PlantedFault.all, [false, true])
  func aPlantedFaultIsFoundAmongAllRewrites(fault: PlantedFault, isLate: Bool) throws {
    let graph = try PlantedFault.network()
    // Before the other passes, or between their two halves.
    let stages =
      isLate ? [Pipeline.stages[0], [fault.pass]] + Pipeline.stages[1...] : [[fault.pass]] + Pipeline.stages
    let wrong = try converted(stages, graph)
    let result = try bisection(stages, of: graph).run(wrong)
    guard case .rewrite(let culprit) = result.finding else {
      Issue.record("found \(result.finding)")
      return
    }
    #expect(culprit.record.pass == fault.pass.name)
    #expect(culprit.record.before == fault.before)
    #expect(!culprit.isInKernels)
    #expect(wrong.provenance.rewrites[culprit.index] == culprit.record)
    #expect(result.rewrites == wrong.provenance.rewrites.count)
    #expect(result.faults.map(\.pass) == [fault.pass.name])
    let repro = try #require(culprit.repro)
    #expect(repro.original.nodeCount <= 5)
    let again = try converted(stages, repro.original)
    #expect(again.provenance.rewrites.contains { $0.pass == fault.pass.name })
    let verdict = try Validator(original: repro.original, converted: again).run(inputs: repro.inputs)
    #expect(!verdict.isEquivalent)
  }

  @Test func anEquivalentModelHasNothingToFind() throws {
    let graph = try PlantedFault.network()
    let right = try converted(Pipeline.stages, graph)
    #expect(throws: ComparisonError.self) { try bisection(Pipeline.stages, of: graph).run(right) }
  }

  @Test func aFileThatHoldsSomethingElseIsTold() throws {
    let graph = try PlantedFault.network()
    var file = try converted(Pipeline.stages, graph)
    let weight = try #require(file.values.first { $0.constant?.count == 256 })
    file.replaceElements(
      of: weight.id, by: Tensor(weight.type.shape, floats: [Float](repeating: 1, count: 256)))
    let result = try bisection(Pipeline.stages, of: graph).run(file)
    guard case .file = result.finding else {
      Issue.record("found \(result.finding)")
      return
    }
    #expect(result.faults.isEmpty)
  }

  @Test func aLogOfOtherPassesCannotBeReplayed() throws {
    let graph = try PlantedFault.network()
    let wrong = try converted([[DropRelu.self]] + Pipeline.stages, graph)
    let error = #expect(throws: ComparisonError.self) { try bisection(Pipeline.stages, of: graph).run(wrong) }
    #expect(error?.message.contains("rewrite 1 is drop-relu of relu (Relu) in the file and ") == true)
  }
}
