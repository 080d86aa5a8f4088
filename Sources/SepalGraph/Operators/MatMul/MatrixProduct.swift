/// The triple loop of a matrix product over row-major operands, either of which may be stored transposed.
struct MatrixProduct {
  let rows, inner, columns: Int
  var transA = false
  var transB = false

  /// The sums `[rows, columns]` of `a` from `aOffset` and `b` from `bOffset` on.
  func multiply(_ a: [Double], at aOffset: Int = 0, _ b: [Double], at bOffset: Int = 0) -> [Double] {
    accumulate(a, aOffset, b, bOffset, zero: 0) { $0 + $1 * $2 }
  }

  /// The same with wrapping integers.
  func multiply(_ a: [Int64], at aOffset: Int = 0, _ b: [Int64], at bOffset: Int = 0) -> [Int64] {
    accumulate(a, aOffset, b, bOffset, zero: 0) { $0 &+ $1 &* $2 }
  }

  @inline(__always)
  private func accumulate<Number>(
    _ a: [Number], _ aOffset: Int, _ b: [Number], _ bOffset: Int, zero: Number,
    _ multiplyAdd: (Number, Number, Number) -> Number
  ) -> [Number] {
    let (aRow, aInner) = transA ? (1, rows) : (inner, 1)
    let (bInner, bColumn) = transB ? (1, inner) : (columns, 1)
    var result = [Number](repeating: zero, count: rows * columns)
    guard !result.isEmpty else { return result }
    result.withUnsafeMutableBufferPointer { result in
      a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
          for m in 0..<rows {
            for k in 0..<inner {
              let left = a[aOffset + m * aRow + k * aInner]
              let right = bOffset + k * bInner
              for n in 0..<columns {
                result[m * columns + n] = multiplyAdd(result[m * columns + n], left, b[right + n * bColumn])
              }
            }
          }
        }
      }
    }
    return result
  }
}
