import SepalGraph
import SepalTensor

extension LayerRules {
  /// AdaptiveMaxPooling1D to 3D and AdaptiveAveragePooling1D to 3D: windows of ⌊i·in/out⌋ ..< ⌈(i + 1)·in/out⌉ along
  /// each axis, which differ in size by at most one.
  static func adaptivePool(rank: Int, _ kind: AdaptivePoolKind) -> Rule {
    { context throws(KerasError) in
      let layout = try context.layout(rank: rank)
      var value = try context.input(rank: rank + 2)
      let sizes = try context.sizes("output_size", count: rank)
      for (index, size) in sizes.enumerated() {
        value = try context.adaptivePool(
          value, kind, rank: rank, index: index, size: size, layout: layout,
          step: index == rank - 1 ? nil : "axis\(index)")
      }
      return [value]
    }
  }
}

enum AdaptivePoolKind: Sendable {
  case max, average
}

extension LayerContext {
  /// Pools one spatial axis: the means, or maxima, of rectangles are those of rows of columns, which are as wide.
  fileprivate func adaptivePool(
    _ value: ValueID, _ kind: AdaptivePoolKind, rank: Int, index: Int, size: Int, layout: Layout,
    step: String?
  ) throws(KerasError) -> ValueID {
    let axis = layout.firstSpatialAxis + index
    let extent = shape(of: value)[axis]
    guard extent > 0, size <= maximumWindowCount else {
      throw invalid("output_size", "is \(size) of \(extent)")
    }
    let starts = (0..<size).map { $0 * extent / size }
    let widths = (0..<size).map { (($0 + 1) * extent + size - 1) / size - starts[$0] }
    let small = widths.min() ?? 1
    func pool(_ width: Int, stride: Int, step: String?) throws(KerasError) -> ValueID {
      var (kernel, strides) = ([Int](repeating: 1, count: rank), [Int](repeating: 1, count: rank))
      (kernel[index], strides[index]) = (width, stride)
      let (zeros, ones) = ([Int](repeating: 0, count: rank), [Int](repeating: 1, count: rank))
      switch kind {
      case .max:
        return try add(
          MaxPool(
            kernel: kernel, strides: strides, padBegins: zeros, padEnds: zeros, dilations: ones,
            layout: layout), [value], step: step)
      case .average:
        return try add(
          AveragePool(
            kernel: kernel, strides: strides, padBegins: zeros, padEnds: zeros, dilations: ones,
            layout: layout), [value], step: step)
      }
    }
    if extent.isMultiple(of: size) { return try pool(small, stride: extent / size, step: step) }
    // Every window of either width, then those that are wanted.
    let prefix = step ?? "axis\(index)"
    var windows = try pool(small, stride: 1, step: "\(prefix)/narrow")
    let count = shape(of: windows)[axis]
    if widths.contains(where: { $0 > small }) {
      let wide = try pool(small + 1, stride: 1, step: "\(prefix)/wide")
      windows = try add(Concat(axis: axis), [windows, wide], step: "\(prefix)/windows")
    }
    let chosen = zip(starts, widths).map { start, width in Int64(width > small ? count + start : start) }
    let indices = add(constant: Tensor([size], int64s: chosen), step: "\(prefix)/chosen")
    return try add(Gather(axis: axis), [windows, indices], step: step)
  }
}

/// More windows along one axis than any image has.
private let maximumWindowCount = 1 << 20
