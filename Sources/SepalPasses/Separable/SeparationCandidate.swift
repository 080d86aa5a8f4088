import SepalGraph

/// A layer that was looked at, and what it could be.
struct SeparationCandidate {
  var report: SeparableLayerReport
  /// Of fewer multiply-adds than the layer, whatever the error.
  private(set) var options: [Option] = []
  private var order: RankOrder?

  struct Option {
    enum Ranks {
      case equal(Int)
      /// The sum over all channels: which has how many is known once it is chosen.
      case total(Int)
    }

    var structure: SeparableStructure
    var ranks: Ranks
    var relativeError: Double
    var macs: Int
    var cost: Double
    var isExact: Bool
  }

  /// A layer that cannot be looked at.
  init(refused node: Node, _ reason: SeparableLayer.Refusal, in graph: Graph) {
    let macs = node.op.macs(graph.inputTypes(of: node), outputs: node.outputs.map { graph.type(of: $0) })
    report = SeparableLayerReport(
      node: node.id, name: node.name, kernel: "", macs: macs, cost: 0, verdict: .keep,
      reason: reason.rawValue, choice: nil, bounds: nil, spectra: [])
  }

  /// - Parameters:
  ///   - isApproximate: whether ranks that lose something are of interest beside those that do not.
  /// - Returns: nil where the layer cannot be taken out of its graph.
  init?(
    _ layer: SeparableLayer, _ structures: [LayerStructure], isApproximate: Bool, _ model: any CostModel
  ) {
    guard let first = structures.first,
      let whole = SeparableWiring(layer: layer, structure: first.structure).graph(nil)
    else { return nil }
    report = SeparableLayerReport(
      node: layer.node.id, name: layer.node.name, kernel: layer.kernelText, macs: MACCost().count(of: whole),
      cost: model.cost(of: whole), verdict: .keep, reason: "", choice: nil, bounds: nil,
      spectra: structures.map { structure in
        let (energies, total) = (structure.spectrum.energies, structure.spectrum.total)
        return (structure.structure, energies.map { total > 0 ? $0 / total : 0 })
      })
    for structure in structures {
      let spectrum = structure.spectrum
      for rank in Self.ranks(spectrum, isApproximate: isApproximate) {
        if rank > 1, !SeparableWiring.canAddUp(layer, structure.structure) { break }
        let isExact = spectrum.exactRank.map { rank >= $0 } ?? false
        let error = isExact ? 0 : spectrum.squaredError(rank: rank)
        // More of them never pay, and every further rank has more.
        guard add(.equal(rank), .equal(rank), of: layer, structure, error, isExact, model) else { break }
      }
      guard structure.structure == .depthwisePointwise, layer.groups == 1 else { continue }
      order = spectrum.order
      for total in Self.totals(layer, spectrum.order, isApproximate: isApproximate) {
        let ranks = spectrum.order.ranks(total: total)
        // Equal ranks need no channels repeated.
        guard ranks.contains(where: { $0 != ranks[0] }) else { continue }
        let isExact = total == spectrum.order.total
        let error = isExact ? 0 : spectrum.order.squaredError(total: total)
        guard add(.total(total), .ofChannels(ranks), of: layer, structure, error, isExact, model) else {
          break
        }
      }
    }
  }

  /// Adds what the layer can be. False where it has no fewer multiply-adds, or cannot be run at a known cost.
  private mutating func add(
    _ option: Option.Ranks, _ ranks: SeparableRanks, of layer: SeparableLayer, _ structure: LayerStructure,
    _ squaredError: Double, _ isExact: Bool, _ model: any CostModel
  ) -> Bool {
    let wiring = SeparableWiring(layer: layer, structure: structure.structure)
    guard let parts = wiring.graph(LayerStructure.shapes(layer, structure.structure, ranks)) else {
      return false
    }
    let macs = MACCost().count(of: parts)
    guard macs < report.macs else { return false }
    let cost = model.cost(of: parts)
    guard cost.isFinite else { return false }
    let total = structure.spectrum.total
    options.append(
      .init(
        structure: structure.structure, ranks: option,
        relativeError: total > 0 ? (squaredError / total).squareRoot() : 0, macs: macs,
        cost: cost, isExact: isExact))
    return true
  }

