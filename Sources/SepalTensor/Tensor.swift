/// Immutable bytes with an owner: allocated here, or a view into memory that `owner` keeps alive (a mapped file).
public final class TensorStorage: @unchecked Sendable {
  /// Valid while this object lives (hold on to it: `withExtendedLifetime`). Never written after initialisation, hence `Sendable`.
  public let bytes: UnsafeRawBufferPointer
  let owner: (any AnyObject & Sendable)?

  /// A zero-copy view. `bytes` must stay valid and unchanged while `owner` lives.
  public init(viewing bytes: UnsafeRawBufferPointer, owner: any AnyObject & Sendable) {
    self.bytes = bytes
    self.owner = owner
  }

  /// Allocates `byteCount` zeroed bytes, 64-byte aligned, and lets `fill` write them.
  public init<E: Error>(
    byteCount: Int, fill: (UnsafeMutableRawBufferPointer) throws(E) -> Void
  ) throws(E) {
    let buffer: UnsafeMutableRawBufferPointer
    if let pages = ZeroedPages(byteCount: byteCount) {
      buffer = pages.bytes
      owner = pages
    } else {
      buffer = .allocate(byteCount: max(byteCount, 1), alignment: 64)
      buffer.initializeMemory(as: UInt8.self, repeating: 0)
      owner = nil
    }
    self.bytes = UnsafeRawBufferPointer(rebasing: buffer[..<byteCount])
    do {
      try fill(UnsafeMutableRawBufferPointer(rebasing: buffer[..<byteCount]))
    } catch {
      throw error
    }
  }

  /// The elements of `values` without copying them: intermediate results of the reference are arrays, and stay so.
  init(adopting values: [Double]) {
    let array = AdoptedArray(values)
    owner = array
    bytes = array.bytes
  }

  /// What was adopted, as a whole.
  var adopted: [Double]? { (owner as? AdoptedArray)?.values }

  deinit {
    if owner == nil { bytes.baseAddress?.deallocate() }
  }
}

/// An array that is never changed, and so never moves: the elements of a native array lie in its one heap object, which
/// `values` keeps alive, and whoever changes another copy of the array changes a copy of the elements.
private final class AdoptedArray: Sendable {
  let values: [Double]

  init(_ values: [Double]) { self.values = values }

  var bytes: UnsafeRawBufferPointer { values.withUnsafeBytes { $0 } }
}

/// A dense tensor in row-major order. Values are immutable; copies share storage.
public struct Tensor: Sendable {
  public let type: TensorType
  public let storage: TensorStorage
  /// Where this tensor's elements start in `storage`. Not necessarily aligned to the element size.
  public let byteOffset: Int

  public var element: ElementType { type.element }
  public var shape: [Int] { type.shape }
  public var count: Int { type.count }
  public var byteCount: Int { type.byteCount }

  /// A tensor over existing storage. The caller has checked that the bytes are there.
  public init(_ type: TensorType, storage: TensorStorage, byteOffset: Int = 0) {
    precondition(byteOffset >= 0 && byteOffset + type.byteCount <= storage.bytes.count)
    self.type = type
    self.storage = storage
    self.byteOffset = byteOffset
  }

  /// Allocates a zeroed tensor and lets `fill` write its bytes.
  public init<E: Error>(
    _ type: TensorType, fill: (UnsafeMutableRawBufferPointer) throws(E) -> Void
  ) throws(E) {
    self.init(type, storage: try TensorStorage(byteCount: type.byteCount, fill: fill))
  }

  /// Copies `bytes`; their count must be the type's.
  public init(_ type: TensorType, copying bytes: UnsafeRawBufferPointer) {
    precondition(bytes.count == type.byteCount)
    self.init(type) { $0.copyMemory(from: bytes) }
  }

  public init(_ shape: [Int], floats: [Float]) { self.init(.init(.float32, shape), scalars: floats) }
  public init(_ shape: [Int], int64s: [Int64]) { self.init(.init(.int64, shape), scalars: int64s) }
  public init(_ shape: [Int], bools: [Bool]) {
    self.init(.init(.bool, shape), scalars: bools.map { $0 ? UInt8(1) : 0 })
  }

  private init<T: BitwiseCopyable>(_ type: TensorType, scalars: [T]) {
    precondition(scalars.count == type.count, "\(scalars.count) scalars for \(type)")
    self = scalars.withUnsafeBytes { Tensor(type, copying: $0) }
  }

  /// The raw bytes of exactly this tensor.
  public func withUnsafeBytes<R, E: Error>(
    _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    let slice = UnsafeRawBufferPointer(rebasing: storage.bytes[byteOffset..<byteOffset + byteCount])
    defer { withExtendedLifetime(storage) {} }
    return try body(slice)
  }

  /// The same elements under another shape of equal count.
  public func reshaped(_ shape: [Int]) -> Tensor {
    Tensor(TensorType(element, shape), storage: storage, byteOffset: byteOffset)
  }

  /// Bitwise equality of type and elements.
  public func isIdentical(to other: Tensor) -> Bool {
    guard type == other.type else { return false }
    if storage === other.storage && byteOffset == other.byteOffset { return true }
    return withUnsafeBytes { lhs in
      other.withUnsafeBytes { rhs in
        lhs.count == rhs.count && lhs.elementsEqual(rhs)
      }
    }
  }
}
