import SepalGraph
import SepalRuntime
import SepalTensor

/// Compares every step of a model's plan with the reference in double precision on the operands that the runtime
/// computed, against a bound that holds for every order of its sums.
///
/// Each step is looked at by itself, so that bounds stay as small as the arithmetic of at most a few layers, whatever the
/// depth. Values are kept until their last reader has run: as much memory as a run takes.
package struct StepChecker: Sendable {
  package let model: Model
  private let analysis = ErrorAnalysis(measure: .bound)

  package init(_ model: Model) { self.model = model }

  /// Runs the model on one sample.
  ///
  /// - Parameter observe: called with every value that a step hands over.
  /// - Returns: the outputs, and one comparison for each step that computes nodes, in order.
  package func run(
    inputs: [String: Tensor], session: Session, observing observe: (ValueID, Tensor) -> Void = { _, _ in }
  ) throws(ComparisonError) -> (outputs: [String: Tensor], steps: [StepComparison]) {
    var values = LiveValues(model.graph, inputs: inputs)
    var steps: [StepComparison] = []
    var failure: ComparisonError?
    let outputs: [String: Tensor]
    do throws(RuntimeError) {
      outputs = try session.run(inputs: inputs) { index, results in
        guard failure == nil else { return }
        do throws(ComparisonError) {
          steps.append(try compare(model.plan.steps[index], results, values))
        } catch {
          failure = error
        }
        values.finish(model.plan.steps[index].nodeIDs, results)
        for (value, tensor) in results { observe(value, tensor) }
      }
    } catch {
      throw ComparisonError("the converted model cannot be run: \(error)")
    }
    if let failure { throw failure }
    return (outputs, steps)
  }

  private func compare(
    _ step: Plan.Step, _ results: [(value: ValueID, tensor: Tensor)], _ values: LiveValues
  ) throws(ComparisonError) -> StepComparison {
    let graph = model.graph
    var comparison = StepComparison(
      name: step.nodes.last ?? "", nodes: step.nodes, op: step.op, kernel: step.kernel)
    let arithmetic =
      step.isReference ? Arithmetic.reference : step.winogradTile.map { .winograd(tile: $0) } ?? .direct
    /// What the step does not hand over.
    var inner: [ValueID: Estimate] = [:]
    for id in step.nodeIDs {
      let node = graph.node(id)
      do throws(OperatorError) {
        let operands = node.inputs.map { input in
          input.flatMap { inner[$0] ?? values[$0].map { Estimate($0) } }
        }
        let types = node.outputs.map { graph.type(of: $0) }
        let computed = try analysis.evaluate(
          node.op, Inputs(operands), types: types, arithmetic: arithmetic)
        for (output, estimate) in zip(node.outputs, computed) { inner[output] = estimate }
      } catch {
        throw ComparisonError("node '\(node.name)' (\(node.op.name)) cannot be evaluated: \(error.message)")
      }
    }
    for (value, tensor) in results {
      guard let expected = inner[value] else { continue }
      comparison.add(tensor, expected, Rounding(tensor.element))
    }
    return comparison
  }
}

/// The values of a running graph that somebody will still read.
private struct LiveValues {
  private let graph: Graph
  private var tensors: [ValueID: Tensor] = [:]
  private var remaining: [ValueID: Int] = [:]

  init(_ graph: Graph, inputs: [String: Tensor]) {
    self.graph = graph
    for id in graph.inputs {
      tensors[id] = inputs[graph.value(id).name]
      remaining[id] = graph.useCount(of: id)
    }
  }

  subscript(_ id: ValueID) -> Tensor? { tensors[id] ?? graph.constant(id) }

  /// Keeps what the nodes handed over, and lets go of what they were the last to read.
  mutating func finish(_ nodes: [NodeID], _ results: [(value: ValueID, tensor: Tensor)]) {
    for (value, tensor) in results where graph.useCount(of: value) > 0 {
      tensors[value] = tensor
      remaining[value] = graph.useCount(of: value)
    }
    for id in nodes {
      for case let input? in graph.node(id).inputs {
        guard let count = remaining[input] else { continue }
        remaining[input] = count - 1
        if count == 1 { tensors[input] = nil }
      }
    }
  }
}
