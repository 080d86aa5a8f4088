import SepalGraph
import SepalTensor

/// Brings arithmetic with constants into one form: additions and multiplications with the constant second.
///
/// Before: c + x, c·x, min(c, x), max(c, x)     After: x + c, x·c, min(x, c), max(x, c)
///         x − c                                       x + (−c)
///         x / c                                       x·(1/c)
///         (x + c) + d, (x·c)·d                        x + (c + d), x·(c·d)
/// Requires: c, d constant and, but for the first line, floating point; every 1/c is a normal number; the inner operation
/// has no other reader and no activation, and the new constant is finite and no larger than the old ones.
/// Exactness: exact; reassociated for quotients by other than powers of two, for merged constants, and for min and max,
/// where the sign of a zero may change.
struct CanonicalizeArithmetic: Pass {
  static let name = "canonicalize-arithmetic"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    switch node.op {
    case is Add, is Mul: swapped(node, in: graph) ?? merged(node, in: graph)
    case is Min, is Max: swapped(node, in: graph)
    case is Sub: difference(node, in: graph)
    case is Div: quotient(node, in: graph)
    default: nil
    }
  }

  private func swapped(_ node: Node, in graph: Graph) -> Rewrite? {
    guard let first = node.input(0), let second = node.input(1), graph.value(first).isConstant,
      !graph.value(second).isConstant
    else { return nil }
    // Of two zeros, min and max return the second.
    let isSymmetric = node.op is Add || node.op is Mul
    var rewrite = Rewrite(removing: [node.id], exactness: isSymmetric ? .exact : .reassociated)
    let result = rewrite.node(node.op, name: node.name, inputs: [second.operand, first.operand])
    rewrite.replace(node.output, with: result)
    return rewrite
  }

  private func difference(_ node: Node, in graph: Graph) -> Rewrite? {
    guard let c = floatingPoint(node.input(1), in: graph) else { return nil }
    return rewritten(
      node, as: Add(), constant: c, values: c.doubles().map { -$0 }, exactness: .exact, in: graph)
  }

  private func quotient(_ node: Node, in graph: Graph) -> Rewrite? {
    guard let c = floatingPoint(node.input(1), in: graph) else { return nil }
    let divisors = c.doubles()
    let reciprocals = Tensor(c.element, c.shape, doubles: divisors.map { 1 / $0 }).doubles()
    let least = Double(Float.leastNormalMagnitude)
    guard reciprocals.allSatisfy({ $0.isFinite && abs($0) >= least }) else { return nil }
    return rewritten(
      node, as: Mul(), constant: c, values: reciprocals,
      exactness: divisors.allSatisfy(\.isPowerOfTwo) ? .exact : .reassociated, in: graph)
  }

  private func floatingPoint(_ id: ValueID?, in graph: Graph) -> Tensor? {
    graph.constant(id).flatMap { $0.element.isFloat ? $0 : nil }
  }

  private func rewritten(
    _ node: Node, as op: any Operator, constant: Tensor, values: [Double], exactness: Exactness,
    in graph: Graph
  ) -> Rewrite? {
    guard let x = node.input(0), let id = node.input(1) else { return nil }
    var rewrite = Rewrite(removing: [node.id], exactness: exactness)
    let new = rewrite.constant(
      graph.value(id).name, Tensor(constant.element, constant.shape, doubles: values))
    rewrite.replace(node.output, with: rewrite.node(op, name: node.name, inputs: [x.operand, new]))
    return rewrite
  }

  private func merged(_ node: Node, in graph: Graph) -> Rewrite? {
    guard let inner = graph.producer(of: node.input(0)), let x = inner.input(0),
      let id = node.input(1), let d = floatingPoint(id, in: graph),
      let c = floatingPoint(inner.input(1), in: graph), graph.useCount(of: inner.output) == 1,
      type(of: inner.op) == type(of: node.op),
      (inner.op as? any ActivatedOperator)?.activation == .identity,
      let shape = broadcastShape(c.shape, d.shape), shape.reduce(1, *) <= max(c.count, d.count)
    else { return nil }
    let plain: any Operator = node.op is Add ? Add() : Mul()
    guard let value = try? plain.evaluate(Inputs([c, d]))[0], value.doubles().allSatisfy(\.isFinite)
    else { return nil }
    var rewrite = Rewrite(removing: [inner.id, node.id], exactness: .reassociated)
    let constant = rewrite.constant(graph.value(id).name, value)
    rewrite.replace(
      node.output, with: rewrite.node(node.op, name: node.name, inputs: [x.operand, constant]))
    return rewrite
  }
}
