import SepalTensor

extension Tensor {
  /// The largest difference from `other`, which has the same type, over the largest magnitude of both.
  /// Infinite where only one of two elements is finite, or they are different infinities.
  func relativeError(of other: Tensor) -> Double {
    if isIdentical(to: other) { return 0 }
    guard element == .float32 else { return Self.relativeError(doubles(), other.doubles()) }
    return withUnsafeBytes { mine in
      other.withUnsafeBytes { theirs in
        Self.relativeError(FloatBytes(bytes: mine), FloatBytes(bytes: theirs))
      }
    }
  }

  private static func relativeError(
    _ x: some Sequence<Double>, _ y: some Sequence<Double>
  ) -> Double {
    var (difference, largest) = (0.0, 0.0)
    for (a, b) in zip(x, y) where a != b && !(a.isNaN && b.isNaN) {
      guard a.isFinite, b.isFinite else { return .infinity }
      difference = max(difference, (a - b).magnitude)
    }
    guard difference > 0 else { return 0 }
    for (a, b) in zip(x, y) {
      if a.isFinite { largest = max(largest, a.magnitude) }
      if b.isFinite { largest = max(largest, b.magnitude) }
    }
    return difference / largest
  }
}

/// The elements of a float32 tensor without a copy.
private struct FloatBytes: Sequence, IteratorProtocol {
  let bytes: UnsafeRawBufferPointer
  var offset = 0

  mutating func next() -> Double? {
    guard offset < bytes.count else { return nil }
    defer { offset += 4 }
    return Double(bytes.loadUnaligned(fromByteOffset: offset, as: Float.self))
  }
}
