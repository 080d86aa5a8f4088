/// How the elements of a dense tensor fall onto the results of a reduction.
///
/// Neighbouring axes of one kind are merged, so every reduction becomes a nest of alternately kept and reduced axes.
struct ReductionGeometry {
  /// Elements that meet in one result.
  let reducedCount: Int
  let resultCount: Int
  private let extents: [Int]
  /// Stride in the result, zero along reduced axes.
  private let strides: [Int]

  /// - Parameter axes: ascending, in range.
  init(shape: [Int], axes: [Int]) {
    let isReduced = shape.indices.map { axes.contains($0) }
    var merged: [(extent: Int, isReduced: Bool)] = []
    for (extent, isReduced) in zip(shape, isReduced) where extent != 1 {
      if let last = merged.last, last.isReduced == isReduced {
        merged[merged.count - 1].extent *= extent
      } else {
        merged.append((extent, isReduced))
      }
    }
    if merged.isEmpty { merged.append((1, false)) }
    let kept = rowMajorStrides(merged.map { $0.isReduced ? 1 : $0.extent })
    extents = merged.map(\.extent)
    strides = zip(merged, kept).map { $0.isReduced ? 0 : $1 }
    reducedCount = merged.reduce(1) { $0 * ($1.isReduced ? $1.extent : 1) }
    resultCount = merged.reduce(1) { $0 * ($1.isReduced ? 1 : $1.extent) }
  }

  /// Folds `values`, in row-major order, into the results in one pass.
  func fold<Value>(_ values: [Value], from start: Value, _ combine: (Value, Value) -> Value) -> [Value] {
    var results = [Value](repeating: start, count: resultCount)
    guard !values.isEmpty else { return results }
    results.withUnsafeMutableBufferPointer { results in
      values.withUnsafeBufferPointer { values in
        let run = extents[extents.count - 1]
        let isRowReduced = strides[strides.count - 1] == 0
        var row = 0
        forEachOffset(Array(extents.dropLast()), strides: [Array(strides.dropLast())]) { _, offsets in
          let first = offsets[0]
          if isRowReduced {
            var total = results[first]
            for position in row..<row + run { total = combine(total, values[position]) }
            results[first] = total
          } else {
            for position in 0..<run {
              results[first + position] = combine(results[first + position], values[row + position])
            }
          }
          row += run
        }
      }
    }
    return results
  }
}
