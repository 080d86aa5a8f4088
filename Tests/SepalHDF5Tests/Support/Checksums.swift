/// The blocks of a file that end in a checksum, so that what is changed in them can be made to look right.
struct Checksums {
  private struct Block {
    let range: Range<Int>
    /// Where the checksum is: behind the block, or in it, where it counts as zeros.
    let place: Int
  }

  private var blocks: [Block] = []

  /// Finds the blocks of a sound file: a signature, and a length at which the checksum fits.
  init(of bytes: [UInt8], superblock: Int = 0) {
    if bytes[superblock + 8] >= 2 {
      blocks.append(Block(range: superblock..<superblock + 44, place: superblock + 44))
    }
    let ending = [
      "OHDR", "OCHK", "FRHP", "FHIB", "BTHD", "BTIN", "BTLF", "FAHD", "FADB", "EAHD", "EAIB", "EASB", "EADB",
    ]
    for start in 0..<max(0, bytes.count - 8) {
      let signature = String(decoding: bytes[start..<start + 4], as: UTF8.self)
      if ending.contains(signature) {
        let ends = start + 8..<min(start + 2100, bytes.count - 3)
        add(ends.lazy.map { Block(range: start..<$0, place: $0) }, bytes)
      } else if signature == "FHDB" {
        // Behind the heap's address and an offset of 4 or 5 bytes.
        let sizes = (9..<17).map { 1 << $0 }.filter { start + $0 <= bytes.count }
        add(
          sizes.flatMap { size in [17, 18].map { Block(range: start..<start + size, place: start + $0) } },
          bytes)
      }
    }
  }

  private mutating func add(_ candidates: some Sequence<Block>, _ bytes: [UInt8]) {
    if let block = candidates.first(where: { computed($0, bytes) == stored($0, bytes) }) {
      blocks.append(block)
    }
  }

  var count: Int { blocks.count }

  /// Makes the checksums right of the blocks that hold one of `positions`.
  func repair(_ bytes: inout [UInt8], around positions: [Int]) {
    for block in blocks where positions.contains(where: block.range.contains) {
      let checksum = computed(block, bytes)
      for byte in 0..<4 {
        bytes[block.place + byte] = UInt8(truncatingIfNeeded: checksum >> UInt32(8 * byte))
      }
    }
  }

  private func stored(_ block: Block, _ bytes: [UInt8]) -> UInt32 {
    (0..<4).reduce(0) { $0 | UInt32(bytes[block.place + $1]) << UInt32(8 * $1) }
  }

  private func computed(_ block: Block, _ bytes: [UInt8]) -> UInt32 {
    lookup3(bytes[block.range], blank: block.place..<block.place + 4)
  }
}

/// Bob Jenkins' hash, as HDF5 uses it for checksums. Bytes at `blank` count as zeros.
private func lookup3(_ bytes: ArraySlice<UInt8>, blank: Range<Int>) -> UInt32 {
  func rotated(_ x: UInt32, _ k: UInt32) -> UInt32 { x << k | x >> (32 - k) }
  func word(_ start: Int) -> UInt32 {
    (start..<max(start, min(start + 4, bytes.endIndex))).reduce(0) { word, place in
      word | (blank.contains(place) ? 0 : UInt32(bytes[place]) << UInt32(8 * (place - start)))
    }
  }
  var a = 0xDEAD_BEEF &+ UInt32(bytes.count)
  var (b, c, start) = (a, a, bytes.startIndex)
  guard !bytes.isEmpty else { return c }
  while bytes.endIndex - start > 12 {
    (a, b, c) = (a &+ word(start), b &+ word(start + 4), c &+ word(start + 8))
    (a, c) = ((a &- c) ^ rotated(c, 4), c &+ b)
    (b, a) = ((b &- a) ^ rotated(a, 6), a &+ c)
    (c, b) = ((c &- b) ^ rotated(b, 8), b &+ a)
    (a, c) = ((a &- c) ^ rotated(c, 16), c &+ b)
    (b, a) = ((b &- a) ^ rotated(a, 19), a &+ c)
    (c, b) = ((c &- b) ^ rotated(b, 4), b &+ a)
    start += 12
  }
  (a, b, c) = (a &+ word(start), b &+ word(start + 4), c &+ word(start + 8))
  c = (c ^ b) &- rotated(b, 14)
  a = (a ^ c) &- rotated(c, 11)
  b = (b ^ a) &- rotated(a, 25)
  c = (c ^ b) &- rotated(b, 16)
  a = (a ^ c) &- rotated(c, 4)
  b = (b ^ a) &- rotated(a, 14)
  return (c ^ b) &- rotated(b, 24)
}
