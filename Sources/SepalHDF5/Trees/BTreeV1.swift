/// Version 1 B-trees: the index of old groups and of old chunked storage.
enum BTreeV1 {
  enum Kind: UInt8 {
    case group = 0
    case chunk = 1
  }

  /// Calls `body` with the key before every child of the leaves, in order, and the child's address.
  static func forEachChild(
    _ file: FileBytes, root: Int, _ kind: Kind, keySize: Int, _ claims: inout Claims,
    _ body: (_ key: Range<Int>, _ child: Int, _ claims: inout Claims) throws(HDF5Error) -> Void
  ) throws(HDF5Error) {
    try visit(file, root, kind, keySize, nil, &claims, body)
  }

  /// Recursion ends because levels go down one by one, from at most 255.
  private static func visit(
    _ file: FileBytes, _ address: Int, _ kind: Kind, _ keySize: Int, _ expectedLevel: UInt8?,
    _ claims: inout Claims,
    _ body: (_ key: Range<Int>, _ child: Int, _ claims: inout Claims) throws(HDF5Error) -> Void
  ) throws(HDF5Error) {
    var cursor = try file.cursor(at: address, of: "a B-tree node")
    try cursor.signature("TREE")
    guard try cursor.u8() == kind.rawValue else { throw cursor.malformed("of the wrong kind at \(address)") }
    let level = try cursor.u8()
    guard level == expectedLevel ?? level else {
      throw cursor.malformed("at \(address) on the wrong level")
    }
    let count = Int(try cursor.u16())
    // The siblings are reached from the parent.
    try cursor.skip(2 * file.offsetSize)
    let entries = try cursor.take(count * (keySize + file.offsetSize))
    try claims.claim(address..<entries.upperBound, "a B-tree node")
    var entry = Cursor(file, entries, "a B-tree node")
    for _ in 0..<count {
      let key = try entry.take(keySize)
      let child = try entry.definedAddress()
      if level == 0 {
        try body(key, child, &claims)
      } else {
        try visit(file, child, kind, keySize, level - 1, &claims, body)
      }
    }
  }
}
