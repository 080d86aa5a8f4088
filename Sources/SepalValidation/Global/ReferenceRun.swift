import SepalGraph
import SepalTensor

/// A graph's reference evaluation in double precision, node by node as it is asked for, with the variance of the rounding
/// errors that an evaluation in the declared precision would gather on the way.
///
/// Values are dropped after their last reader.
struct ReferenceRun {
  private let graph: Graph
  private let analysis: ErrorAnalysis
  private let approximations: Approximations
  private let nodes: [Node]
  private var position = 0
  private var live: [ValueID: Estimate] = [:]
  private var remaining: [ValueID: Int] = [:]

  init(
    _ graph: Graph, nodes: [Node], inputs: [String: Tensor], analysis: ErrorAnalysis,
    approximations: Approximations
  ) throws(ComparisonError) {
    self.graph = graph
    self.analysis = analysis
    self.approximations = approximations
    self.nodes = nodes
    for id in graph.inputs {
      let value = graph.value(id)
      guard let tensor = inputs[value.name] else {
        throw ComparisonError("input '\(value.name)' was not given")
      }
      guard tensor.type == value.type else {
        throw ComparisonError("input '\(value.name)' is \(tensor.type), expected \(value.type)")
      }
      live[id] = Estimate(tensor)
      remaining[id] = value.useCount
    }
  }

  /// Evaluates the next node.
  ///
  /// - Returns: its outputs; nil when there is none left.
  mutating func next() throws(ComparisonError) -> [(value: Value, estimate: Estimate)]? {
    guard position < nodes.count else { return nil }
    let node = nodes[position]
    position += 1
    var operands: [Estimate?] = []
    for input in node.inputs {
      operands.append(input.flatMap { live[$0] ?? graph.constant($0).map { Estimate($0) } })
    }
    let results: [Estimate]
    do throws(OperatorError) {
      results = try analysis.evaluate(
        node.op, Inputs(operands), types: node.outputs.map { graph.type(of: $0) })
    } catch {
      throw ComparisonError(
        "the original cannot be evaluated: node '\(node.name)' (\(node.op.name)): \(error.message)")
    }
    operands = []
    for input in node.inputs {
      guard let input, let count = remaining[input] else { continue }
      remaining[input] = count - 1
      if count == 1 { live[input] = nil }
    }
    return zip(node.outputs, results).map { id, result in
      let value = graph.value(id)
      var estimate = result
      let promised = approximations.variance(value, estimate)
      if promised > 0 { estimate.error = estimate.errors.map { $0 + promised } }
      if value.useCount > 0 {
        live[id] = estimate
        remaining[id] = value.useCount
      }
      return (value, estimate)
    }
  }

  /// Evaluates what is left.
  mutating func finish() throws(ComparisonError) {
    while try next() != nil {}
  }

  /// The outputs, after the last node.
  func outputs() throws(ComparisonError) -> [OutputPrediction] {
    var results: [OutputPrediction] = []
    for output in graph.outputs {
      guard let estimate = live[output.value] ?? graph.constant(output.value).map({ Estimate($0) }) else {
        throw ComparisonError("output '\(output.name)' was not computed")
      }
      results.append(OutputPrediction(name: output.name, estimate))
    }
    return results
  }
}
