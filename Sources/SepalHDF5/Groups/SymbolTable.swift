/// The links of an old group: a B-tree of symbol table nodes, with the names in a local heap.
enum SymbolTable {
  static func read(
    _ file: FileBytes, _ message: Cursor, _ claims: inout Claims
  ) throws(HDF5Error) -> [(name: String, target: LinkTarget)] {
    var cursor = message
    let (tree, heap) = (try cursor.definedAddress(), try cursor.definedAddress())
    let names = try localHeap(file, at: heap)
    var links: [(name: String, target: LinkTarget)] = []
    try BTreeV1.forEachChild(file, root: tree, .group, keySize: file.lengthSize, &claims) {
      (_, node, claims) throws(HDF5Error) in
      try readNode(file, node, names, &claims, into: &links)
    }
    return links
  }

  /// Where the local heap keeps its data.
  private static func localHeap(_ file: FileBytes, at address: Int) throws(HDF5Error) -> Range<Int> {
    var cursor = try file.cursor(at: address, of: "a local heap")
    try cursor.signature("HEAP")
    _ = try cursor.version(0...0)
    try cursor.skip(3)
    let size = try cursor.length()
    _ = try cursor.unsigned(file.lengthSize)
    return try file.range(at: try cursor.definedAddress(), count: size, of: "a local heap")
  }

  private static func readNode(
    _ file: FileBytes, _ address: Int, _ names: Range<Int>, _ claims: inout Claims,
    into links: inout [(name: String, target: LinkTarget)]
  ) throws(HDF5Error) {
    var cursor = try file.cursor(at: address, of: "a symbol table node")
    try cursor.signature("SNOD")
    _ = try cursor.version(1...1)
    try cursor.skip(1)
    let count = Int(try cursor.u16())
    let entries = try cursor.take(count * (file.lengthSize + file.offsetSize + 24))
    try claims.claim(address..<entries.upperBound, "a symbol table node")
    var entry = Cursor(file, entries, "a symbol table node")
    for _ in 0..<count {
      let offset = try entry.length()
      let header = try entry.address()
      let cacheType = try entry.u32()
      try entry.skip(4 + 16)
      guard offset < names.count else { throw entry.malformed("with a name outside of its heap") }
      let bytes = file.bytes(names.lowerBound + offset..<names.upperBound)
      guard let end = bytes.firstIndex(of: 0) else { throw entry.malformed("with a name that does not end") }
      try claims.claim(byteCount: end, "a link name")
      let name = String(decoding: bytes[..<end], as: UTF8.self)
      if cacheType == 2 {
        links.append((name, .soft))
      } else if let header {
        links.append((name, .hard(header)))
      } else {
        throw entry.malformed("with an undefined address")
      }
    }
  }
}
