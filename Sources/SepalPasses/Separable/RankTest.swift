/// A quick look at a part of a layer's weights, which may show that no structure is exact.
///
/// A singular value of a part is never larger than that of the same rank of the whole, and where each of many matrices
/// must be of low rank, one that is not settles it. So what is ruled out is ruled out for certain; anything else needs the
/// whole analysis.
struct RankTest {
  let layer: SeparableLayer

  /// Whether the weights are certainly not of a rank of up to `rank`.
  func rulesOut(_ structure: SeparableStructure, upTo rank: Int) -> Bool {
    switch structure {
    case .depthwisePointwise:
      return Self.exceeds(
        rank, layer.matrix(ofInput: 0), layer.outputsPerGroup, layer.taps)
    case .pointwiseDepthwise:
      return Self.exceeds(
        rank, layer.matrix(ofOutput: 0), layer.inputsPerGroup, layer.taps)
    case .spatial, .spatialReversed, .lowRank:
      let matrix = LayerStructure.matrix(layer, structure)
      let (rows, columns) = (matrix.rows.count, matrix.columns.count)
      let wanted = min(rank, min(rows, columns) > MatrixRange.sideLimit ? MatrixRange.sketchRank : rank) + 1
      // A strip of the matrix: few lines along the shorter side, twice as many along the other.
      let (short, long) = (min(rows, columns), min(2 * wanted, max(rows, columns)))
      guard wanted <= short else { return false }
      var part: [Double] = []
      part.reserveCapacity(long * wanted)
      for i in 0..<long {
        for j in 0..<wanted {
          let (row, column) =
            rows <= columns
            ? (j * rows / wanted, i * columns / long) : (i * rows / long, j * columns / wanted)
          part.append(Double(matrix.elements[matrix.rows[row] + matrix.columns[column]]))
        }
      }
      let least = SingularValues.leastValue(part, rows: long, columns: wanted)
      return least > Double(max(rows, columns)) * 0x1p-23 * layer.energy.squareRoot()
    }
  }

  private static func exceeds(
    _ rank: Int, _ matrix: [Double], _ rows: Int, _ columns: Int
  ) -> Bool {
    let values = SingularValues(matrix, rows: rows, columns: columns).values
    guard let largest = values.first, rank < values.count else { return false }
    return values[rank] > Double(max(rows, columns)) * 0x1p-23 * largest
  }
}
