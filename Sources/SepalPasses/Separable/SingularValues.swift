/// The singular values and right singular vectors of a matrix, in `Double`, by one-sided Jacobi rotations: every value
/// is accurate to rounding relative to itself, or to the largest where rows are more than columns.
///
/// Linear in the longer side of the matrix, cubic in the shorter one.
package struct SingularValues: Sendable {
  /// Descending; as many as the shorter side is long.
  package let values: [Double]
  /// A unit vector for each value, as long as a row.
  package let vectors: [[Double]]

  /// Not more than the least singular value of a matrix with at least as many rows as columns, and of its order.
  static func leastValue(_ matrix: [Double], rows: Int, columns: Int) -> Double {
    ColumnVectors(matrix, rows: rows, columns: columns).triangularized().inverseNorm.map { 1 / $0 } ?? 0
  }

  init(values: [Double], vectors: [[Double]]) {
    self.values = values
    self.vectors = vectors
  }

  /// - Parameter matrix: row after row, all finite.
  package init(_ matrix: [Double], rows: Int, columns: Int) {
    precondition(matrix.count == rows * columns)
    var work: ColumnVectors
    var right: ColumnVectors?
    if rows > columns {
      // R of QR has the same values and right vectors, and is small.
      work = ColumnVectors(matrix, rows: rows, columns: columns).triangularized()
      right = ColumnVectors(identityOf: columns)
    } else {
      // Columns of the transpose turn into the right vectors.
      work = ColumnVectors(length: columns, count: rows, elements: matrix)
      right = nil
    }
    work.orthogonalize(with: &right)
    let norms = (0..<work.count).map { work.norm($0) }
    let order = norms.indices.sorted { (norms[$1], $0) < (norms[$0], $1) }
    values = order.map { norms[$0] }
    vectors = order.map { index in
      if let right { return Array(right.column(index)) }
      let norm = norms[index]
      return work.column(index).map { norm > 0 ? $0 / norm : 0 }
    }
  }
}

/// Column vectors one after another in memory.
private struct ColumnVectors {
  var length: Int
  let count: Int
  private var elements: [Double]

  init(length: Int, count: Int, elements: [Double]) {
    (self.length, self.count, self.elements) = (length, count, elements)
  }

  init(_ matrix: [Double], rows: Int, columns: Int) {
    (length, count) = (rows, columns)
    elements = [Double](repeating: 0, count: rows * columns)
    for row in 0..<rows {
      for column in 0..<columns { elements[column * rows + row] = matrix[row * columns + column] }
    }
  }

  init(identityOf count: Int) {
    self.init(length: count, count: count, elements: [Double](repeating: 0, count: count * count))
    for index in 0..<count { elements[index * count + index] = 1 }
  }

  func column(_ index: Int) -> ArraySlice<Double> { elements[index * length..<(index + 1) * length] }

  func norm(_ index: Int) -> Double {
    elements.withUnsafeBufferPointer { elements in
      elements.baseAddress.map { Self.norm($0 + index * length, length) } ?? 0
    }
  }

  private static func norm(_ x: UnsafePointer<Double>, _ count: Int) -> Double {
    let squares = VectorProducts.dot(x, x, count)
    // Squares of most numbers are numbers.
    if squares > 1e-200, squares < 1e200 { return squares.squareRoot() }
    var scale = 0.0
    for index in 0..<count { scale = max(scale, x[index].magnitude) }
    guard scale > 0 else { return 0 }
    var sum = 0.0
    for index in 0..<count { sum += (x[index] / scale) * (x[index] / scale) }
    return scale * sum.squareRoot()
  }

