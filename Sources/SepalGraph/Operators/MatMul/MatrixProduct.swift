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
    var result = [Number](repeating: zero, count: rows * columns)
    guard !result.isEmpty else { return result }
    result.withUnsafeMutableBufferPointer { result in
      a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
          // The inner loop runs along b's rows, whichever way they lie.
          for m in 0..<rows {
            if transB {
              for n in 0..<columns {
                var sum = zero
                for k in 0..<inner {
                  sum = multiplyAdd(sum, a[aOffset + m * aRow + k * aInner], b[bOffset + n * inner + k])
                }
                result[m * columns + n] = sum
              }
            } else {
              for k in 0..<inner {
                let left = a[aOffset + m * aRow + k * aInner]
                for n in 0..<columns {
                  let right = b[bOffset + k * columns + n]
                  result[m * columns + n] = multiplyAdd(result[m * columns + n], left, right)
                }
              }
            }
          }
        }
      }
    }
    return result
  }
}
