import SepalTensor

/// What max and average pooling share: a window that slides over one to three spatial axes.
public protocol PoolOperator: Operator {
  var kernel: [Int] { get }
  var strides: [Int] { get }
  var padBegins: [Int] { get }
  var padEnds: [Int] { get }
  var dilations: [Int] { get }
  /// The last window may reach beyond the padded input; what lies there does not count.
  var ceilMode: Bool { get }
  var layout: Layout { get }
}

extension PoolOperator {
  func pooledType(_ x: TensorType) throws(OperatorError) -> TensorType {
    let rank = try spatialRank(of: x)
    try requireWindow("kernel", kernel, count: rank, atLeast: 1)
    try requireWindow("strides", strides, count: rank, atLeast: 1)
    try requireWindow("padBegins", padBegins, count: rank, atLeast: 0)
    try requireWindow("padEnds", padEnds, count: rank, atLeast: 0)
    try requireWindow("dilations", dilations, count: rank, atLeast: 1)
    var output = x
    for axis in 0..<rank {
      let position = layout.firstSpatialAxis + axis
      guard
        let extent = windowOutputExtent(
          input: x.shape[position], kernel: kernel[axis], stride: strides[axis], dilation: dilations[axis],
          padBegin: padBegins[axis], padEnd: padEnds[axis], ceil: ceilMode)
      else {
        throw OperatorError(
          "the kernel \(kernel) does not fit the padded input \(x) along spatial axis \(axis)")
      }
      output.shape[position] = extent
    }
    return output
  }
}

/// The output type of a pool over all spatial axes.
func globallyPooled(_ x: TensorType, layout: Layout, keepDims: Bool) -> TensorType {
  let channels = x.shape[layout.channelAxis(rank: x.rank)]
  let spatial = [Int](repeating: 1, count: keepDims ? x.rank - 2 : 0)
  return TensorType(x.element, layout.shape(batch: x.shape[0], channels: channels, spatial: spatial))
}