  /// The square upper triangle R of QR, by Householder reflections.
  func triangularized() -> ColumnVectors {
    var work = self
    let (rows, columns) = (length, count)
    work.elements.withUnsafeMutableBufferPointer { a in
      guard let start = a.baseAddress else { return }
      for pivot in 0..<columns {
        let own = pivot * rows
        let norm = Self.norm(start + own + pivot, rows - pivot)
        guard norm > 0 else { continue }
        let head = a[own + pivot]
        let image = head > 0 ? -norm : norm
        // The reflection I − v·vᵀ/β with v = column − image·e and β = −image·v₀.
        a[own + pivot] = head - image
        let beta = -image * (head - image)
        for column in pivot + 1..<max(pivot + 1, columns) {
          let other = column * rows
          let (x, y) = (start + own + pivot, start + other + pivot)
          let factor = VectorProducts.dot(x, y, rows - pivot) / beta
          VectorProducts.add(-factor, x, to: y, rows - pivot)
        }
        a[own + pivot] = image
      }
    }
    var triangle = ColumnVectors(
      length: columns, count: columns, elements: [Double](repeating: 0, count: columns * columns))
    for column in 0..<columns {
      for row in 0...column { triangle.elements[column * columns + row] = work.elements[column * rows + row] }
    }
    return triangle
  }

  /// The Frobenius norm of the inverse of an upper triangle; nil where there is none.
  var inverseNorm: Double? {
    var squares = 0.0
    var solution = [Double](repeating: 0, count: count)
    for unit in 0..<count {
      // R·x = e: the rows below `unit` are zero.
      for row in stride(from: unit, through: 0, by: -1) {
        let pivot = elements[row * length + row]
        guard pivot != 0 else { return nil }
        var rest = row == unit ? 1.0 : 0.0
        for column in row + 1..<max(row + 1, unit + 1) {
          rest -= elements[column * length + row] * solution[column]
        }
        solution[row] = rest / pivot
        squares += solution[row] * solution[row]
      }
    }
    return squares.isFinite ? squares.squareRoot() : nil
  }

  /// Rotates pairs of columns until all are orthogonal; `others` are rotated likewise.
  mutating func orthogonalize(with others: inout ColumnVectors?) {
    for _ in 0..<Self.sweepLimit {
      var isDone = true
      // Rotations keep account of them; what rounding adds up is gone with the next sweep.
      var squares = (0..<count).map { product($0, $0) }
      for first in 0..<count {
        for second in first + 1..<max(first + 1, count) {
          let rotation = Rotation(squares[first], squares[second], product(first, second))
          guard let rotation else { continue }
          isDone = false
          rotate(first, second, rotation)
          others?.rotate(first, second, rotation)
          squares[first] = max(0, squares[first] - rotation.moved)
          squares[second] += rotation.moved
        }
      }
      if isDone { return }
    }
  }

  /// Converges quadratically; a dozen sweeps are plenty for hundreds of columns.
  private static let sweepLimit = 40

  /// What makes two columns orthogonal.
  private struct Rotation {
    let cosine, sine: Double
    /// What goes from the square of the first one's length to that of the second.
    let moved: Double

    /// Cosines below this count as none.
    private static let orthogonal = 0x1p-50

    /// - Parameters: aa, bb, ab: products of the columns. Nil where they are orthogonal.
    init?(_ aa: Double, _ bb: Double, _ ab: Double) {
      guard ab.magnitude > Self.orthogonal * (aa * bb).squareRoot(), ab != 0 else { return nil }
      let zeta = (bb - aa) / (2 * ab)
      let tangent = (zeta >= 0 ? 1.0 : -1.0) / (zeta.magnitude + (1 + zeta * zeta).squareRoot())
      cosine = 1 / (1 + tangent * tangent).squareRoot()
      sine = cosine * tangent
      moved = tangent * ab
    }
  }

  private func product(_ first: Int, _ second: Int) -> Double {
    elements.withUnsafeBufferPointer { elements in
      guard let start = elements.baseAddress else { return 0 }
      return VectorProducts.dot(start + first * length, start + second * length, length)
    }
  }

  private mutating func rotate(_ first: Int, _ second: Int, _ rotation: Rotation) {
    let length = length
    elements.withUnsafeMutableBufferPointer { elements in
      guard let start = elements.baseAddress else { return }
      VectorProducts.rotate(
        start + first * length, start + second * length, length, cosine: rotation.cosine, sine: rotation.sine)
    }
  }
}
