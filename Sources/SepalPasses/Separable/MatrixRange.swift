/// A matrix of an array's elements: that of row r and column c is at `rows[r] + columns[c]`.
package struct MatrixView: Sendable {
  let elements: [Float]
  let rows, columns: [Int]

  /// - Parameter elements: row after row.
  package init(_ elements: [Float], rows: Int, columns: Int) {
    self.init(elements, rows: (0..<rows).map { $0 * columns }, columns: Array(0..<columns))
  }

  init(_ elements: [Float], rows: [Int], columns: [Int]) {
    (self.elements, self.rows, self.columns) = (elements, rows, columns)
  }

  var transposed: MatrixView { MatrixView(elements, rows: columns, columns: rows) }

  /// Row after row.
  var values: [Double] { rows.flatMap { row in columns.map { Double(elements[row + $0]) } } }
}

/// The directions in which a matrix reaches furthest: its singular values, and for each the pair of vectors whose product
/// is the matrix's part in that direction.
///
/// Exact where the shorter side is at most `sideLimit`. Beyond that the matrix is seen through seeded random
/// combinations of its rows: a rank of up to `sketchRank` is found exactly, and of others `rest` is what is left over.
package struct MatrixRange: Sendable {
  package static let sideLimit = 192
  package static let sketchRank = RangeSketch.rank

  /// Descending.
  package let values: [Double]
  /// Σ σ² outside of `values`.
  package let rest: Double
  private let matrix: MatrixView
  /// Whether the unit vectors are as long as a column.
  private let isTransposed: Bool
  /// Right singular vectors of the tall matrix, or of what the sketch saw of it.
  private let vectors: [[Double]]
  private let sketch: RangeSketch?

  package init(_ matrix: MatrixView) {
    self.matrix = matrix
    isTransposed = matrix.rows.count < matrix.columns.count
    let tall = isTransposed ? matrix.transposed : matrix
    let (long, short) = (tall.rows.count, tall.columns.count)
    let inside: SingularValues
    if short > Self.sideLimit {
      let sketch = RangeSketch(tall)
      let (seen, energy) = sketch.product(tall)
      inside = SingularValues(seen, rows: long, columns: sketch.basis.count)
      rest = max(0, energy - inside.values.reduce(0) { $0 + $1 * $1 })
      self.sketch = sketch
    } else {
      inside = SingularValues(tall.values, rows: long, columns: short)
      rest = 0
      sketch = nil
    }
    (values, vectors) = (inside.values, inside.vectors)
  }

  /// A column and a row, whose product is the part of `rank`; one of them is a unit vector.
  package func pair(rank: Int) -> (column: [Double], row: [Double]) {
    let unit = sketch?.vector(of: vectors[rank]) ?? vectors[rank]
    let tall = isTransposed ? matrix.transposed : matrix
    let other = tall.rows.map { row in
      var sum = 0.0
      for (place, weight) in zip(tall.columns, unit) { sum += weight * Double(tall.elements[row + place]) }
      return sum
    }
    return isTransposed ? (unit, other) : (other, unit)
  }
}
