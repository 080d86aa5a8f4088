import SepalZip

/// Undoes the filters of one chunk after another, in buffers that it keeps.
struct FilterDecoder: ~Copyable {
  private let filters: [FilterPipeline.Filter]
  /// What is decoded, for errors: "a chunk".
  private let subject: StaticString
  private var whole: Scratch?
  private var inflated: Scratch?
  private var unshuffled: Scratch?

  init(_ pipeline: FilterPipeline, _ subject: StaticString) {
    filters = pipeline.filters
    self.subject = subject
  }

  /// Refuses what no compression makes so small, before memory is spent on it.
  func check(_ size: Int, standsFor stored: Int) throws(HDF5Error) {
    guard size / maximumInflation <= stored else {
      throw HDF5Error(.malformed, "has \(subject) of \(stored) bytes that cannot stand for \(size)")
    }
  }

  /// The content, of `size` bytes: valid until the next call, and no longer than `stored` is.
  mutating func decoded(
    _ stored: UnsafeRawBufferPointer, mask: UInt32, size: Int
  ) throws(HDF5Error) -> UnsafeRawBufferPointer {
    if filters.isEmpty {
      guard stored.count == size else { throw wrongSize(stored.count, size) }
      return stored
    }
    try check(size, standsFor: stored.count)
    let target = Self.reserve(size, in: &whole)
    try decode(stored, mask: mask, into: target)
    return UnsafeRawBufferPointer(target)
  }

  /// Writes the content to all of `target`.
  /// - Parameter mask: bit i: filter i was left out.
  mutating func decode(
    _ stored: UnsafeRawBufferPointer, mask: UInt32, into target: UnsafeMutableRawBufferPointer
  ) throws(HDF5Error) {
    // Bits beyond 32 filters do not exist; HDF5 allows no more.
    var remaining = filters.enumerated().filter { $0.offset > 31 || mask >> UInt32($0.offset) & 1 == 0 }
      .map(\.element)
    var current = stored
    while let filter = remaining.popLast() {
      switch filter {
      case .deflate:
        // The filters that are still to be undone change the size by their checksums only.
        let size = target.count + 4 * remaining.count(where: { $0 == .fletcher32 })
        if !remaining.isEmpty { try check(size, standsFor: current.count) }
        let output = remaining.isEmpty ? target : Self.reserve(size, in: &inflated)
        do {
          try Zlib.inflate(current, .zlib, into: output)
        } catch {
          throw HDF5Error(.malformed, "has \(subject) that \(error.message)")
        }
        current = UnsafeRawBufferPointer(output)
      case .fletcher32:
        guard let content = Fletcher32.verified(current) else {
          throw HDF5Error(.malformed, "has \(subject) whose checksum is wrong")
        }
        current = content
      case .shuffle(let elementSize):
        guard elementSize > 0 else {
          throw HDF5Error(.malformed, "has \(subject) that is shuffled without an element size")
        }
        guard !remaining.isEmpty || current.count == target.count else {
          throw wrongSize(current.count, target.count)
        }
        let output = remaining.isEmpty ? target : Self.reserve(current.count, in: &unshuffled)
        unshuffle(current, elementSize: elementSize, into: output)
        current = UnsafeRawBufferPointer(output)
      }
    }
    guard current.count == target.count else { throw wrongSize(current.count, target.count) }
    if current.baseAddress != UnsafeRawPointer(target.baseAddress) { target.copyMemory(from: current) }
  }

  private func wrongSize(_ found: Int, _ expected: Int) -> HDF5Error {
    HDF5Error(.malformed, "has \(subject) of \(found) bytes, expected \(expected)")
  }

  private static func reserve(_ size: Int, in scratch: inout Scratch?) -> UnsafeMutableRawBufferPointer {
    let current = scratch.flatMap { $0.bytes.count >= size ? $0 : nil } ?? Scratch(size)
    scratch = current
    return UnsafeMutableRawBufferPointer(rebasing: current.bytes[..<size])
  }

  /// Bytes that live as long as the decoder.
  private final class Scratch {
    let bytes: UnsafeMutableRawBufferPointer

    init(_ size: Int) { bytes = .allocate(byteCount: size, alignment: 64) }

    deinit { bytes.deallocate() }
  }
}

/// The most bytes that one deflated byte can stand for.
let maximumInflation = 1032

/// Puts the bytes of every element together again. What does not fill an element follows unchanged.
func unshuffle(
  _ source: UnsafeRawBufferPointer, elementSize: Int, into target: UnsafeMutableRawBufferPointer
) {
  let count = elementSize > 1 ? source.count / elementSize : 0
  guard count > 1, let from = source.baseAddress, let to = target.baseAddress else {
    target.copyMemory(from: source)
    return
  }
  switch elementSize {
  case 2: unshuffle(from, count, to, UInt16.self)
  case 4: unshuffle(from, count, to, UInt32.self)
  case 8: unshuffle(from, count, to, UInt64.self)
  default:
    for byte in 0..<elementSize {
      let plane = from + byte * count
      for element in 0..<count {
        (to + element * elementSize + byte).storeBytes(
          of: plane.load(fromByteOffset: element, as: UInt8.self), as: UInt8.self)
      }
    }
  }
  let done = count * elementSize
  if done < source.count { (to + done).copyMemory(from: from + done, byteCount: source.count - done) }
}

/// One store per element, for the sizes that numbers have.
private func unshuffle<Word: FixedWidthInteger & UnsignedInteger>(
  _ source: UnsafeRawPointer, _ count: Int, _ target: UnsafeMutableRawPointer, _: Word.Type
) {
  let size = MemoryLayout<Word>.size
  for element in 0..<count {
    var word: Word = 0
    for byte in 0..<size {
      word |=
        Word(truncatingIfNeeded: source.load(fromByteOffset: byte * count + element, as: UInt8.self))
        << Word(truncatingIfNeeded: 8 * byte)
    }
    target.storeBytes(of: word.littleEndian, toByteOffset: element * size, as: Word.self)
  }
}

/// Fletcher's checksum of 16-bit words, first byte high, as HDF5 stores it behind the bytes.
enum Fletcher32 {
  /// The bytes without the checksum; nil where it is wrong.
  static func verified(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    guard bytes.count >= 4 else { return nil }
    let content = UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - 4)])
    let stored = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: content.count, as: UInt32.self))
    return Checksum.matches(checksum(content), stored) ? content : nil
  }

  static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var (sum, sums): (UInt32, UInt32) = (0, 0)
    var (offset, words) = (0, bytes.count / 2)
    while words > 0 {
      // As many words as cannot overflow the sums.
      let block = min(words, 360)
      for _ in 0..<block {
        sum &+= UInt32(UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
        sums &+= sum
        offset += 2
      }
      words -= block
      sum = (sum & 0xFFFF) &+ (sum >> 16)
      sums = (sums & 0xFFFF) &+ (sums >> 16)
    }
    if bytes.count % 2 == 1, let last = bytes.last {
      sum &+= UInt32(last) << 8
      sums &+= sum
      sum = (sum & 0xFFFF) &+ (sum >> 16)
      sums = (sums & 0xFFFF) &+ (sums >> 16)
    }
    sum = (sum & 0xFFFF) &+ (sum >> 16)
    sums = (sums & 0xFFFF) &+ (sums >> 16)
    return sums << 16 | sum
  }
}
