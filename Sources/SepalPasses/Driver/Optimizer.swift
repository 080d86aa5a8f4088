import SepalGraph

/// Runs the passes over a graph until none of them finds anything more to do.
///
/// Within a pass, nodes are visited in topological order, and again whenever a rewrite changed their surroundings.
/// The time is linear in the graph for a fixed number of rounds: no step looks at the whole graph per rewrite,
/// save for `verifyEachRewrite`.
public struct Optimizer: Sendable {
  public struct Options: Sendable {
    /// Passes to leave out, by name.
    public var disabledPasses: Set<String> = []
    /// Stop after this many rewrites: bisects a wrong result down to one rewrite.
    public var stopAfter: Int?
    /// Whether convolutions are replaced by separable ones where that is cheaper.
    public var separation = Separation.exact
    /// What decides what is cheaper.
    public var cost: any CostModel = MACCost()
    /// Verify the whole graph after every rewrite instead of after every pass. Quadratic; for tests.
    public var verifyEachRewrite = false
    /// More rounds than this, over all stages, are an error.
    public var roundLimit = 256

    public init() {}
  }

  /// The names of all passes, in pipeline order.
  public static var passNames: [String] { Pipeline.passes.map { $0.name } + [SeparateConvolutions.name] }

  /// Sees each rewrite, the name of its pass and the graph, before the rewrite is applied. Must not keep the graph: the driver
  /// then could no longer change it in place.
  public typealias Observer = (_ rewrite: Rewrite, _ pass: String, _ graph: Graph) -> Void

  private let stages: [[any Pass.Type]]
  private let options: Options

  /// - Throws: `unknownPass` when a disabled pass does not exist.
  public init(_ options: Options = Options()) throws(OptimizationError) {
    try self.init(stages: Pipeline.stages, options)
  }

  /// An optimizer that runs the named passes of the pipeline and no other.
  package init(only names: Set<String>, _ options: Options = Options()) throws(OptimizationError) {
    var options = options
    options.disabledPasses = Set(Self.passNames).subtracting(names)
    try self.init(stages: Pipeline.stages, options)
  }

  /// An optimizer over a pipeline of its own.
  package init(stages: [[any Pass.Type]], _ options: Options = Options()) throws(OptimizationError) {
    let known = stages.joined().map { $0.name } + [SeparateConvolutions.name]
    if let unknown = options.disabledPasses.subtracting(known).min() {
      throw OptimizationError(
        .unknownPass, pass: unknown, message: "no such pass; there are \(known.joined(separator: ", "))")
    }
    var left = options.disabledPasses
    if options.separation == .off { left.formUnion(Pipeline.separation.map { $0.name }) }
    self.stages = stages.map { $0.filter { !left.contains($0.name) } }
    self.options = options
  }

  /// The passes that bring an optimised graph to the layout of ONNX, channels first, without transposes inside.
  public static func export() throws(OptimizationError) -> Optimizer {
    var options = Options()
    options.separation = .off
    return try Optimizer(stages: Pipeline.exportStages, options)
  }

  /// Optimises `graph` in place and appends a record per rewrite to its provenance.
  @discardableResult
  public func run(
    _ graph: inout Graph, observing observe: Observer? = nil
  ) throws(OptimizationError) -> OptimizationReport {
    var run = OptimizationRun(stages, options, observe)
    graph.removeUnreadConstants()
    try run.repeatStages(over: &graph)
    try run.separate(&graph)
    return run.report
  }
}

/// The state of one optimisation.
private struct OptimizationRun {
  private(set) var report: OptimizationReport
  private let options: Optimizer.Options
  private let observe: Optimizer.Observer?
  private var passes: [any Pass]
  /// Indices of the passes of each stage.
  private let stages: [Range<Int>]
  /// Total rewrites when each pass last found nothing; nil when it never did.
  private var idleSince: [Int?]
  private var rewrites = 0
  /// The topological order after so many rewrites.
  private var order: (nodes: [NodeID], rewrites: Int) = ([], -1)

  init(_ stages: [[any Pass.Type]], _ options: Optimizer.Options, _ observe: Optimizer.Observer?) {
    self.options = options
    self.observe = observe
    passes = stages.joined().map { type in
      let pass = type.init()
      guard var costed = pass as? any CostedPass else { return pass }
      costed.cost = options.cost
      return costed
    }
    var ranges: [Range<Int>] = []
    for stage in stages {
      let start = ranges.last?.upperBound ?? 0
      ranges.append(start..<start + stage.count)
    }
    self.stages = ranges
    idleSince = Array(repeating: nil, count: passes.count)
    report = OptimizationReport(passes: stages.joined().map { .init(name: $0.name) })
  }

  mutating func repeatStages(over graph: inout Graph) throws(OptimizationError) {
    var before: Int
    repeat {
      before = rewrites
      for stage in stages { try repeatStage(stage, over: &graph) }
    } while rewrites > before && !report.stoppedEarly
  }

