import SepalGraph
import SepalPasses
import SepalRuntime

/// Takes down what optimisation does to the layers of a graph because of their weights.
struct SeparationAccount {
  private(set) var graph: Graph
  private(set) var layers: [SeparableReport.Layer] = []
  private(set) var spectra: [SeparableReport.Spectrum] = []
  private let options: SeparableReport.Options
  /// Places of the layers in the model, by name.
  private let places: [String: Int]

  init(_ options: SeparableReport.Options, _ graph: Graph) {
    (self.options, self.graph) = (options, graph)
    let names = graph.nodes.enumerated().map { ($1.name, $0) }
    places = Dictionary(names) { first, _ in first }
  }

  /// Layer by layer in the order of the model.
  var rows: [SeparableReport.Layer] {
    layers.enumerated().sorted {
      (places[$0.element.name] ?? .max, $0.offset) < (places[$1.element.name] ?? .max, $1.offset)
    }.map(\.element)
  }

  /// What `convert` does; with samples only what is exact.
  mutating func optimize() throws(OptimizationError) {
    let isFitted = options.calibration != nil
    let separation: Separation =
      isFitted ? .exact : options.tolerance.map { .approximate(tolerance: $0) } ?? .exact
    var optimization = SeparableReport.optimization(options, separation)
    optimization.disabledPasses = [SeparateConvolutions.name]
    let hidden = Set(Pipeline.separation.map { $0.name })
    try observe(optimization) { account, rewrite, pass, graph in
      if hidden.contains(pass) { account.add(rewrite, pass, in: graph) }
    }
    let analysis = SeparableAnalysis(
      graph, separation, cost: options.cost, inputRange: options.inputRange)
    let first = layers.count
    for layer in analysis.layers { add(layer) }
    var expected: [String: Int] = [:]
    for index in first..<layers.count where layers[index].verdict == "rewrite" {
      expected[layers[index].name] = index
    }
    guard !expected.isEmpty else { return }
    optimization.disabledPasses = []
    try observe(optimization) { account, rewrite, pass, graph in
      guard pass == SeparateConvolutions.name, let node = rewrite.removedNodes.first.map({ graph.node($0) }),
        let index = expected.removeValue(forKey: node.name)
      else {
        // What is found only in what was made before.
        if pass == SeparateConvolutions.name || hidden.contains(pass) {
          account.add(rewrite, pass, in: graph)
        }
        return
      }
      account.take(
        GraphPart.nodes([node.id], of: graph), GraphPart.made(by: rewrite, in: graph), of: index)
    }
  }

  /// Fits approximations to samples.
  mutating func fit(_ calibration: Calibration, _ tolerance: Double) throws(SepalError) {
    let samples = try calibration.activations(for: graph)
    let before = graph
    let fitted: [SeparableApproximation.Layer]
    do throws(CalibrationError) {
      fitted = try SeparableApproximation(tolerance: tolerance).run(
        &graph, samples: samples, cost: options.cost)
    } catch {
      throw SepalError(.badData, "\(calibration.path): \(error)")
    }
    let nodes = Dictionary(before.nodes.map { ($0.name, $0) }) { first, _ in first }
    let made = Dictionary(grouping: graph.nodes) { "\($0.name) (\($0.op.name))" }
    for layer in fitted {
      guard let node = nodes[layer.name] else { continue }
      let index = layers.lastIndex { $0.name == layer.name && $0.verdict == "keep" } ?? layers.count
      if index == layers.count { layers.append(row(node, before)) }
      let isKept = layer.terms == 0
      layers[index].verdict = isKept ? "keep" : "rewrite"
      layers[index].reason = layer.reason
      guard !isKept else { continue }
      layers[index].structure = SeparableStructure.depthwisePointwise.rawValue
      (layers[index].rank, layers[index].ranks) = (layer.terms, layer.ranks)
      (layers[index].relError, layers[index].expectedError) = (layer.weightError, layer.sampleError)
      let record = graph.provenance.rewrites.last { $0.before.contains("\(node.name) (\(node.op.name))") }
      let parts = (record?.after ?? []).flatMap { made[$0] ?? [] }.map(\.id)
      take(GraphPart.nodes([node.id], of: before), GraphPart.nodes(parts, of: graph), of: index)
    }
  }

  func network(before: Graph) -> SeparableReport.Network {
    let shapes = before.nodes.compactMap { node in
      WeightShape(node, in: before)
    }
    let listed = Set(layers.map(\.name))
    var network = SeparableReport.Network(
      macs: MACCost().count(of: before), macsAfter: MACCost().count(of: graph),
      depthwise: shapes.filter(\.isDepthwise).count,
      products: shapes.filter { $0.isProduct && !listed.contains($0.name) }.count)
    network.ms = options.times?.milliseconds(ofModel: before)
    network.msAfter = options.times?.milliseconds(ofModel: graph)
    if options.measures, layers.contains(where: { $0.verdict == "rewrite" }),
      let timing = try? PairedTiming(before, graph, borders: .model)
    {
      (network.measuredMs, network.measuredMsAfter) = (timing.beforeMilliseconds, timing.afterMilliseconds)
    }
    return network
  }

  private mutating func observe(
    _ optimization: Optimizer.Options,
    _ see: @escaping (inout SeparationAccount, Rewrite, String, Graph) -> Void
  ) throws(OptimizationError) {
    var (account, graph) = (self, graph)
    // The account must not hold the graph that is changed in place.
    account.graph = Graph()
    try Optimizer(optimization).run(&graph) { see(&account, $0, $1, $2) }
    account.graph = graph
    self = account
  }
}

