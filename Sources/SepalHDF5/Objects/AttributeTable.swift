/// All attributes of one object, by name, in the order in which they are stored.
struct AttributeTable: Sendable {
  let records: [AttributeRecord]
  private let places: [LinkTable.Key: Int]

  subscript(name: String) -> AttributeRecord? {
    places[LinkTable.Key(name: name)].map { records[$0] }
  }

  static func read(
    _ header: ObjectHeader, _ shared: inout SharedMessages
  ) throws(HDF5Error) -> AttributeTable {
    var records: [AttributeRecord] = []
    for message in header.messages where message.kind == .attribute {
      records.append(try AttributeRecord(try shared.cursor(message, "an attribute")))
    }
    if let message = header.first(.attributeInfo) {
      var cursor = try message.cursor(shared.file, "an attribute info message")
      _ = try cursor.version(0...0)
      // Creation order is not needed, only stepped over.
      if try cursor.u8() & 1 != 0 { try cursor.skip(2) }
      if let heap = try cursor.address() {
        records += try readDense(heap: heap, index: try cursor.definedAddress(), &shared)
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
    heap: Int, index: Int, _ shared: inout SharedMessages
  ) throws(HDF5Error) -> [AttributeRecord] {
    var claims = Claims(shared.file)
    let heap = try FractalHeap(shared.file, at: heap, &claims)
    let tree = try BTreeV2(shared.file, at: index, .attributeNames, &claims)
    var records: [AttributeRecord] = []
    try tree.forEachRecord(&claims) { (record, claims) throws(HDF5Error) in
      var record = record
      let id = try record.extent(heap.idSize)
      let isShared = try record.u8() & 0x02 != 0
      records.append(
        try AttributeRecord(
          isShared
            ? try shared.cursor(id: id, .attribute, "an attribute")
            : try heap.object(id, "an attribute", &claims)))
    }
    return records
  }
}

/// Where the parts of an attribute are, versions 1 to 3.
struct AttributeRecord: Sendable {
  let name: String
  let datatype: Extent
  let dataspace: Extent
  let data: Extent
  /// `datatype` and `dataspace` are references to messages that are kept elsewhere.
  let isDatatypeShared: Bool
  let isDataspaceShared: Bool

  init(_ message: Cursor) throws(HDF5Error) {
    var cursor = message
    let version = try cursor.version(1...3)
    // Reserved in version 1.
    let flags = try cursor.u8()
    isDatatypeShared = version > 1 && flags & 1 != 0
    isDataspaceShared = version > 1 && flags & 2 != 0
    let sizes = (Int(try cursor.u16()), Int(try cursor.u16()), Int(try cursor.u16()))
    // The character set: both sets are read as UTF-8.
    if version == 3 { try cursor.skip(1) }
    // Version 1 pads every part to a multiple of 8.
    func padding(_ size: Int) -> Int { version == 1 ? (8 - size % 8) % 8 : 0 }
    name = try cursor.name(sizes.0)
    try cursor.skip(padding(sizes.0))
    datatype = try cursor.extent(sizes.1)
    try cursor.skip(padding(sizes.1))
    dataspace = try cursor.extent(sizes.2)
    try cursor.skip(padding(sizes.2))
    data = cursor.rest
  }
}
