import SepalTensor

/// Where a kernel `[…][…][taps]` is not zero for all channels.
struct KernelSupport {
  /// Along each spatial axis from the first such tap to behind the last one; the last tap of a kernel of zeros.
  let ranges: [Range<Int>]
  let kernel: [Int]

  var hasZeroBorder: Bool { ranges != kernel.map { 0..<$0 } }

  /// As soon as all taps are known to be used, no further weights are looked at.
  init(_ weight: Tensor) {
    kernel = Array(weight.shape.dropFirst(2))
    let taps = kernel.reduce(1, *)
    var unused = Array(0..<taps)
    weight.withUnsafeElements { element in
      for first in stride(from: 0, to: weight.count, by: taps) where !unused.isEmpty {
        unused.removeAll { element(first + $0) != 0 }
      }
    }
    var isUsed = [Bool](repeating: true, count: taps)
    for tap in unused { isUsed[tap] = false }
    ranges = kernel.indices.map { axis in
      let (extent, inner) = (weight.shape[axis + 2], weight.shape.dropFirst(axis + 3).reduce(1, *))
      let places = isUsed.indices.lazy.filter { isUsed[$0] }.map { $0 / inner % extent }
      return (places.min() ?? extent - 1)..<(places.max() ?? extent - 1) + 1
    }
  }
}

extension Tensor {
  fileprivate func withUnsafeElements(_ body: ((Int) -> Double) -> Void) {
    guard element == .float32 else {
      let values = doubles()
      return body { values[$0] }
    }
    withUnsafeBytes { bytes in
      body { Double(bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Float>.size, as: Float.self)) }
    }
  }
}
