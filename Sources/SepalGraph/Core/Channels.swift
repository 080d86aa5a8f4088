import SepalTensor

/// Where a value's channels are, for operators with one parameter per channel.
package struct Channels {
  package let batch: Int
  package let count: Int
  private let stride: Int
  private let perSample: Int

  /// `shape` has at least two axes.
  package init(_ shape: [Int], _ layout: Layout) {
    let strides = rowMajorStrides(shape)
    let axis = layout.channelAxis(rank: shape.count)
    batch = shape[0]
    count = shape[axis]
    stride = strides[axis]
    perSample = strides[0]
  }

  /// Elements of one channel of one sample.
  package var spatialCount: Int { count == 0 ? 0 : perSample / count }

  /// The channel of the element at row-major position `index`.
  package func channel(_ index: Int) -> Int { index / stride % count }

  /// sample · count + channel of the element at row-major position `index`.
  package func plane(_ index: Int) -> Int { index / perSample * count + channel(index) }

  /// The mean of each channel of each sample, `[batch · count]`.
  package func means(_ x: [Double]) -> [Double] {
    var sums = [Double](repeating: 0, count: batch * count)
    for index in x.indices { sums[plane(index)] += x[index] }
    let spatialCount = Double(spatialCount)
    return sums.map { $0 / spatialCount }
  }
}
