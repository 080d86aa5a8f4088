import SepalGraph
import SepalRuntime
import SepalTensor

/// Which values of a converted graph stand for which tensors of the original.
struct LayerMap: Sendable {
  struct Layer: Sendable {
    let name: String
    let origin: Origin
    /// Layers that it is computed from, by place.
    let sources: [Int]
    let isOutput: Bool
  }

  /// In execution order.
  private(set) var layers: [Layer] = []
  private(set) var places: [ValueID: Int] = [:]
  /// For each source tensor how many layers stand for it.
  private(set) var readers: [String: Int] = [:]
  /// Tensors that nodes of the original compute and no layer stands for.
  private(set) var fusedAway: [String] = []

  init(original: Graph, converted: Graph) {
    var computed: [String] = []
    var known: Set<String> = []
    for node in original.nodes {
      for value in node.outputs.map({ original.value($0) }) where value.type.element.isFloat {
        computed.append(value.origins.last?.name ?? value.name)
        for origin in value.origins { known.insert(origin.name) }
      }
    }
    /// For each value the layers that it depends on through values that are none.
    var behind: [ValueID: [Int]] = [:]
    for node in converted.nodes {
      let operands = node.inputs.compactMap { $0 }
      var sources: [Int] = []
      for operand in operands {
        for source in places[operand].map({ [$0] }) ?? behind[operand] ?? [] where !sources.contains(source) {
          sources.append(source)
        }
      }
      // More than a few say no more about where an error comes from.
      sources = Array(sources.prefix(8))
      for id in node.outputs {
        let value = converted.value(id)
        behind[id] = sources
        guard value.type.element.isFloat, let origin = value.origins.last(where: { known.contains($0.name) })
        else { continue }
        places[id] = layers.count
        readers[origin.name, default: 0] += 1
        layers.append(
          Layer(name: value.name, origin: origin, sources: sources, isOutput: value.isGraphOutput))
      }
    }
    fusedAway = computed.filter { readers[$0] == nil }
  }
}

/// Compares layer by layer while both sides run: each waits for the other, and a tensor is dropped when it was compared.
struct LayerWalk {
  private let map: LayerMap
  private let outputs, inner: Criterion

  /// Within a network errors of many channels go together here and there, and there are hundreds of thousands of elements: a
  /// layer is taken for wrong at so many times what an output may show.
  private static let width = 5.0

  init(_ map: LayerMap, criterion: Criterion) {
    self.map = map
    outputs = criterion
    if case .deviations(let lambda) = criterion {
      inner = .deviations(Self.width * lambda)
    } else {
      inner = criterion
    }
  }

  /// Runs the converted model, planned without segments, and as much of the original as that asks for.
  func compare(
    _ session: Session, _ inputs: [String: Tensor], with reference: inout ReferenceRun
  ) throws(ComparisonError) -> [LayerComparison] {
    var layers: [LayerComparison?] = map.layers.map { _ in nil }
    var sources = Sources(readers: map.readers)
    var failure: ComparisonError?
    do throws(RuntimeError) {
      _ = try session.run(inputs: inputs) { id, tensor in
        guard failure == nil, let place = map.places[id] else { return }
        let layer = map.layers[place]
        do throws(ComparisonError) {
          guard let source = try sources.take(layer.origin.name, from: &reference),
            source.value.count == tensor.count
          else { return }
          let permutation = layer.origin.permutation
          let aligned = permutation.isEmpty ? tensor : tensor.transposed(permutation)
          layers[place] = LayerComparison(
            name: layer.name, origin: layer.origin.name,
            comparison: Comparison(
              aligned, reference: source.value, sigma: source.errors.map { $0.squareRoot() },
              by: layer.isOutput ? outputs : inner, isOutput: false),
            sources: layer.sources)
        } catch {
          failure = error
        }
      }
    } catch {
      throw ComparisonError("the converted model cannot be run: \(error)")
    }
    if let failure { throw failure }
    return compacted(layers)
  }

  /// Without those that could not be compared; places are renumbered.
  private func compacted(_ layers: [LayerComparison?]) -> [LayerComparison] {
    var places: [Int: Int] = [:]
    for (place, layer) in layers.enumerated() where layer != nil { places[place] = places.count }
    return layers.compactMap { layer in
      guard var layer else { return nil }
      layer.sources = layer.sources.compactMap { places[$0] }
      return layer
    }
  }

  /// Source tensors that were computed and not yet compared by all their layers.
  private struct Sources {
    var readers: [String: Int]
    var waiting: [String: Estimate] = [:]

    /// The tensor of that name; evaluates the original up to it.
    mutating func take(_ name: String, from run: inout ReferenceRun) throws(ComparisonError) -> Estimate? {
      while waiting[name] == nil {
        guard let results = try run.next() else { return nil }
        for (value, estimate) in results {
          for origin in value.origins where (readers[origin.name] ?? 0) > 0 && waiting[origin.name] == nil {
            waiting[origin.name] = estimate
          }
        }
      }
      let estimate = waiting[name]
      let left = (readers[name] ?? 1) - 1
      readers[name] = left
      if left == 0 { waiting[name] = nil }
      return estimate
    }
  }
}
