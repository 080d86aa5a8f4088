import SepalGraph
import SepalTensor

/// Replaces convolutions and dense layers by smaller ones in a row, where their weights allow that and it is cheaper.
///
/// Before: y = act(Conv(x, W) + b + r)
/// After:  y = act(Σ_t Second_t(First_t(x)) + b + r), with W = Σ_t Second_t∘First_t
/// Requires: float32 weights, constant, finite, of this layer only; a lower cost; W exact up to rounding, or an error
/// within the tolerance.
/// Exactness: reassociated, or approximate with ‖ΔW‖/‖W‖ of the weights as they are stored.
package struct SeparateConvolutions: GraphPass {
  package static let name = "separate-convolutions"

  /// Errors up to this are rounding: of two factors and their sum, each weight is off by some 2⁻²⁴.
  private static let rounding = 0x1p-20

  /// The rewrite of a layer, and the bounds of its error; nil where the graph has changed since the decision.
  package init() {}

  package func rewrite(
    _ report: SeparableLayerReport, in graph: Graph
  ) -> (rewrite: Rewrite, bounds: SeparableLayerReport.Bounds)? {
    guard report.verdict == .rewrite, let choice = report.choice,
      case .success(let layer)? = SeparableLayer.layer(graph.node(report.node), in: graph)
    else { return nil }
    let products = LayerStructure(layer, choice.structure).products(choice.ranks)
    let bounds = Self.bounds(layer, products)
    guard bounds.relativeError.isFinite, !choice.isExact || bounds.relativeError <= Self.rounding else {
      return nil
    }
    let exactness: Exactness = choice.isExact ? .reassociated : .approximate(bounds.relativeError)
    let wiring = SeparableWiring(layer: layer, structure: choice.structure)
    guard let rewrite = wiring.rewrite(products, exactness: exactness) else { return nil }
    return (rewrite, bounds)
  }

  /// What the products differ from the weights by, as stored.
  static func bounds(_ layer: SeparableLayer, _ products: [KernelProduct]) -> SeparableLayerReport.Bounds {
    var difference = layer.weight.map { -Double($0) }
    for product in products { product.add(to: &difference, of: layer) }
    let count = layer.inputsPerGroup * layer.taps
    var (sums, positive, norms, total) = ([Double](), [Double](), [Double](), 0.0)
    for output in 0..<layer.outputs {
      let own = difference[output * count..<(output + 1) * count]
      let squares = own.reduce(0) { $0 + $1 * $1 }
      sums.append(own.reduce(0) { $0 + $1.magnitude })
      positive.append(own.reduce(0) { $0 + max(0, $1) })
      norms.append(squares.squareRoot())
      total += squares
    }
    return .init(
      absoluteSums: sums, positiveSums: positive, norms: norms,
      relativeError: layer.energy > 0 ? (total / layer.energy).squareRoot() : total.squareRoot())
  }
}
