import SepalTensor

/// The largest stride, dilation, pad or kernel extent that is accepted. Positions formed from values up to here and
/// legal dimensions cannot overflow.
package let largestWindowAttribute = Int(Int32.max)

/// The element's rank minus batch and channel: one to three spatial axes.
package func spatialRank(of x: TensorType) throws(OperatorError) -> Int {
  try x.requireRank(3...5, "x")
  return x.rank - 2
}

/// Checks one per-axis attribute of a sliding window: its count and the range of its values.
package func requireWindow(
  _ name: String, _ values: [Int], count: Int, atLeast minimum: Int
) throws(OperatorError) {
  guard values.count == count else {
    throw OperatorError("'\(name)' has \(values.count) values, expected \(count)")
  }
  guard values.allSatisfy({ (minimum...largestWindowAttribute).contains($0) }) else {
    throw OperatorError(
      "'\(name)' is \(values), expected values from \(minimum) to \(largestWindowAttribute)")
  }
}

/// Output extent of a sliding window along one axis, or nil when the window does not fit.
///
/// In ceil mode the last window may reach beyond the padded input, but starts before the end padding.
package func windowOutputExtent(
  input: Int, kernel: Int, stride: Int, dilation: Int, padBegin: Int, padEnd: Int, ceil: Bool = false
) -> Int? {
  let limits = 0...largestWindowAttribute
  guard kernel > 0, stride > 0, dilation > 0,
    [kernel, stride, dilation, padBegin, padEnd].allSatisfy(limits.contains)
  else { return nil }
  let room = input + padBegin + padEnd - (kernel - 1) * dilation - 1
  guard room >= 0 else { return nil }
  var extent = (room + (ceil ? stride - 1 : 0)) / stride + 1
  if ceil && (extent - 1) * stride >= input + padBegin { extent -= 1 }
  return extent
}
