/// A quick look at parts of a layer's weights, which may show that no structure is exact.
///
/// A singular value of a part is never larger than that of the same rank of the whole, and where each of many matrices
/// must be of low rank, one that is not settles it. So what is ruled out is ruled out for certain; anything else needs the
/// whole analysis.
struct RankTest {
  let layer: SeparableLayer

  /// Whether the weights are certainly not of such a rank that the structure would take fewer weights.
  func rulesOut(_ structure: SeparableStructure) -> Bool {
    let most = LayerStructure.largestRank(layer, structure)
    switch structure {
    case .depthwisePointwise:
      // One channel of full rank says little where others may be of a lower one.
      return layer.groups == 1
        ? fullChannels * min(layer.taps, layer.outputs) * (layer.taps + layer.outputs) >= layer.weight.count
        : Self.exceeds(most, layer.matrix(ofInput: 0), layer.outputsPerGroup, layer.taps)
    case .pointwiseDepthwise:
      return Self.exceeds(most, layer.matrix(ofOutput: 0), layer.inputsPerGroup, layer.taps)
    case .spatial, .spatialReversed, .lowRank:
      let matrix = LayerStructure.matrix(layer, structure)
      let (rows, columns) = (matrix.rows.count, matrix.columns.count)
      let wanted = min(most, min(rows, columns) > MatrixRange.sideLimit ? MatrixRange.sketchRank : most) + 1
      // A strip of the matrix: few lines along the shorter side, twice as many along the other.
      let (short, long) = (min(rows, columns), min(2 * wanted, max(rows, columns)))
      guard wanted <= short else { return false }
      let tall = rows <= columns ? matrix.transposed : matrix
      return isFullRank(tall.part(rows: long, columns: wanted), side: max(rows, columns))
    }
  }

  /// How many input channels are certainly of full rank.
  private var fullChannels: Int {
    let (taps, outputs) = (layer.taps, layer.outputs)
    let step = layer.inputs * taps
    let full = parallelMap(layer.inputs) { input in
      let matrix = MatrixView(
        layer.weight, rows: (0..<outputs).map { $0 * step + input * taps }, columns: Array(0..<taps))
      let tall = outputs < taps ? matrix.transposed : matrix
      let columns = tall.columns.count
      return isFullRank(
        tall.part(rows: min(2 * columns, tall.rows.count), columns: columns), side: max(taps, outputs))
    }
    return full.count { $0 }
  }

  private func isFullRank(_ part: MatrixView, side: Int) -> Bool {
    let least = SingularValues.leastValue(part.values, rows: part.rows.count, columns: part.columns.count)
    return least > Double(side) * 0x1p-23 * layer.energy.squareRoot()
  }

  private static func exceeds(
    _ rank: Int, _ matrix: [Double], _ rows: Int, _ columns: Int
  ) -> Bool {
    let values = SingularValues(matrix, rows: rows, columns: columns).values
    guard let largest = values.first, rank < values.count else { return false }
    return values[rank] > Double(max(rows, columns)) * 0x1p-23 * largest
  }
}

extension MatrixView {
  /// So many rows and columns, evenly spread.
  fileprivate func part(rows: Int, columns: Int) -> MatrixView {
    MatrixView(
      elements, rows: (0..<rows).map { self.rows[$0 * self.rows.count / rows] },
      columns: (0..<columns).map { self.columns[$0 * self.columns.count / columns] })
  }
}
