import SepalTensor
import SepalZip

/// Decodes constants of the section WEIGHTS, each of whose bytes belongs to one constant at most. The pages of what was
/// decoded are given back on the way.
struct ConstantReader {
  let storage: TensorStorage
  /// Where the section is in the file.
  let section: Range<Int>
  private var used: [Range<UInt64>] = []
  /// Where the bytes begin that were not given back yet.
  private var resident: Int
  private var inflated: [UInt8] = []

  private static let releasedByteCount = 1 << 20

  init(storage: TensorStorage, section: Range<Int>) {
    self.storage = storage
    self.section = section
    resident = section.lowerBound
  }

  mutating func read(_ type: TensorType, _ stored: StoredConstant, name: String) throws(FormatError) -> Tensor
  {
    let length = UInt64(section.count)
    guard stored.offset <= length, stored.length <= length - stored.offset else {
      throw FormatError(.malformed, "constant '\(name)' lies outside of section WEIGHTS")
    }
    guard TensorType.checkedCount(type.shape, elementSize: type.element.size) != nil else {
      throw FormatError(.malformed, "constant '\(name)' is too large: \(type)")
    }
    if stored.length > 0 { used.append(stored.offset..<stored.offset + stored.length) }
    let start = section.lowerBound + Int(stored.offset)
    let bytes = UnsafeRawBufferPointer(rebasing: storage.bytes[start..<start + Int(stored.length)])
    guard Checksum.matches(Zlib.crc32(bytes), stored.crc32) else {
      throw FormatError(.corrupt, "constant '\(name)' does not match its checksum")
    }
    switch stored.codec {
    case .raw:
      guard bytes.count == type.byteCount else { throw wrongLength(name, type, stored) }
      return Tensor(type, storage: storage, byteOffset: start)
    case .half:
      guard type.element == .float32, bytes.count == type.count * 2 else {
        throw wrongLength(name, type, stored)
      }
      defer { release(through: start + bytes.count) }
      return Tensor(TensorType(.float16, type.shape), storage: storage, byteOffset: start)
        .converted(to: .float32)
    case .planes:
      // At most half of the planes are deflated, so the elements are at most twice the stored bytes.
      guard type.element.size > 1, type.byteCount / 2 <= bytes.count else {
        throw wrongLength(name, type, stored)
      }
      defer { release(through: start + bytes.count) }
      return try Tensor(type) { (target) throws(FormatError) in
        guard BytePlanes.decode(bytes, into: target, elementSize: type.element.size, inflated: &inflated)
        else { throw FormatError(.malformed, "constant '\(name)' has broken byte planes") }
      }
    }
  }

  /// Refuses files in which constants share bytes: their decoded forms would not be justified by the file.
  mutating func checkDisjoint() throws(FormatError) {
    used.sort { $0.lowerBound < $1.lowerBound }
    for (first, second) in zip(used, used.dropFirst()) where first.upperBound > second.lowerBound {
      throw FormatError(.malformed, "has overlapping constants")
    }
  }

  /// Constants follow each other in the file, as a rule: each stretch of it is given back once.
  private mutating func release(through end: Int) {
    guard end - resident >= Self.releasedByteCount else { return }
    storage.releasePages(resident..<end)
    resident = end
  }

  private func wrongLength(_ name: String, _ type: TensorType, _ stored: StoredConstant) -> FormatError {
    FormatError(.malformed, "constant '\(name)' is \(type), which \(stored.length) stored bytes cannot hold")
  }
}