  /// Replaces layers by separable ones, and repeats everything until none is left that can be.
  mutating func separate(_ graph: inout Graph) throws(OptimizationError) {
    let name = SeparateConvolutions.name
    guard options.separation != .off, !options.disabledPasses.contains(name) else { return }
    report.passes.append(.init(name: name))
    let place = report.passes.count - 1
    while !report.stoppedEarly {
      let start = ContinuousClock.now
      let planner = SeparationPlanner(
        separation: options.separation, cost: options.cost, history: SeparationHistory(graph.provenance),
        looksAtAll: false)
      let before = rewrites
      for layer in planner.reports(graph) where layer.verdict == .rewrite && !report.stoppedEarly {
        guard let (rewrite, _) = SeparateConvolutions().rewrite(layer, in: graph) else { continue }
        observe?(rewrite, name, graph)
        let applied: Graph.AppliedRewrite
        do {
          applied = try graph.apply(rewrite, pass: name)
        } catch {
          throw OptimizationError(.illegalRewrite, pass: name, message: error.description, cause: error)
        }
        graph.provenance.rewrites.append(applied.record)
        rewrites += 1
        report.stoppedEarly = options.stopAfter.map { rewrites >= $0 } ?? false
      }
      report.passes[place].rewrites += rewrites - before
      report.passes[place].milliseconds += (ContinuousClock.now - start) / .milliseconds(1)
      guard rewrites > before else { return }
      try verify(graph, after: name)
      try repeatStages(over: &graph)
    }
  }

  private mutating func repeatStage(_ stage: Range<Int>, over graph: inout Graph) throws(OptimizationError) {
    while true {
      // A pass that found nothing need not look again until another one has changed something.
      let restless = stage.filter { idleSince[$0] != rewrites }
      guard !restless.isEmpty, !report.stoppedEarly else { return }
      guard report.rounds < options.roundLimit else {
        throw OptimizationError(
          .noFixpoint, pass: restless.map { report.passes[$0].name }.joined(separator: ", "),
          message: "still rewriting after \(options.roundLimit) rounds")
      }
      report.rounds += 1
      for index in stage where idleSince[index] != rewrites {
        try run(index, over: &graph)
        if report.stoppedEarly { return }
      }
    }
  }

  private mutating func run(_ index: Int, over graph: inout Graph) throws(OptimizationError) {
    let start = ContinuousClock.now
    let budget = options.stopAfter.map { $0 - rewrites }
    if order.rewrites != rewrites { order = (graph.topologicalOrder(), rewrites) }
    let count = try sweep(
      &passes[index], over: &graph, in: order.nodes, atMost: budget,
      verifyEachRewrite: options.verifyEachRewrite, observing: observe)
    if count == 0 {
      idleSince[index] = rewrites
    } else if !options.verifyEachRewrite {
      try verify(graph, after: report.passes[index].name)
    }
    rewrites += count
    report.stoppedEarly = budget.map { count >= $0 } ?? false
    report.passes[index].rewrites += count
    report.passes[index].milliseconds += (ContinuousClock.now - start) / .milliseconds(1)
  }
}

/// Applies one pass until it finds nothing more, or `limit` rewrites were made; returns their number.
private func sweep<P: Pass>(
  _ pass: inout P, over graph: inout Graph, in order: [NodeID], atMost limit: Int?, verifyEachRewrite: Bool,
  observing observe: Optimizer.Observer?
) throws(OptimizationError) -> Int {
  // A pass that makes more rewrites than this feeds on its own output.
  let sanityLimit = 64 * (graph.nodeCount + 16)
  var count = 0
  var worklist = Worklist(order, in: graph)
  while limit.map({ count < $0 }) ?? true, let id = worklist.next() {
    guard graph.contains(id), let rewrite = pass.rewrite(graph.node(id), in: graph) else { continue }
    observe?(rewrite, P.name, graph)
    let applied: Graph.AppliedRewrite
    do {
      applied = try graph.apply(rewrite, pass: P.name)
    } catch {
      throw OptimizationError(.illegalRewrite, pass: P.name, message: error.description, cause: error)
    }
    graph.provenance.rewrites.append(applied.record)
    worklist.add(applied.added)
    worklist.add(applied.neighbours)
    if verifyEachRewrite { try verify(graph, after: P.name) }
    count += 1
    guard count <= sanityLimit else {
      throw OptimizationError(.noFixpoint, pass: P.name, message: "no end after \(count) rewrites")
    }
  }
  return count
}

private func verify(_ graph: Graph, after pass: String) throws(OptimizationError) {
  do {
    try graph.verify()
  } catch {
    throw OptimizationError(.illegalRewrite, pass: pass, message: error.description, cause: error)
  }
}

/// Nodes that wait for a visit, first in first out, each at most once.
private struct Worklist {
  private var queue: [NodeID]
  private var head = 0
  /// By node index.
  private var isWaiting: [Bool]

  init(_ nodes: [NodeID], in graph: Graph) {
    queue = nodes
    isWaiting = Array(repeating: false, count: graph.endOfNodeIDs)
    for node in nodes { isWaiting[node.index] = true }
  }

  mutating func next() -> NodeID? {
    guard head < queue.count else { return nil }
    defer { head += 1 }
    isWaiting[queue[head].index] = false
    return queue[head]
  }

  mutating func add(_ nodes: [NodeID]) {
    for node in nodes {
      while node.index >= isWaiting.count { isWaiting.append(false) }
      if !isWaiting[node.index] {
        isWaiting[node.index] = true
        queue.append(node)
      }
    }
  }
}
