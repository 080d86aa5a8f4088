/// Strings of variable length: collections of numbered objects, each read once.
struct GlobalHeap {
  private struct Reference: Hashable {
    let collection: Int
    let index: UInt32
    let length: UInt64
  }

  private let file: FileBytes
  private var claims: Claims
  private var collections: [Int: [UInt32: Range<Int>]] = [:]
  /// Elements that refer to the same string share it.
  private var texts: [Reference: String] = [:]

  init(_ file: FileBytes) {
    self.file = file
    claims = Claims(file)
  }

  /// The string that a stored element (length, collection, index) refers to.
  mutating func string(_ element: UnsafeRawBufferPointer) throws(HDF5Error) -> String {
    func number(_ start: Int, _ size: Int) -> UInt64 {
      (0..<size).reduce(0) { $0 | UInt64(element[start + $1]) << UInt64(8 * $1) }
    }
    let length = number(0, 4)
    guard length > 0 else { return "" }
    guard let collection = Int(exactly: number(4, file.offsetSize)) else {
      throw HDF5Error(.malformed, "has a string at an impossible address")
    }
    let index = UInt32(number(4 + file.offsetSize, 4))
    let reference = Reference(collection: collection, index: index, length: length)
    if let text = texts[reference] { return text }
    if collections[collection] == nil { collections[collection] = try read(at: collection) }
    guard let range = collections[collection]?[index], length <= range.count else {
      throw HDF5Error(.malformed, "has a string that is not in its global heap")
    }
    let bytes = UnsafeRawBufferPointer(rebasing: file.bytes(range)[..<Int(length)])
    try claims.claim(byteCount: bytes.count, "a string")
    let text = try decodeText(bytes, .nullTerminated)
    texts[reference] = text
    return text
  }

  private mutating func read(at address: Int) throws(HDF5Error) -> [UInt32: Range<Int>] {
    var cursor = try file.cursor(at: address, of: "a global heap")
    try cursor.signature("GCOL")
    _ = try cursor.version(1...1)
    try cursor.skip(3)
    let size = try cursor.length()
    // This header, and that of every object, is filled up to a multiple of 8.
    func aligned(_ size: Int) -> Int { (size + 7) & ~7 }
    let header = aligned(cursor.position - address)
    let whole = try file.range(at: address, count: max(size, header), of: "a global heap")
    try claims.claim(whole, "a global heap")
    var objects: [UInt32: Range<Int>] = [:]
    cursor = Cursor(file, address + header..<whole.upperBound, "a global heap")
    let objectHeader = aligned(8 + file.lengthSize)
    while cursor.remaining >= objectHeader {
      let index = UInt32(try cursor.u16())
      // The reference count, and a reserved field.
      try cursor.skip(2 + 4)
      let size = try cursor.length()
      try cursor.skip(objectHeader - 8 - file.lengthSize)
      // Object 0 is the free space, the rest of the collection.
      if index == 0 { break }
      guard objects.updateValue(try cursor.take(size), forKey: index) == nil else {
        throw cursor.malformed("with two objects \(index)")
      }
      try cursor.skip(min((8 - size % 8) % 8, cursor.remaining))
    }
    return objects
  }
}

/// Text from its stored bytes, which must be UTF-8 (or ASCII, a part of it).
func decodeText(
  _ bytes: UnsafeRawBufferPointer, _ padding: HDF5Datatype.Padding
) throws(HDF5Error) -> String {
  let end: Int
  switch padding {
  case .nullTerminated: end = bytes.firstIndex(of: 0) ?? bytes.count
  case .nullPadded: end = bytes.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0
  case .spacePadded: end = bytes.lastIndex { $0 != 0x20 }.map { $0 + 1 } ?? 0
  }
  let text = String(decoding: bytes[..<end], as: UTF8.self)
  guard text.utf8.elementsEqual(bytes[..<end]) else {
    throw HDF5Error(.malformed, "has text that is not UTF-8")
  }
  return text
}
