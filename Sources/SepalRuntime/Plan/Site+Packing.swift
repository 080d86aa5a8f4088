import CSepalKernels
import SepalTensor

extension Tensor {
  /// Calls `body` with the elements as floats: in place where they are that already, otherwise widened.
  func withFloats<R>(_ body: (UnsafePointer<Float>) -> R) -> R {
    withUnsafeBytes { bytes in
      if element == .float32, let base = bytes.baseAddress,
        Int(bitPattern: base) % MemoryLayout<Float>.alignment == 0
      {
        return body(base.assumingMemoryBound(to: Float.self))
      }
      // One more, so that an empty tensor has an address.
      return (floats() + [0]).withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else {
          preconditionFailure("an array with elements has an address")
        }
        return body(base)
      }
    }
  }
}

/// How a weight tensor is read as `groups` matrices of `columns` by `taps · depth`. Strides count elements.
struct MatrixView: Sendable {
  var groups = 1
  var columns: Int
  var taps = 1
  var depth: Int
  var columnStride: Int
  var tapStride = 0
  var depthStride: Int
}

extension Site {
  /// Packs `tensor` into panels; each group's matrix follows the one before.
  func pack(_ tensor: Tensor, _ view: MatrixView) -> WeightStore.Slice {
    let table = functions
    let size = table.table.pointee.packed_size(view.columns, view.taps * view.depth)
    return weights.reserve(size * view.groups) { destination in
      tensor.withFloats { source in
        let functions = table.table.pointee
        for group in 0..<view.groups {
          functions.pack(
            destination + group * size, source + group * view.columns * view.columnStride, view.columns,
            view.taps, view.depth, view.columnStride, view.tapStride, view.depthStride, 0,
            functions.panel_count(view.columns))
        }
      }
      tensor.releasePages()
    }
  }

  /// Packs `tensor`, whose channels have `taps` weights each, into channel blocks.
  func packChannels(_ tensor: Tensor, channels: Int, taps: Int) -> WeightStore.Slice {
    let table = functions
    let padded = functions.padded(channels)
    return weights.reserve(padded * taps) { destination in
      tensor.withFloats { source in
        let functions = table.table.pointee
        functions.pack_channels(destination, source, channels, taps, 0, padded / functions.vector_width)
      }
      tensor.releasePages()
    }
  }

  /// A bias of `groups · columns` values, or zeros, each group padded to whole vectors.
  func packBias(_ bias: Tensor?, groups: Int = 1, columns: Int) -> WeightStore.Slice {
    let padded = functions.padded(columns)
    return weights.reserve(padded * groups) { destination in
      for index in 0..<padded * groups { destination[index] = 0 }
      bias?.withFloats { source in
        for group in 0..<groups {
          (destination + group * padded).update(from: source + group * columns, count: columns)
        }
      }
    }
  }
}
