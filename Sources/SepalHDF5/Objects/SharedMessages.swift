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

/// Finds messages that several objects share.
struct SharedMessages {
  private let file: FileBytes
  private let table: SharedMessageTable
  private var claims: Claims
  /// The heaps that have been needed, by address.
  private var heaps: [Int: FractalHeap] = [:]

  init(_ file: FileBytes, _ table: SharedMessageTable) {
    self.file = file
    self.table = table
    claims = Claims(file)
  }

  /// The message that a reference to it stands for.
  mutating func resolve(
    _ reference: Cursor, _ kind: HeaderMessage.Kind
  ) -> Result<Extent, HDF5Error> {
    Result { () throws(HDF5Error) in
      var cursor = reference
      let version = try cursor.version(1...3)
      // Before version 3, only what is committed could be shared.
      guard version == 3, try cursor.u8() == 1 else {
        throw cursor.unsupported("that is committed to the file for several objects")
      }
      return try object(try cursor.extent(8), kind)
    }
  }

  /// The message with this identifier in the heap for its kind.
  mutating func object(_ id: Extent, _ kind: HeaderMessage.Kind) throws(HDF5Error) -> Extent {
    guard let address = table.heap(of: kind) else {
      throw HDF5Error(.malformed, "has \(kind.subject) that is shared, in a file without shared messages")
    }
    if let heap = heaps[address] { return try heap.object(id, &claims) }
    let heap = try FractalHeap(file, at: address, &claims)
    heaps[address] = heap
    return try heap.object(id, &claims)
  }
}
