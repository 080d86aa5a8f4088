/// The directions in which a matrix reaches furthest: its singular values, and for each the pair of vectors whose product
/// is the matrix's part in that direction.
///
/// Exact where the shorter side is at most `sideLimit`. Beyond that the matrix is seen through seeded random
/// combinations of its rows: a rank of up to `sketchRank` is found exactly, and of others `rest` is what is left over.
package struct MatrixRange: Sendable {
  package static let sideLimit = 192
  package static let sketchRank = 64

  package let values: SingularValues
  /// Σ σ² outside of `values`.
  package let rest: Double
  private let rows, columns: Int
  private let matrix: [Double]
  /// Whether the vectors of `values` are as long as a column.
  private let isTransposed: Bool

  /// - Parameter matrix: row after row.
  package init(_ matrix: [Double], rows: Int, columns: Int) {
    (self.rows, self.columns) = (rows, columns)
    self.matrix = matrix
    isTransposed = rows < columns
    let (long, short) = (max(rows, columns), min(rows, columns))
    let tall = isTransposed ? Self.transposed(matrix, rows, columns) : matrix
    guard short > Self.sideLimit else {
      values = SingularValues(tall, rows: long, columns: short)
      rest = 0
      return
    }
    let basis = Self.basis(tall, long, short)
    let seen = Self.product(tall, long, short, basis)
    let inside = SingularValues(seen, rows: long, columns: basis.count)
    let vectors = inside.vectors.map { weights in
      var vector = [Double](repeating: 0, count: short)
      for (weight, direction) in zip(weights, basis) {
        for index in vector.indices { vector[index] += weight * direction[index] }
      }
      return vector
    }
    values = SingularValues(values: inside.values, vectors: vectors)
    let energy = tall.reduce(0) { $0 + $1 * $1 }
    rest = max(0, energy - inside.values.reduce(0) { $0 + $1 * $1 })
  }

  /// A column and a row, whose product is the part of `rank`; one of them is a unit vector.
  package func pair(rank: Int) -> (column: [Double], row: [Double]) {
    let unit = values.vectors[rank]
    if isTransposed {
      var row = [Double](repeating: 0, count: columns)
      for (index, weight) in unit.enumerated() where weight != 0 {
        for column in 0..<columns { row[column] += weight * matrix[index * columns + column] }
      }
      return (unit, row)
    }
    let column = (0..<rows).map { row in
      var sum = 0.0
      for index in 0..<columns { sum += matrix[row * columns + index] * unit[index] }
      return sum
    }
    return (column, unit)
  }

  private static func transposed(_ matrix: [Double], _ rows: Int, _ columns: Int) -> [Double] {
    var result = [Double](repeating: 0, count: matrix.count)
    for row in 0..<rows {
      for column in 0..<columns { result[column * rows + row] = matrix[row * columns + column] }
    }
    return result
  }

  /// Orthonormal combinations of rows.
  private static func basis(_ matrix: [Double], _ rows: Int, _ columns: Int) -> [[Double]] {
    // Each row goes into four of the combinations: as good as into all of them, and cheaper.
    var sums = [[Double]](repeating: [Double](repeating: 0, count: columns), count: sketchRank)
    var random = SketchGenerator(seed: 1)
    matrix.withUnsafeBufferPointer { matrix in
      guard let start = matrix.baseAddress else { return }
      for row in 0..<rows {
        for _ in 0..<4 {
          let (place, sign) = random.next(below: sketchRank)
          sums[place].withUnsafeMutableBufferPointer { sum in
            guard let target = sum.baseAddress else { return }
            VectorProducts.add(sign, start + row * columns, to: target, columns)
          }
        }
      }
    }
    var basis: [[Double]] = []
    for var vector in sums {
      let before = norm(vector)
      // Twice is enough for orthogonality to rounding.
      for _ in 0..<2 {
        for other in basis {
          let product = zip(vector, other).reduce(0) { $0 + $1.0 * $1.1 }
          for index in vector.indices { vector[index] -= product * other[index] }
        }
      }
      let length = norm(vector)
      if length > before * 0x1p-40 { basis.append(vector.map { $0 / length }) }
    }
    return basis
  }

  private static func norm(_ vector: [Double]) -> Double {
    vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
  }

  private static func product(
    _ matrix: [Double], _ rows: Int, _ columns: Int, _ basis: [[Double]]
  ) -> [Double] {
    let width = basis.count
    let weights = transposed(basis.flatMap { $0 }, width, columns)
    let stretch = 64
    return parallelMap((rows + stretch - 1) / stretch) { part in
      let range = part * stretch..<min(rows, (part + 1) * stretch)
      var result = [Double](repeating: 0, count: range.count * width)
      result.withUnsafeMutableBufferPointer { result in
        weights.withUnsafeBufferPointer { weights in
          guard let target = result.baseAddress, let source = weights.baseAddress else { return }
          for (place, row) in range.enumerated() {
            for column in 0..<columns {
              VectorProducts.add(
                matrix[row * columns + column], source + column * width, to: target + place * width, width)
            }
          }
        }
      }
      return result
    }.flatMap { $0 }
  }
}

/// Seeded places and signs: SplitMix64.
private struct SketchGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

  mutating func next(below count: Int) -> (place: Int, sign: Double) {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    z ^= z >> 31
    return (Int((z >> 1) % UInt64(count)), z & 1 == 0 ? 1 : -1)
  }
}
