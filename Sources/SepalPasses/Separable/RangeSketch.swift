/// Orthonormal combinations of a matrix's rows: of a matrix of at most so low a rank all that there is, of others seeded
/// random ones, which lean towards where the rows reach furthest.
struct RangeSketch: Sendable {
  static let rank = 64

  /// At most `rank` unit vectors, as long as a row.
  let basis: [[Double]]

  init(_ matrix: MatrixView) {
    let (count, columns) = (Self.rank, matrix.columns.count)
    // Each row goes into four of the combinations: as good as into all of them, and cheaper.
    var random = SketchGenerator(seed: 1)
    let goals = matrix.rows.map { row in (row, (0..<4).map { _ in random.next(below: count) }) }
    let stretch = 64
    let parts = parallelMap((columns + stretch - 1) / stretch) { part in
      let places = matrix.columns[part * stretch..<min(columns, (part + 1) * stretch)]
      // Place after place, each with all combinations.
      var sums = [Double](repeating: 0, count: places.count * count)
      sums.withUnsafeMutableBufferPointer { sums in
        matrix.elements.withUnsafeBufferPointer { elements in
          for (index, place) in places.enumerated() {
            for (row, terms) in goals {
              let element = Double(elements[row + place])
              for term in terms { sums[index * count + term.place] += term.sign * element }
            }
          }
        }
      }
      return sums
    }
    let sums = parts.flatMap { $0 }
    basis = Self.orthonormal((0..<count).map { row in (0..<columns).map { sums[$0 * count + row] } })
  }

  /// A basis of what the vectors span.
  private static func orthonormal(_ vectors: [[Double]]) -> [[Double]] {
    var basis: [[Double]] = []
    for var vector in vectors {
      let length = vector.count
      vector.withUnsafeMutableBufferPointer { vector in
        guard let x = vector.baseAddress else { return }
        let before = VectorProducts.dot(x, x, length).squareRoot()
        // Twice is enough for orthogonality to rounding.
        for _ in 0..<2 {
          for other in basis {
            other.withUnsafeBufferPointer { other in
              guard let y = other.baseAddress else { return }
              VectorProducts.add(-VectorProducts.dot(x, y, length), y, to: x, length)
            }
          }
        }
        let after = VectorProducts.dot(x, x, length).squareRoot()
        guard after > before * 0x1p-40 else { return }
        basis.append(vector.map { $0 / after })
      }
    }
    return basis
  }

  /// The vector whose coordinates in the basis are `weights`.
  func vector(of weights: [Double]) -> [Double] {
    var vector = [Double](repeating: 0, count: basis.first?.count ?? 0)
    for (weight, direction) in zip(weights, basis) {
      for index in vector.indices { vector[index] += weight * direction[index] }
    }
    return vector
  }

  /// The matrix times the basis, row after row, and Σ of the matrix's squares.
  func product(_ matrix: MatrixView) -> (product: [Double], energy: Double) {
    let (rows, columns) = (matrix.rows.count, matrix.columns.count)
    // Column after column of the matrix, zeros where the basis is smaller.
    var weights = [Double](repeating: 0, count: columns * Self.rank)
    for (index, vector) in basis.enumerated() {
      for (column, value) in vector.enumerated() { weights[column * Self.rank + index] = value }
    }
    let basis = weights
    let parts = parallelMap((rows + Panel.rows - 1) / Panel.rows) { part in
      let first = part * Panel.rows
      let own = matrix.rows[first..<min(rows, first + Panel.rows)]
      var panel = Panel(width: Self.rank)
      for first in stride(from: 0, to: columns, by: Panel.depth) {
        let places = matrix.columns[first..<min(columns, first + Panel.depth)]
        panel.load(matrix.elements, rows: own, columns: places)
        basis.withUnsafeBufferPointer { basis in
          guard let start = basis.baseAddress else { return }
          panel.multiply(start + first * Self.rank, depth: places.count)
        }
      }
      return (panel.sums(rows: own.count, columns: self.basis.count), panel.energy)
    }
    return (parts.flatMap(\.0), parts.reduce(0) { $0 + $1.1 })
  }
}

/// Some rows of a product of matrices, computed in tiles that fit into registers.
private struct Panel {
  static let (rows, depth) = (32, 128)
  private static let tile = 8

  private let width: Int
  /// `[rows][width]`.
  private var sums: [Double]
  /// `[depth][rows]`.
  private var values = [Double](repeating: 0, count: rows * depth)
  /// Σ of the squares of all that was loaded.
  private(set) var energy = 0.0

  init(width: Int) {
    precondition(width.isMultiple(of: Self.tile))
    self.width = width
    sums = [Double](repeating: 0, count: Self.rows * width)
  }

  mutating func load(_ elements: [Float], rows: ArraySlice<Int>, columns: ArraySlice<Int>) {
    elements.withUnsafeBufferPointer { elements in
      values.withUnsafeMutableBufferPointer { values in
        for (depth, column) in columns.enumerated() {
          var target = depth * Self.rows
          for row in rows {
            let value = Double(elements[row + column])
            energy += value * value
            values[target] = value
            target += 1
          }
        }
      }
    }
  }

  /// Adds the product of what was loaded and `weights`, `[depth][width]`.
  mutating func multiply(_ weights: UnsafePointer<Double>, depth: Int) {
    let width = width
    sums.withUnsafeMutableBytes { sums in
      values.withUnsafeBufferPointer { values in
        guard let values = values.baseAddress, let target = sums.baseAddress else { return }
        for column in stride(from: 0, to: width, by: Self.tile) {
          for row in stride(from: 0, to: Self.rows, by: 2) {
            var (first, second) = (SIMD8<Double>.zero, SIMD8<Double>.zero)
            for place in 0..<depth {
              let weight = UnsafeRawPointer(weights + place * width + column)
                .loadUnaligned(as: SIMD8<Double>.self)
              let pair = values + place * Self.rows + row
              first += SIMD8(repeating: pair[0]) * weight
              second += SIMD8(repeating: pair[1]) * weight
            }
            for (offset, sum) in [first, second].enumerated() {
              let place = target + ((row + offset) * width + column) * MemoryLayout<Double>.size
              place.storeBytes(
                of: place.loadUnaligned(as: SIMD8<Double>.self) + sum, as: SIMD8<Double>.self)
            }
          }
        }
      }
    }
  }

  /// Row after row.
  func sums(rows: Int, columns: Int) -> [Double] {
    (0..<rows).flatMap { sums[$0 * width..<$0 * width + columns] }
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
