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
  let single = RegionAxis(extent: 1, source: 0, target: 0)
  guard row.source != 1, let position = axes.firstIndex(where: { $0.source == 1 }) else {
    return copyBlocks(elementSize: size, outer: axes, lane: single, row: row, from: source, to: target)
  }
  // A transposition: neighbours in the source lie in different rows of the target. Rows go in groups that share
  // cache lines of the source, so that each line is fetched once.
  let group = max(64 / size, 1)
  let neighbours = axes.remove(at: position)
  for start in stride(from: 0, to: neighbours.extent, by: group) {
    var lane = neighbours
    lane.extent = min(group, neighbours.extent - start)
    copyBlocks(
      elementSize: size, outer: axes, lane: lane, row: row, from: source + start * size,
      to: target + start * neighbours.target * size)
  }
}

/// Copies a block of `lane` times `row` at every index of `outer`, the last of which varies fastest.
private func copyBlocks(
  elementSize size: Int, outer axes: [RegionAxis], lane: RegionAxis, row: RegionAxis,
  from source: UnsafeRawPointer, to target: UnsafeMutableRawPointer
) {
  var index = [Int](repeating: 0, count: axes.count)
  var sourceOffset = 0
  var targetOffset = 0
  while true {
    let (from, to) = (source + sourceOffset * size, target + targetOffset * size)
    if row.source == 1 && row.target == 1 && lane.extent == 1 {
      to.copyMemory(from: from, byteCount: row.extent * size)
    } else {
      switch size {
      case 1: copyBlock(as: UInt8.self, lane, row, from: from, to: to)
      case 2: copyBlock(as: UInt16.self, lane, row, from: from, to: to)
      case 4: copyBlock(as: UInt32.self, lane, row, from: from, to: to)
      default: copyBlock(as: UInt64.self, lane, row, from: from, to: to)
      }
    }
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
}

private func copyBlock<Scalar: BitwiseCopyable>(
  as _: Scalar.Type, _ lane: RegionAxis, _ row: RegionAxis,
  from input: UnsafeRawPointer, to output: UnsafeMutableRawPointer
) {
  let size = MemoryLayout<Scalar>.size
  let (step, advance) = (row.source * size, row.target * size)
  for line in 0..<lane.extent {
    var from = input + line * lane.source * size
    var to = output + line * lane.target * size
    for _ in 0..<row.extent {
      to.storeBytes(of: from.loadUnaligned(as: Scalar.self), as: Scalar.self)
      from += step
      to += advance
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
        if run == MemoryLayout<UInt32>.size {
          // Channels of channels-last images: a call for each would take most of the time.
          for block in 0..<outer {
            let (row, place) = (from + block * extent * run, to + block * indices.count * run)
            for (position, index) in indices.enumerated() {
              let word = row.loadUnaligned(fromByteOffset: index * run, as: UInt32.self)
              place.storeBytes(of: word, toByteOffset: position * run, as: UInt32.self)
            }
          }
          return
        }
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
