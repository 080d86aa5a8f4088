/// Output extent of a sliding window along one axis, or nil when the window does not fit.
package func windowOutputExtent(
  input: Int, kernel: Int, stride: Int, dilation: Int, padBegin: Int, padEnd: Int, ceil: Bool = false
) -> Int? {
  let (span, overflow) = (kernel - 1).multipliedReportingOverflow(by: dilation)
  guard !overflow, kernel > 0, stride > 0, dilation > 0 else { return nil }
  let room = input + padBegin + padEnd - span - 1
  guard room >= 0 else { return nil }
  var extent = (room + (ceil ? stride - 1 : 0)) / stride + 1
  // In ceil mode a last window that would start beyond the input and its begin padding does not exist.
  if ceil && (extent - 1) * stride >= input + padBegin { extent -= 1 }
  return extent
}
