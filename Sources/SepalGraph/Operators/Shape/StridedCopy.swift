import SepalTensor

/// Copies an n-dimensional region between two strided views of memory, element by element or, where both sides are
/// contiguous, run by run. The element type does not matter, only its size.
///
/// - Parameters:
///   - size: bytes per element: 1, 2, 4 or 8.
///   - shape: extents of the region. Strides are in elements, one per extent; zero repeats, negative walks backwards.
///   - source, target: the element at index zero of the region. Need not be aligned.
package func copyRegion(
  elementSize size: Int, shape: [Int],
  from source: UnsafeRawPointer, strides sourceStrides: [Int],
  to target: UnsafeMutableRawPointer, strides targetStrides: [Int]
) {
  guard !shape.contains(0) else { return }
  var axes: [RegionAxis] = []
  for axis in shape.indices where shape[axis] > 1 {
    let inner = RegionAxis(extent: shape[axis], source: sourceStrides[axis], target: targetStrides[axis])
    if let outer = axes.last, outer.source == inner.source * inner.extent,
      outer.target == inner.target * inner.extent
    {
      axes[axes.count - 1] = inner
      axes[axes.count - 1].extent *= outer.extent
    } else {
      axes.append(inner)
    }
  }
  let row = axes.popLast() ?? RegionAxis(extent: 1, source: 1, target: 1)
  var index = [Int](repeating: 0, count: axes.count)
  var sourceOffset = 0
  var targetOffset = 0
  while true {
    row.copy(elementSize: size, from: source + sourceOffset * size, to: target + targetOffset * size)
    var axis = axes.count - 1
    while axis >= 0 {
      index[axis] += 1
      sourceOffset += axes[axis].source
      targetOffset += axes[axis].target
      if index[axis] < axes[axis].extent { break }
      sourceOffset -= axes[axis].source * axes[axis].extent
      targetOffset -= axes[axis].target * axes[axis].extent
      index[axis] = 0
      axis -= 1
    }
    if axis < 0 { return }
  }
}

private struct RegionAxis {
  var extent, source, target: Int

  func copy(elementSize: Int, from input: UnsafeRawPointer, to output: UnsafeMutableRawPointer) {
    if source == 1 && target == 1 {
      output.copyMemory(from: input, byteCount: extent * elementSize)
      return
    }
    switch elementSize {
    case 1: copy(as: UInt8.self, from: input, to: output)
    case 2: copy(as: UInt16.self, from: input, to: output)
    case 4: copy(as: UInt32.self, from: input, to: output)
    default: copy(as: UInt64.self, from: input, to: output)
    }
  }

  private func copy<Scalar: BitwiseCopyable>(
    as _: Scalar.Type, from input: UnsafeRawPointer, to output: UnsafeMutableRawPointer
  ) {
    let size = MemoryLayout<Scalar>.size
    for index in 0..<extent {
      let value = input.loadUnaligned(fromByteOffset: index * source * size, as: Scalar.self)
      output.storeBytes(of: value, toByteOffset: index * target * size, as: Scalar.self)
    }
  }
}

extension Tensor {
  /// The dense tensor of `shape` whose element at index i is this tensor's element `offset + Σ iₖ·strides[k]`.
  package func region(_ shape: [Int], offset: Int = 0, strides: [Int]) -> Tensor {
    let size = element.size
    return Tensor(TensorType(element, shape)) { target in
      withUnsafeBytes { source in
        guard let from = source.baseAddress, let to = target.baseAddress, !target.isEmpty else { return }
        copyRegion(
          elementSize: size, shape: shape, from: from + offset * size, strides: strides,
          to: to, strides: rowMajorStrides(shape))
      }
    }
  }

  /// The slices `indices[0]`, `indices[1]`, … along `axis`, each of which must be in range.
  package func selecting(_ indices: [Int], along axis: Int) -> Tensor {
    var shape = shape
    shape[axis] = indices.count
    let outer = self.shape[..<axis].reduce(1, *)
    let run = self.shape[(axis + 1)...].reduce(1, *) * element.size
    let extent = self.shape[axis]
    return Tensor(TensorType(element, shape)) { target in
      withUnsafeBytes { source in
        guard let from = source.baseAddress, let to = target.baseAddress, run > 0 else { return }
        for block in 0..<outer {
          for (position, index) in indices.enumerated() {
            (to + (block * indices.count + position) * run).copyMemory(
              from: from + (block * extent + index) * run, byteCount: run)
          }
        }
      }
    }
  }
}
