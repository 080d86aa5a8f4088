import SepalTensor

extension Tensor {
  /// The value that all elements have, or nil when they differ or there are none.
  /// Stops at the first difference; 0 and −0 differ.
  var uniformValue: Double? {
    let size = element.size
    let isUniform = withUnsafeBytes { bytes in
      !bytes.isEmpty && (size..<bytes.count).allSatisfy { bytes[$0] == bytes[$0 - size] }
    }
    guard isUniform else { return nil }
    return Tensor(TensorType(element, []), storage: storage, byteOffset: byteOffset).doubles()[0]
  }

  /// The elements along `axis` when this tensor, broadcast to `shape`, varies along that axis only.
  func channelValues(axis: Int, of shape: [Int]) -> [Double]? {
    guard rank <= shape.count, element.isFloat else { return nil }
    let lead = shape.count - rank
    for (index, extent) in self.shape.enumerated() where extent != 1 {
      guard lead + index == axis, extent == shape[axis] else { return nil }
    }
    let values = doubles()
    return values.count == 1 ? Array(repeating: values[0], count: shape[axis]) : values
  }

  private var rank: Int { type.rank }
}

extension Double {
  /// A power of two, positive or negative, whose reciprocal is normal in binary32.
  var isPowerOfTwo: Bool { isNormal && significand == 1 && abs(exponent) <= 126 }
}

extension ElementType {
  /// The largest finite and the smallest normal magnitude of a floating-point type.
  var magnitudes: ClosedRange<Double> {
    switch self {
    case .float16: 0x1p-14...65504
    case .float64: Double.leastNormalMagnitude...Double.greatestFiniteMagnitude
    case .bfloat16: 0x1p-126...0x1.FEp127
    default: 0x1p-126...Double(Float.greatestFiniteMagnitude)
    }
  }
}