  /// The least exact rank, and for approximation those below it: each of few, about a dozen of many.
  private static func ranks(_ spectrum: Spectrum, isApproximate: Bool) -> [Int] {
    let exact = spectrum.exactRank.map { max(1, $0) }
    let most = exact ?? spectrum.energies.count
    var ranks: [Int] = []
    var rank = 1
    while rank < most {
      ranks.append(rank)
      rank = max(rank + 1, rank * 5 / 4)
    }
    ranks.append(most)
    return isApproximate || exact == nil ? ranks : [most]
  }

  /// Sums of the ranks of all channels: the exact one where that is less than what the layer is, and for approximation
  /// some below it, not more than a fixed number whatever the channels.
  private static func totals(_ layer: SeparableLayer, _ order: RankOrder, isApproximate: Bool) -> [Int] {
    let most = (layer.weight.count - 1) / (layer.taps + layer.outputs)
    let isSeparable = order.total <= most
    guard order.total > 0, most > 0 else { return [] }
    guard isApproximate || !isSeparable else { return [order.total] }
    let last = min(order.total, most)
    let step = max(1, last / mostTotals)
    return Array(stride(from: step, to: last, by: step)) + [last]
  }

  private static let mostTotals = 64

  var ladder: SeparationBudget.Ladder {
    SeparationBudget.Ladder(
      [.init(squaredError: 0, cost: report.cost, option: nil)]
        + options.enumerated().map { index, option in
          .init(squaredError: option.relativeError * option.relativeError, cost: option.cost, option: index)
        })
  }

  private func choice(_ option: Option) -> SeparableLayerReport.Choice {
    let ranks: SeparableRanks =
      switch option.ranks {
      case .equal(let rank): .equal(rank)
      case .total(let total): .ofChannels(order?.ranks(total: total) ?? [])
      }
    return .init(
      structure: option.structure, ranks: ranks, relativeError: option.relativeError, macs: option.macs,
      cost: option.cost, isExact: option.isExact)
  }

  mutating func choose(_ option: Int, _ model: any CostModel) {
    let choice = choice(options[option])
    report.choice = choice
    report.verdict = .rewrite
    let share = report.cost > 0 ? choice.cost / report.cost : 1
    report.reason = "\(percent(share)) of the \(model.unit)"
  }

  mutating func keep(_ separation: Separation) {
    guard report.reason.isEmpty else { return }
    let cheaper = options.filter { $0.cost < report.cost }
    // With ranks for each channel there is always one that saves next to nothing and is next to nothing off.
    let clearly = cheaper.filter { $0.cost <= Self.clearly * report.cost }
    let nearest = (clearly.isEmpty ? cheaper : clearly).min {
      ($0.relativeError, $0.cost) < ($1.relativeError, $1.cost)
    }
    guard let nearest else {
      report.choice = options.min { ($0.relativeError, $0.cost) < ($1.relativeError, $1.cost) }.map(choice)
      let isSeparable = options.contains { $0.isExact }
      report.reason = isSeparable ? "separable, but not faster" : "nothing separable would be faster"
      return
    }
    report.choice = choice(nearest)
    let error = "the nearest that would be faster is \(percent(nearest.relativeError)) off"
    report.reason = separation.tolerance > 0 ? "\(error), the budget is spent" : error
  }

  /// The share of a layer's cost at which something is faster by more than a hair.
  private static let clearly = 0.95

  private func percent(_ value: Double) -> String {
    let tenths = Int((value * 1000).rounded())
    return tenths >= 100 || tenths % 10 == 0 ? "\((tenths + 5) / 10)%" : "\(tenths / 10).\(tenths % 10)%"
  }
}