extension SeparationAccount {
  private func row(_ node: Node, _ graph: Graph) -> SeparableReport.Layer {
    let part = GraphPart.nodes([node.id], of: graph)
    return SeparableReport.Layer(
      name: node.name, kernel: WeightShape(node, in: graph)?.text ?? "",
      macs: part.map { MACCost().count(of: $0) } ?? 0, structure: "",
      ms: part.flatMap { options.times?.milliseconds(ofPart: $0) }, verdict: "keep", reason: "")
  }

  /// What a pass does to a layer and perhaps to its neighbours.
  fileprivate mutating func add(_ rewrite: Rewrite, _ pass: String, in graph: Graph) {
    guard let before = GraphPart.nodes(rewrite.removedNodes, of: graph),
      let after = GraphPart.made(by: rewrite, in: graph)
    else { return }
    let shapes = before.nodes.compactMap { WeightShape($0, in: before) }
    let made = after.nodes.compactMap { WeightShape($0, in: after) }
    // The layer is the first that is not what it was; neighbours only order their channels anew.
    let change = shapes.lazy.compactMap { old in
      made.first { $0.name == old.name && $0.text != old.text }.map { (old: old, new: $0) }
    }.first
    guard let layer = change?.old ?? shapes.first else { return }
    let becomes = change?.new.text ?? made.map(\.text).joined(separator: ", ")
    let error: Double = if case .approximate(let error) = rewrite.exactness { error } else { 0 }
    let structure =
      switch pass {
      case "trim-kernel-border": change?.new.isProduct == true ? "1×1 in a larger kernel" : "zero border"
      case "drop-useless-channels": "zero or equal channels"
      case "split-hidden-groups": change?.new.isDepthwise == true ? "hidden depthwise" : "hidden groups"
      default: "in parts"
      }
    layers.append(
      SeparableReport.Layer(
        name: layer.name, kernel: layer.text, macs: 0, structure: structure, relError: error,
        verdict: "rewrite", reason: "becomes \(becomes)"))
    take(before, after, of: layers.count - 1)
  }

  fileprivate mutating func add(_ layer: SeparableLayerReport) {
    let node = graph.node(layer.node)
    var row = row(node, graph)
    let choice = layer.choice
    (row.macs, row.structure, row.rank) = (
      layer.macs, choice?.structure.rawValue ?? "", choice?.ranks.largest
    )
    if case .ofChannels(let ranks)? = choice?.ranks { row.ranks = ranks }
    if !layer.kernel.isEmpty { row.kernel = layer.kernel }
    row.relError = layer.bounds?.relativeError ?? choice?.relativeError
    row.macsAfter = choice?.macs
    // Of what is not done, the time is known where time decides.
    if options.cost.unit == PredictedTime.unit { row.msAfter = choice?.cost }
    (row.verdict, row.reason) = (layer.verdict.rawValue, layer.reason)
    (row.absoluteBound, row.normBound) = (layer.bounds?.absoluteSums.max(), layer.bounds?.norms.max())
    let range = layer.inputRange
    if range.lowerBound.isFinite, range.upperBound.isFinite {
      row.inputRange = [range.lowerBound, range.upperBound]
      row.outputBounds = layer.bounds?.outputErrors(within: range)
    }
    layers.append(row)
    spectra += layer.spectra.map {
      .init(
        layer: layer.name, kernel: layer.kernel, structure: $0.structure.rawValue, shares: $0.shares)
    }
  }

  /// What a row costs before and after.
  fileprivate mutating func take(_ before: Graph?, _ after: Graph?, of row: Int) {
    guard let before, let after else { return }
    (layers[row].macs, layers[row].macsAfter) = (MACCost().count(of: before), MACCost().count(of: after))
    layers[row].ms = options.times?.milliseconds(ofPart: before)
    layers[row].msAfter = options.times?.milliseconds(ofPart: after)
    if let old = layers[row].ms, let new = layers[row].msAfter, new > old {
      layers[row].reason += ", predicted to be slower"
    }
    guard options.measures, let timing = try? PairedTiming(before, after, borders: .network) else { return }
    (layers[row].measuredMs, layers[row].measuredMsAfter) = (
      timing.beforeMilliseconds, timing.afterMilliseconds
    )
  }
}

/// The weights of a convolution or dense layer.
private struct WeightShape {
  let name: String
  /// Outputs × inputs of a group × kernel.
  let text: String
  let isDepthwise, isProduct: Bool

  init?(_ node: Node, in graph: Graph) {
    guard let id = node.input(1) else { return nil }
    var shape = graph.type(of: id).shape
    var groups = 1
    switch node.op {
    case let op as Conv: groups = op.groups
    case let op as ConvTranspose:
      groups = op.groups
      shape.replaceSubrange(0..<2, with: [shape[1] * groups, shape[0] / max(1, groups)])
    case let op as Gemm: if !op.transB { shape.reverse() }
    default: return nil
    }
    name = node.name
    text =
      shape.map(String.init).joined(separator: "×")
      + (groups > 1 ? " / \(groups)" : "")
    isDepthwise = groups > 1 && shape[1] == 1
    isProduct = shape.dropFirst(2).allSatisfy { $0 == 1 }
  }
}
