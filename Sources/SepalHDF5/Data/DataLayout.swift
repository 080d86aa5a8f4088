/// Where the elements of a dataset are, versions 3 and 4 of the message.
enum DataLayout: Sendable {
  case compact(Extent)
  /// Nothing has been written where the address is nil.
  case contiguous(address: Int?, count: Int)
  case chunked(ChunkedLayout)

  init(_ message: Cursor) throws(HDF5Error) {
    var cursor = message
    let version = try cursor.version(3...4)
    switch try cursor.u8() {
    case 0:
      let size = Int(try cursor.u16())
      self = .compact(try cursor.extent(size))
    case 1:
      let address = try cursor.address()
      self = .contiguous(address: address, count: try cursor.length())
    case 2: self = .chunked(try ChunkedLayout(&cursor, version))
    case 3: throw HDF5Error(.unsupported, "is a virtual dataset")
    case let other: throw cursor.unsupported("of class \(other)")
    }
  }
}

/// The shape of chunks, and where to look for them.
struct ChunkedLayout: Sendable {
  enum Index: Sendable {
    case treeV1
    /// The stored size, and the filters that were left out; nil without filters.
    case single(filtered: (size: Int, mask: UInt32)?)
    case implicit
    case fixedArray
    case extensibleArray
    case treeV2
  }

  /// Elements per dimension.
  let shape: [Int]
  /// The size of an element as the layout declares it.
  let elementSize: Int
  let index: Index
  /// Where the index is, or with `single` and `implicit`, the data; nil where nothing has been written.
  let address: Int?
  /// Chunks that reach beyond the dataset's edge are stored without filters.
  let hasPlainEdges: Bool

  fileprivate init(_ cursor: inout Cursor, _ version: UInt8) throws(HDF5Error) {
    if version == 3 {
      let rank = Int(try cursor.u8())
      address = try cursor.address()
      var dims: [Int] = []
      for _ in 0..<rank { dims.append(try cursor.count(4)) }
      (shape, elementSize) = try Self.split(dims, cursor)
      index = .treeV1
      hasPlainEdges = false
      return
    }
    let flags = try cursor.u8()
    let (rank, width) = (Int(try cursor.u8()), Int(try cursor.u8()))
    guard (1...8).contains(width) else { throw cursor.malformed("with sizes of \(width) bytes") }
    var dims: [Int] = []
    for _ in 0..<rank { dims.append(try cursor.count(width)) }
    (shape, elementSize) = try Self.split(dims, cursor)
    hasPlainEdges = flags & 1 != 0
    // The parameters of arrays and trees are repeated in their own headers.
    switch try cursor.u8() {
    case 1: index = .single(filtered: flags & 2 == 0 ? nil : (try cursor.length(), try cursor.u32()))
    case 2: index = .implicit
    case 3:
      index = .fixedArray
      try cursor.skip(1)
    case 4:
      index = .extensibleArray
      try cursor.skip(5)
    case 5:
      index = .treeV2
      try cursor.skip(6)
    case let other: throw cursor.unsupported("with the chunk index \(other)")
    }
    address = try cursor.address()
  }

  /// The last dimension of a chunk is the size of its elements.
  private static func split(_ dims: [Int], _ cursor: Cursor) throws(HDF5Error) -> ([Int], Int) {
    guard dims.count >= 2, dims.allSatisfy({ $0 > 0 }), let size = dims.last else {
      throw cursor.malformed("with an impossible chunk shape")
    }
    return (Array(dims.dropLast()), size)
  }
}
