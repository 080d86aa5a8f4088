/// The heaps of messages that several objects share, by the kinds of message that each holds.
struct SharedMessageTable: Sendable {
  private var heaps: [(kinds: UInt16, heap: Int)] = []

  /// No shared messages.
  init() {}

  /// Reads the message of the superblock's extension, and the table that it names.
  init(_ message: Cursor) throws(HDF5Error) {
    var cursor = message
    _ = try cursor.version(0...0)
    let address = try cursor.definedAddress()
    let count = Int(try cursor.u8())
    cursor = try cursor.file.cursor(at: address, of: "a shared message table")
    try cursor.signature("SMTB")
    for _ in 0..<count {
      // Versions and sizes of the index, which only writers need.
      _ = try cursor.version(0...0)
      try cursor.skip(1)
      let kinds = try cursor.u16()
      try cursor.skip(4 + 2 + 2 + 2)
      _ = try cursor.address()
      if let heap = try cursor.address() { heaps.append((kinds, heap)) }
    }
    try cursor.verifyChecksum(from: address)
  }

  /// The address of the heap for messages of this kind.
  func heap(of kind: HeaderMessage.Kind) -> Int? {
    // Fill values of both kinds go together.
    let bit = kind == .oldFillValue ? HeaderMessage.Kind.fillValue.rawValue : kind.rawValue
    return heaps.first { $0.kinds >> bit & 1 != 0 }?.heap
  }
}

/// Reads messages that may be shared, for one object.
struct SharedMessages {
  let file: FileBytes
  private let table: SharedMessageTable
  private var claims: Claims
  /// The heaps that have been needed, by address.
  private var heaps: [Int: FractalHeap] = [:]

  init(_ file: FileBytes, _ table: SharedMessageTable) {
    self.file = file
    self.table = table
    claims = Claims(file)
  }

  /// The bytes of a message of the object's header.
  mutating func cursor(_ message: HeaderMessage, _ subject: StaticString) throws(HDF5Error) -> Cursor {
    let own = Cursor(file, message.range, subject)
    return message.isShared ? try cursor(following: own, message.kind) : own
  }

  /// The bytes of the message that the reference `cursor` stands for.
  mutating func cursor(
    following reference: Cursor, _ kind: HeaderMessage.Kind
  ) throws(HDF5Error) -> Cursor {
    var cursor = reference
    let version = try cursor.version(1...3)
    // Before version 3, only committed types could be shared.
    guard version == 3, try cursor.u8() == 1 else {
      throw cursor.unsupported("that is committed to the file for several objects")
    }
    return try self.cursor(id: try cursor.extent(8), kind, cursor.subject)
  }

  /// The bytes of a message that is named by its place in the heap for its kind.
  mutating func cursor(
    id: Extent, _ kind: HeaderMessage.Kind, _ subject: StaticString
  ) throws(HDF5Error) -> Cursor {
    guard let address = table.heap(of: kind) else {
      throw HDF5Error(.malformed, "has \(subject) that is shared, in a file without shared messages")
    }
    if let heap = heaps[address] { return try heap.object(id, subject, &claims) }
    let heap = try FractalHeap(file, at: address, &claims)
    heaps[address] = heap
    return try heap.object(id, subject, &claims)
  }
}
