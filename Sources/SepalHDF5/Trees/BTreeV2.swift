/// Version 2 B-trees: records of one size, in the nodes of all levels.
struct BTreeV2 {
  enum Kind: UInt8 {
    case hugeObjects = 1
    case filteredHugeObjects = 2
    case linkNames = 5
    case attributeNames = 8
    case chunks = 10
    case filteredChunks = 11

    fileprivate var name: String {
      switch self {
      case .hugeObjects, .filteredHugeObjects: "huge objects"
      case .linkNames: "link names"
      case .attributeNames: "attribute names"
      case .chunks, .filteredChunks: "chunks"
      }
    }
  }

  private let file: FileBytes
  private let kind: Kind
  let recordSize: Int
  private let root: (address: Int, count: Int)?
  /// Per depth above the leaves: the bytes of a child pointer's two counts.
  private let pointers: [(count: Int, total: Int)]

  init(_ file: FileBytes, at address: Int, _ kind: Kind, _ claims: inout Claims) throws(HDF5Error) {
    self.file = file
    self.kind = kind
    var cursor = try file.cursor(at: address, of: "a B-tree header")
    try cursor.signature("BTHD")
    _ = try cursor.version(0...0)
    let found = try cursor.u8()
    guard found == kind.rawValue else {
      throw cursor.malformed("of type \(found), expected \(kind.rawValue) for \(kind.name)")
    }
    let nodeSize = try cursor.count(4)
    recordSize = Int(try cursor.u16())
    let depth = Int(try cursor.u16())
    try cursor.skip(2)
    let rootAddress = try cursor.address()
    let rootCount = Int(try cursor.u16())
    _ = try cursor.unsigned(file.lengthSize)
    try cursor.verifyChecksum(from: address)
    try claims.claim(address..<cursor.position, "a B-tree header")
    root = rootAddress.map { ($0, rootCount) }

    // Nodes hold a signature, version, type and checksum beside their records.
    let space = nodeSize - 10
    guard recordSize > 0, space >= recordSize, depth <= Self.maximumDepth else {
      throw cursor.malformed("of impossible sizes")
    }
    var (pointers, maximumTotal) = ([(count: Int, total: Int)](), space / recordSize)
    let countSize = encodedSize(maximumTotal)
    for level in 0..<depth {
      let totalSize = level == 0 ? 0 : encodedSize(maximumTotal)
      pointers.append((countSize, totalSize))
      let pointerSize = file.offsetSize + countSize + totalSize
      let maximumCount = max(0, space - pointerSize) / (recordSize + pointerSize)
      let (product, overflow) = (maximumCount + 1).multipliedReportingOverflow(by: maximumTotal)
      let (sum, carry) = product.addingReportingOverflow(maximumCount)
      guard !overflow, !carry else { throw cursor.malformed("of impossible sizes") }
      maximumTotal = sum
    }
    self.pointers = pointers
  }

  /// More levels than any file can fill: every level multiplies the number of records.
  private static let maximumDepth = 32

  /// Calls `body` with every record, in the order of the tree.
  func forEachRecord(
    _ claims: inout Claims, _ body: (_ record: Cursor, _ claims: inout Claims) throws(HDF5Error) -> Void
  ) throws(HDF5Error) {
    guard let root else { return }
    try visit(root.address, count: root.count, depth: pointers.count, &claims, body)
  }

  private func visit(
    _ address: Int, count: Int, depth: Int, _ claims: inout Claims,
    _ body: (_ record: Cursor, _ claims: inout Claims) throws(HDF5Error) -> Void
  ) throws(HDF5Error) {
    var cursor = try file.cursor(at: address, of: "a B-tree node")
    try cursor.signature(depth == 0 ? "BTLF" : "BTIN")
    _ = try cursor.version(0...0)
    guard try cursor.u8() == kind.rawValue else { throw cursor.malformed("of the wrong kind at \(address)") }
    let records = try cursor.take(count * recordSize)
    var children = cursor
    let pointer = depth == 0 ? (count: 0, total: 0) : pointers[depth - 1]
    if depth > 0 {
      try cursor.skip((count + 1) * (file.offsetSize + pointer.count + pointer.total))
    }
    try cursor.verifyChecksum(from: address)
    try claims.claim(address..<cursor.position, "a B-tree node")
    for index in 0...count {
      if depth > 0 {
        let child = try children.definedAddress()
        let childCount = try children.count(pointer.count)
        try children.skip(pointer.total)
        try visit(child, count: childCount, depth: depth - 1, &claims, body)
      }
      guard index < count else { break }
      let start = records.lowerBound + index * recordSize
      try body(Cursor(file, start..<start + recordSize, "a B-tree record"), &claims)
    }
  }
}

/// How many bytes hold every number up to `limit`.
func encodedSize(_ limit: Int) -> Int {
  limit <= 0 ? 1 : (Int.bitWidth - 1 - limit.leadingZeroBitCount) / 8 + 1
}
