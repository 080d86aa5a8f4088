/// Element type and shape of a value. Every dimension is known; rank 0 is a scalar.
public struct TensorType: Sendable, Hashable {
  public var element: ElementType
  public var shape: [Int]

  public init(_ element: ElementType, _ shape: [Int]) {
    self.element = element
    self.shape = shape
  }

  public var rank: Int { shape.count }

  /// Number of elements; legal types never overflow (see `checkedCount`).
  public var count: Int { shape.reduce(1, *) }

  public var byteCount: Int { count * element.size }

  /// The element count, or nil when it (or the byte count) overflows or a dimension is negative.
  ///
  /// Zero dimensions do not hide an overflow: of a shape that passes, every partial product (a stride, say) is
  /// representable, in whatever order it is formed.
  public static func checkedCount(_ shape: [Int], elementSize: Int = 8) -> Int? {
    var product = 1
    for dim in shape {
      guard dim >= 0 else { return nil }
      let (value, overflow) = product.multipliedReportingOverflow(by: max(dim, 1))
      guard !overflow else { return nil }
      product = value
    }
    if product.multipliedReportingOverflow(by: elementSize).overflow { return nil }
    return shape.contains(0) ? 0 : product
  }

  /// The largest value that a node may compute: a small file can declare any size.
  public static let maximumByteCount = 1 << 34

  /// The highest rank that any reader accepts.
  public static let maximumRank = 8
}

extension TensorType: CustomStringConvertible {
  /// `float32[1x3x224x224]`; a scalar is `float32[]`.
  public var description: String {
    "\(element)[\(shape.map(String.init).joined(separator: "x"))]"
  }
}

/// One dimension as a source file declares it.
public enum Dimension: Sendable, Hashable {
  case fixed(Int)
  /// Named (`batch`) or unknown (nil).
  case symbolic(String?)
}

extension Dimension: CustomStringConvertible {
  public var description: String {
    switch self {
    case .fixed(let value): String(value)
    case .symbolic(let name): name ?? "?"
    }
  }
}
