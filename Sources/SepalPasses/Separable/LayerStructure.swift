import SepalGraph

/// What a layer's weights are under one structure: its singular values, and factors of any rank.
package struct LayerStructure: Sendable {
  package let spectrum: Spectrum
  private let layer: SeparableLayer
  private let range: MatrixRange?

  var structure: SeparableStructure { spectrum.structure }

  /// The structures that a layer can have.
  static func candidates(_ layer: SeparableLayer) -> [SeparableStructure] {
    guard !layer.isDepthwise else { return [] }
    guard layer.taps > 1 else { return layer.groups == 1 ? [.lowRank] : [] }
    var structures: [SeparableStructure] = [.depthwisePointwise, .pointwiseDepthwise]
    if case .convolution = layer.kind, layer.groups == 1, layer.kernel.count > 1, layer.kernel[0] > 1,
      layer.taps > layer.kernel[0]
    {
      structures += [.spatial, .spatialReversed]
    }
    return structures
  }

  package init(_ layer: SeparableLayer, _ structure: SeparableStructure) {
    self.layer = layer
    let taps = layer.taps
    switch structure {
    case .depthwisePointwise:
      let rows = layer.outputsPerGroup
      let matrices = parallelMap(layer.inputs) {
        SingularValues(layer.matrix(ofInput: $0), rows: rows, columns: taps)
      }
      spectrum = Spectrum(structure, matrices, fullRank: min(rows, taps), rows: rows, columns: taps)
      range = nil
    case .pointwiseDepthwise:
      let rows = layer.inputsPerGroup
      let matrices = parallelMap(layer.outputs) {
        SingularValues(layer.matrix(ofOutput: $0), rows: rows, columns: taps)
      }
      spectrum = Spectrum(structure, matrices, fullRank: min(rows, taps), rows: rows, columns: taps)
      range = nil
    case .spatial, .spatialReversed, .lowRank:
      let matrix = Self.matrix(layer, structure)
      let (rows, columns) = (matrix.rows.count, matrix.columns.count)
      let range = MatrixRange(matrix)
      spectrum = Spectrum(
        structure, values: range.values, fullRank: min(rows, columns), rows: rows, columns: columns,
        rest: range.rest)
      self.range = range
    }
  }

  /// Taps of the first factor and of the second: along the first axis and along the others, or the other way round; one of
  /// each for dense layers.
  static func taps(_ layer: SeparableLayer, _ structure: SeparableStructure) -> (first: Int, second: Int) {
    let axis = layer.kernel.first ?? 1
    let others = layer.taps / axis
    return structure == .spatialReversed ? (others, axis) : (axis, others)
  }

  /// Inputs and taps of the first factor by outputs and taps of the second.
  static func matrix(_ layer: SeparableLayer, _ structure: SeparableStructure) -> MatrixView {
    let taps = taps(layer, structure)
    let isReversed = structure == .spatialReversed
    let rows = (0..<layer.inputs * taps.first).map { row in
      row / taps.first * layer.taps + row % taps.first * (isReversed ? 1 : taps.second)
    }
    let columns = (0..<layer.outputs * taps.second).map { column in
      column / taps.second * layer.inputs * layer.taps + column % taps.second * (isReversed ? taps.first : 1)
    }
    return MatrixView(layer.weight, rows: rows, columns: columns)
  }

  /// The largest rank that takes fewer weights than the layer; of larger ones the multiply-adds are more, too.
  static func largestRank(_ layer: SeparableLayer, _ structure: SeparableStructure) -> Int {
    let one = shapes(layer, structure, rank: 1).reduce(0) { $0 + $1.first.count + $1.second.count }
    return max(1, (layer.weight.count - 1) / max(1, one))
  }

  /// The products whose sum has rank `rank`, without values.
  static func shapes(_ layer: SeparableLayer, _ structure: SeparableStructure, rank: Int) -> [KernelProduct] {
    let point = layer.kernel.map { _ in 1 }
    switch structure {
    case .depthwisePointwise:
      let first = KernelFactor(
        outputs: layer.inputs, inputsPerGroup: 1, groups: layer.inputs, kernel: layer.kernel)
      let second = KernelFactor(
        outputs: layer.outputs, inputsPerGroup: layer.inputsPerGroup, groups: layer.groups, kernel: point)
      return [KernelProduct](repeating: KernelProduct(first: first, second: second), count: rank)
    case .pointwiseDepthwise:
      let first = KernelFactor(
        outputs: layer.outputs, inputsPerGroup: layer.inputsPerGroup, groups: layer.groups, kernel: point)
      let second = KernelFactor(
        outputs: layer.outputs, inputsPerGroup: 1, groups: layer.outputs, kernel: layer.kernel)
      return [KernelProduct](repeating: KernelProduct(first: first, second: second), count: rank)
    case .spatial, .spatialReversed, .lowRank:
      var kernels = (first: layer.kernel, second: layer.kernel)
      if structure != .lowRank {
        kernels = ([layer.kernel[0]] + point.dropFirst(), [1] + layer.kernel.dropFirst())
      }
      if structure == .spatialReversed { kernels = (kernels.second, kernels.first) }
      let first = KernelFactor(
        outputs: rank, inputsPerGroup: layer.inputs, groups: 1, kernel: kernels.first)
      let second = KernelFactor(
        outputs: layer.outputs, inputsPerGroup: rank, groups: 1, kernel: kernels.second)
      return [KernelProduct(first: first, second: second)]
    }
  }

  /// The products whose sum is the best kernel of rank `rank`.
  func products(rank: Int) -> [KernelProduct] {
    let shapes = Self.shapes(layer, structure, rank: rank)
    switch structure {
    case .depthwisePointwise:
      return shapes.enumerated().map { term, shape in
        let filters = parallelMap(layer.inputs) { spectrum.vector($0, rank: term) }
        let weights = projections(on: filters) { output, input in
          input + output / layer.outputsPerGroup * layer.inputsPerGroup
        }
        return KernelProduct(
          first: shape.first.holding(filters.flatMap { $0 }), second: shape.second.holding(weights))
      }
    case .pointwiseDepthwise:
      return shapes.enumerated().map { term, shape in
        let filters = parallelMap(layer.outputs) { spectrum.vector($0, rank: term) }
        let weights = projections(on: filters) { output, _ in output }
        return KernelProduct(
          first: shape.first.holding(weights), second: shape.second.holding(filters.flatMap { $0 }))
      }
    case .spatial, .spatialReversed, .lowRank:
      return shapes.map { shape in
        guard let range else { return shape }
        let pairs = parallelMap(rank) { range.pair(rank: $0) }
        var second = [Double](repeating: 0, count: shape.second.count)
        let taps = shape.second.taps
        for (index, pair) in pairs.enumerated() {
          for output in 0..<layer.outputs {
            for tap in 0..<taps {
              second[(output * rank + index) * taps + tap] = pair.row[output * taps + tap]
            }
          }
        }
        return KernelProduct(
          first: shape.first.holding(pairs.flatMap(\.column)), second: shape.second.holding(second))
      }
    }
  }

  /// The weights' parts along filters of unit length: `[outputs][inputs of a group]`.
  private func projections(on filters: [[Double]], _ filter: (Int, Int) -> Int) -> [Double] {
    var result: [Double] = []
    result.reserveCapacity(layer.outputs * layer.inputsPerGroup)
    var source = 0
    for output in 0..<layer.outputs {
      for input in 0..<layer.inputsPerGroup {
        let direction = filters[filter(output, input)]
        var sum = 0.0
        for tap in 0..<layer.taps { sum += Double(layer.weight[source + tap]) * direction[tap] }
        source += layer.taps
        result.append(sum)
      }
    }
    return result
  }
}
