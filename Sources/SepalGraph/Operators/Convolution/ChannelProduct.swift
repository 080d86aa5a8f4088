/// C += W·X over row-major matrices of `Double`: the inner product of convolutions with several channels.
///
/// Every element of C adds its terms in the order of `depth`, as the plain loops do, so the bits are the same.
package struct ChannelProduct {
  package let rows, depth, columns: Int
  /// Elements from row to row of X and C.
  package let xRow, cRow: Int

  package init(rows: Int, depth: Int, columns: Int, xRow: Int, cRow: Int) {
    self.rows = rows
    self.depth = depth
    self.columns = columns
    self.xRow = xRow
    self.cRow = cRow
  }

  private typealias Four = SIMD4<Double>

  package func accumulate(
    _ c: UnsafeMutablePointer<Double>, _ w: UnsafePointer<Double>, _ x: UnsafePointer<Double>
  ) {
    // Stretches of X that stay in cache while all rows of W pass over them.
    let stretch = max(4, min(columns, 16384 / max(1, depth) / 4 * 4))
    var first = 0
    while first < columns {
      let end = min(columns, first + stretch)
      var row = 0
      while row + 4 <= rows {
        fourRows(c + row * cRow, w + row * depth, x, first, end)
        row += 4
      }
      while row < rows {
        oneRow(c + row * cRow, w + row * depth, x, first, end)
        row += 1
      }
      first = end
    }
  }

  private func fourRows(
    _ c: UnsafeMutablePointer<Double>, _ w: UnsafePointer<Double>, _ x: UnsafePointer<Double>,
    _ first: Int, _ end: Int
  ) {
    let (w1, w2, w3) = (w + depth, w + 2 * depth, w + 3 * depth)
    var column = first
    while column + 4 <= end {
      var s0 = load(c + column), s1 = load(c + cRow + column)
      var s2 = load(c + 2 * cRow + column), s3 = load(c + 3 * cRow + column)
      var at = x + column
      for k in 0..<depth {
        let v = load(at)
        s0 += v * w[k]
        s1 += v * w1[k]
        s2 += v * w2[k]
        s3 += v * w3[k]
        at += xRow
      }
      store(s0, c + column)
      store(s1, c + cRow + column)
      store(s2, c + 2 * cRow + column)
      store(s3, c + 3 * cRow + column)
      column += 4
    }
    while column < end {
      for row in 0..<4 { addProduct(c + row * cRow + column, w + row * depth, x + column) }
      column += 1
    }
  }

  private func oneRow(
    _ c: UnsafeMutablePointer<Double>, _ w: UnsafePointer<Double>, _ x: UnsafePointer<Double>,
    _ first: Int, _ end: Int
  ) {
    for k in 0..<depth {
      let (weight, row) = (w[k], x + k * xRow)
      for column in first..<end { c[column] += weight * row[column] }
    }
  }

  private func addProduct(
    _ c: UnsafeMutablePointer<Double>, _ w: UnsafePointer<Double>, _ x: UnsafePointer<Double>
  ) {
    var sum = c.pointee
    for k in 0..<depth { sum += w[k] * x[k * xRow] }
    c.pointee = sum
  }

  @inline(__always)
  private func load(_ pointer: UnsafePointer<Double>) -> Four {
    UnsafeRawPointer(pointer).loadUnaligned(as: Four.self)
  }

  @inline(__always)
  private func load(_ pointer: UnsafeMutablePointer<Double>) -> Four {
    UnsafeRawPointer(pointer).loadUnaligned(as: Four.self)
  }

  @inline(__always)
  private func store(_ value: Four, _ pointer: UnsafeMutablePointer<Double>) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: value, as: Four.self)
  }
}
