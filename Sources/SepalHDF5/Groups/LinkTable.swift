/// What a link leads to.
enum LinkTarget: Sendable {
  /// The address of an object header.
  case hard(Int)
  case soft
  case `external`
  case userDefined(UInt8)
}

/// All links of one group, by name.
struct LinkTable: Sendable {
  /// Sorted by their bytes, as other readers list them.
  let names: [String]
  private let targets: [Key: LinkTarget]

  /// Text compared byte by byte: HDF5 knows no canonical equivalence.
  struct Key: Hashable, Sendable {
    let name: String

    static func == (lhs: Key, rhs: Key) -> Bool { lhs.name.utf8.elementsEqual(rhs.name.utf8) }

    func hash(into hasher: inout Hasher) {
      var name = name
      name.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
  }

  init(_ links: [(name: String, target: LinkTarget)]) throws(HDF5Error) {
    var targets: [Key: LinkTarget] = [:]
    targets.reserveCapacity(links.count)
    for (name, target) in links {
      guard !name.isEmpty else { throw HDF5Error(.malformed, "has a link without a name") }
      guard targets.updateValue(target, forKey: Key(name: name)) == nil else {
        throw HDF5Error(.malformed, "has two links named '\(name)'")
      }
    }
    self.targets = targets
    names = links.map(\.name).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  subscript(name: String) -> LinkTarget? { targets[Key(name: name)] }

  /// The links of a group of any version.
  static func read(
    _ file: FileBytes, _ header: ObjectHeader, _ claims: inout Claims
  ) throws(HDF5Error) -> LinkTable {
    if let message = header.first(.symbolTable) {
      return try LinkTable(try SymbolTable.read(file, try message.cursor(), &claims))
    }
    var links: [(name: String, target: LinkTarget)] = []
    for message in header.messages where message.kind == .link {
      links.append(try LinkMessage.read(try message.cursor()))
    }
    if let message = header.first(.linkInfo) {
      var cursor = try message.cursor()
      _ = try cursor.version(0...0)
      // Creation order is not needed, only stepped over.
      if try cursor.u8() & 1 != 0 { try cursor.skip(8) }
      if let heap = try cursor.address() {
        let index = try cursor.definedAddress()
        links += try readDense(file, heap: heap, index: index, &claims)
      }
    }
    return try LinkTable(links)
  }

  /// Links in a fractal heap, found through the index of their names.
  private static func readDense(
    _ file: FileBytes, heap: Int, index: Int, _ claims: inout Claims
  ) throws(HDF5Error) -> [(name: String, target: LinkTarget)] {
    let heap = try FractalHeap(file, at: heap, &claims)
    let tree = try BTreeV2(file, at: index, .linkNames, &claims)
    var links: [(name: String, target: LinkTarget)] = []
    try tree.forEachRecord(&claims) { (record, claims) throws(HDF5Error) in
      var record = record
      // The hash of the name.
      try record.skip(4)
      let object = try heap.object(try record.extent(heap.idSize), &claims)
      try claims.claim(byteCount: object.range.count, "a link")
      links.append(try LinkMessage.read(Cursor(object, "a link")))
    }
    return links
  }
}
