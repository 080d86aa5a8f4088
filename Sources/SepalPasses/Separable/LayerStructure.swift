import SepalGraph

/// What a layer's weights are under one structure: its singular values, and factors of any rank.
package struct LayerStructure: Sendable {
  package let spectrum: Spectrum
  let layer: SeparableLayer
  private let range: MatrixRange?
  private let whitening: InputWhitening?

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
    self.init(layer, structure, whitening: nil)
  }

  /// Depthwise then pointwise, for inputs with such second moments.
  init(_ layer: SeparableLayer, _ whitening: InputWhitening) {
    self.init(layer, .depthwisePointwise, whitening: whitening)
  }

  private init(_ layer: SeparableLayer, _ structure: SeparableStructure, whitening: InputWhitening?) {
    self.layer = layer
    self.whitening = whitening
    let taps = layer.taps
    switch structure {
    case .depthwisePointwise:
      let rows = layer.outputsPerGroup
      let matrices = parallelMap(layer.inputs) { channel in
        let matrix = layer.matrix(ofInput: channel)
        return whitening?.singularValues(matrix, rows: rows, channel: channel)
          ?? SingularValues(matrix, rows: rows, columns: taps)
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
    let one = shapes(layer, structure, .equal(1)).reduce(0) { $0 + $1.first.count + $1.second.count }
    return max(1, (layer.weight.count - 1) / max(1, one))
  }

  /// The products whose sum has such ranks, without values.
  static func shapes(
    _ layer: SeparableLayer, _ structure: SeparableStructure, _ ranks: SeparableRanks
  ) -> [KernelProduct] {
    let point = layer.kernel.map { _ in 1 }
    let rank = ranks.largest
    switch structure {
    case .depthwisePointwise:
      func product(_ inputs: Int, _ inputsPerGroup: Int, _ channels: [Int]? = nil) -> KernelProduct {
        KernelProduct(
          first: KernelFactor(outputs: inputs, inputsPerGroup: 1, groups: inputs, kernel: layer.kernel),
          second: KernelFactor(
            outputs: layer.outputs, inputsPerGroup: inputsPerGroup, groups: layer.groups, kernel: point),
          channels: channels)
      }
      guard case .ofChannels = ranks else {
        return [KernelProduct](repeating: product(layer.inputs, layer.inputsPerGroup), count: rank)
      }
      let channels = ranks.units.map(\.channel)
      return [product(channels.count, channels.count, channels)]
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

  /// The products whose sum is the best kernel of such ranks.
  func products(_ ranks: SeparableRanks) -> [KernelProduct] {
    let shapes = Self.shapes(layer, structure, ranks)
    let rank = ranks.largest
    switch structure {
    case .depthwisePointwise:
      return shapes.enumerated().map { term, shape in
        let units =
          shape.channels == nil ? (0..<layer.inputs).map { (channel: $0, term: term) } : ranks.units
        return product(units, shape)
      }
    case .pointwiseDepthwise:
      return shapes.enumerated().map { term, shape in
        let filters = parallelMap(layer.outputs) { spectrum.vector($0, rank: term) }
        let weights = projections(on: filters)
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

  /// A filter for each unit, and what the outputs take of it.
  private func product(_ units: [(channel: Int, term: Int)], _ shape: KernelProduct) -> KernelProduct {
    let (taps, perGroup) = (layer.taps, shape.second.inputsPerGroup)
    let parts = parallelMap(units.count) { place -> (filter: [Double], column: [Double]) in
      let (channel, term) = units[place]
      let vector = spectrum.vector(channel, rank: term)
      let projection = whitening?.projection(vector, channel: channel) ?? vector
      let matrix = layer.matrix(ofInput: channel)
      let column = (0..<layer.outputsPerGroup).map { row in
        (0..<taps).reduce(0) { $0 + matrix[row * taps + $1] * projection[$1] }
      }
      return (whitening?.filter(vector, channel: channel) ?? vector, column)
    }
    var weights: [Double] = []
    weights.reserveCapacity(layer.outputs * perGroup)
    for output in 0..<layer.outputs {
      let (group, row) = (output / layer.outputsPerGroup, output % layer.outputsPerGroup)
      for place in group * perGroup..<(group + 1) * perGroup { weights.append(parts[place].column[row]) }
    }
    var result = shape
    result.first = shape.first.holding(parts.flatMap(\.filter))
    result.second = shape.second.holding(weights)
    return result
  }

  /// The weights' parts along filters of unit length, one for each output: `[outputs][inputs of a group]`.
  private func projections(on filters: [[Double]]) -> [Double] {
    var result: [Double] = []
    result.reserveCapacity(layer.outputs * layer.inputsPerGroup)
    var source = 0
    for filter in filters {
      for _ in 0..<layer.inputsPerGroup {
        var sum = 0.0
        for tap in 0..<layer.taps { sum += Double(layer.weight[source + tap]) * filter[tap] }
        source += layer.taps
        result.append(sum)
      }
    }
    return result
  }
}
