import SepalGraph
import SepalPasses
import Testing

@Suite struct SingularValuesTests {
  private func matrix(_ rows: Int, _ columns: Int, seed: Int) -> [Double] {
    var planted = PlantedConvolution(seed: seed)
    return planted.numbers(rows * columns)
  }

  /// ‖M·v‖ = σ for each unit vector v, the vectors are orthogonal, and nothing of ‖M‖² is missing.
  private func check(_ matrix: [Double], _ rows: Int, _ columns: Int, _ svd: SingularValues, rest: Double = 0)
  {
    let scale = max(1e-300, svd.values.first ?? 0)
    #expect(svd.values == svd.values.sorted(by: >))
    for (index, vector) in svd.vectors.enumerated() where svd.values[index] > 1e-13 * scale {
      #expect(vector.count == columns)
      var squares = 0.0
      for row in 0..<rows {
        let product = zip(vector, matrix[row * columns..<(row + 1) * columns]).reduce(0) { $0 + $1.0 * $1.1 }
        squares += product * product
      }
      #expect(abs(squares.squareRoot() - svd.values[index]) < 1e-12 * scale)
      for other in svd.vectors[..<index] {
        #expect(abs(zip(vector, other).reduce(0) { $0 + $1.0 * $1.1 }) < 1e-10)
      }
    }
    let energy = matrix.reduce(0) { $0 + $1 * $1 }
    #expect(abs(svd.values.reduce(rest) { $0 + $1 * $1 } - energy) <= 1e-12 * energy)
  }

  @Test(arguments: [(1, 1), (1, 5), (5, 1), (9, 9), (64, 9), (4, 25), (30, 49), (200, 7)])
  func decompositions(rows: Int, columns: Int) {
    let matrix = matrix(rows, columns, seed: rows * 100 + columns)
    check(matrix, rows, columns, SingularValues(matrix, rows: rows, columns: columns))
  }

  @Test func zerosAndEqualColumns() {
    let zero = SingularValues([Double](repeating: 0, count: 12), rows: 4, columns: 3)
    #expect(zero.values == [0, 0, 0])
    let equal = (0..<12).flatMap { row in [Double](repeating: Double(row) - 3, count: 5) }
    let svd = SingularValues(equal, rows: 12, columns: 5)
    check(equal, 12, 5, svd)
    #expect(svd.values[1] < 1e-14 * svd.values[0])
  }

  @Test func smallAndLargeNumbersKeepTheirDigits() {
    // Diagonal: the values are the elements, whatever lies between them.
    var matrix = [Double](repeating: 0, count: 16)
    for (index, value) in [1e12, 1e-3, 7.0, 1e-19].enumerated() { matrix[index * 5] = value }
    #expect(SingularValues(matrix, rows: 4, columns: 4).values == [1e12, 7, 1e-3, 1e-19])
  }

  @Test(arguments: [(40, 260), (300, 220), (220, 300)])
  func rangesOfLargeMatrices(rows: Int, columns: Int) {
    for rank in [3, 40] {
      let (left, right) = (matrix(rows, rank, seed: rank), matrix(rank, columns, seed: rank + 1))
      var product = [Double](repeating: 0, count: rows * columns)
      for row in 0..<rows {
        for middle in 0..<rank {
          for column in 0..<columns {
            product[row * columns + column] += left[row * rank + middle] * right[middle * columns + column]
          }
        }
      }
      let range = MatrixRange(MatrixView(product.map(Float.init), rows: rows, columns: columns))
      let energy = product.reduce(0) { $0 + $1 * $1 }
      #expect(range.rest <= 1e-12 * energy)
      #expect((range.values.dropFirst(rank).first ?? 0) < 1e-7 * range.values[0])
      var difference = product
      for index in 0..<rank {
        let pair = range.pair(rank: index)
        for row in 0..<rows {
          for column in 0..<columns {
            difference[row * columns + column] -= pair.column[row] * pair.row[column]
          }
        }
      }
      #expect(difference.reduce(0) { $0 + $1 * $1 } <= 1e-13 * energy)
    }
  }

  @Test func whatASketchDoesNotSeeIsCounted() {
    let matrix = matrix(300, 260, seed: 4)
    let range = MatrixRange(MatrixView(matrix.map(Float.init), rows: 300, columns: 260))
    let energy = matrix.reduce(0) { $0 + $1 * $1 }
    #expect(range.values.count == MatrixRange.sketchRank)
    #expect(abs(range.values.reduce(range.rest) { $0 + $1 * $1 } - energy) < 1e-7 * energy)
  }
}
