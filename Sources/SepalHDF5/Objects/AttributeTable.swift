/// All attributes of one object, by name, in the order in which they are stored.
struct AttributeTable: Sendable {
  let records: [AttributeRecord]
  private let places: [LinkTable.Key: Int]

  subscript(name: String) -> AttributeRecord? {
    places[LinkTable.Key(name: name)].map { records[$0] }
  }

  static func read(_ file: FileBytes, _ header: ObjectHeader) throws(HDF5Error) -> AttributeTable {
    var records: [AttributeRecord] = []
    for message in header.messages where message.kind == .attribute {
      records.append(try AttributeRecord(try message.cursor(file, "an attribute")))
    }
    if let message = header.first(.attributeInfo) {
      var cursor = try message.cursor(file, "an attribute info message")
      _ = try cursor.version(0...0)
      // Creation order is not needed, only stepped over.
      if try cursor.u8() & 1 != 0 { try cursor.skip(2) }
      if let heap = try cursor.address() {
        records += try readDense(file, heap: heap, index: try cursor.definedAddress())
      }
    }
    return try AttributeTable(records)
  }

  private init(_ records: [AttributeRecord]) throws(HDF5Error) {
    var places: [LinkTable.Key: Int] = [:]
    places.reserveCapacity(records.count)
    for (place, record) in records.enumerated() {
      guard places.updateValue(place, forKey: LinkTable.Key(name: record.name)) == nil else {
        throw HDF5Error(.malformed, "has two attributes named '\(record.name)'")
      }
    }
    self.records = records
    self.places = places
  }

  /// Attributes in a fractal heap, found through the index of their names.
  private static func readDense(
    _ file: FileBytes, heap: Int, index: Int
  ) throws(HDF5Error) -> [AttributeRecord] {
    var claims = Claims(file)
    var heap = try FractalHeap(file, at: heap, &claims)
    let tree = try BTreeV2(file, at: index, .attributeNames, &claims)
    var records: [AttributeRecord] = []
    try tree.forEachRecord(&claims) { (record, claims) throws(HDF5Error) in
      var record = record
      let id = try record.take(heap.idSize)
      guard try record.u8() & 0x02 == 0 else {
        throw HDF5Error(.unsupported, "has an attribute that is shared with other objects")
      }
      let object = try heap.object(id, &claims)
      records.append(try AttributeRecord(Cursor(file, object, "an attribute")))
    }
    return records
  }
}

/// Where the parts of an attribute are, versions 1 to 3.
struct AttributeRecord: Sendable {
  let name: String
  let datatype: Range<Int>
  let dataspace: Range<Int>
  let data: Range<Int>
  /// Its datatype or dataspace is kept elsewhere.
  let isShared: Bool

  init(_ message: Cursor) throws(HDF5Error) {
    var cursor = message
    let version = try cursor.version(1...3)
    isShared = try cursor.u8() & 3 != 0 && version > 1
    let sizes = (Int(try cursor.u16()), Int(try cursor.u16()), Int(try cursor.u16()))
    // The character set: both sets are read as UTF-8.
    if version == 3 { try cursor.skip(1) }
    // Version 1 pads every part to a multiple of 8.
    func padding(_ size: Int) -> Int { version == 1 ? (8 - size % 8) % 8 : 0 }
    name = try cursor.name(sizes.0)
    try cursor.skip(padding(sizes.0))
    datatype = try cursor.take(sizes.1)
    try cursor.skip(padding(sizes.1))
    dataspace = try cursor.take(sizes.2)
    try cursor.skip(padding(sizes.2))
    data = cursor.position..<cursor.end
  }
}
