/// The lower triangle L of a symmetric positive definite matrix A = L·Lᵀ, in `Double`.
struct CholeskyFactor: Sendable {
  let count: Int
  /// Row after row; zeros above the diagonal.
  private let lower: [Double]

  /// Nil where `matrix`, row after row, is not positive definite to rounding. Only its lower triangle is read.
  init?(_ matrix: [Double], count: Int) {
    precondition(matrix.count == count * count)
    var lower = [Double](repeating: 0, count: count * count)
    let isPositive = lower.withUnsafeMutableBufferPointer { buffer in
      guard let l = buffer.baseAddress else { return true }
      for row in 0..<count {
        for column in 0...row {
          let rest =
            matrix[row * count + column]
            - VectorProducts.dot(l + row * count, l + column * count, column)
          if column < row {
            l[row * count + column] = rest / l[column * count + column]
          } else {
            guard rest > 0, rest.isFinite else { return false }
            l[row * count + row] = rest.squareRoot()
          }
        }
      }
      return true
    }
    guard isPositive else { return nil }
    (self.count, self.lower) = (count, lower)
  }

  /// x with A·x = `right`.
  func solve(_ right: [Double]) -> [Double] { solveTransposed(solveLower(right)) }

  /// x with L·x = `right`.
  private func solveLower(_ right: [Double]) -> [Double] {
    var x = right
    x.withUnsafeMutableBufferPointer { buffer in
      lower.withUnsafeBufferPointer { lower in
        guard let x = buffer.baseAddress, let l = lower.baseAddress else { return }
        for row in 0..<count {
          x[row] = (x[row] - VectorProducts.dot(l + row * count, x, row)) / l[row * count + row]
        }
      }
    }
    return x
  }

  /// x with Lᵀ·x = `right`.
  func solveTransposed(_ right: [Double]) -> [Double] {
    var x = right
    for row in stride(from: count - 1, through: 0, by: -1) {
      x[row] /= lower[row * count + row]
      for column in 0..<row { x[column] -= lower[row * count + column] * x[row] }
    }
    return x
  }

  /// `rows` × `count` times L.
  func multiplied(_ matrix: [Double], rows: Int) -> [Double] {
    var result = [Double](repeating: 0, count: rows * count)
    for row in 0..<rows {
      for inner in 0..<count {
        let factor = matrix[row * count + inner]
        for column in 0...inner { result[row * count + column] += factor * lower[inner * count + column] }
      }
    }
    return result
  }

  /// L times `vector`.
  func times(_ vector: [Double]) -> [Double] {
    (0..<count).map { row in (0...row).reduce(0) { $0 + lower[row * count + $1] * vector[$1] } }
  }
}
