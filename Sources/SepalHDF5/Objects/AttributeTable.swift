/// All attributes of one object, by name, in the order in which they are stored.
struct AttributeTable: Sendable {
  let records: [AttributeRecord]
  private let places: [LinkTable.Key: Int]

  subscript(name: String) -> AttributeRecord? {
    places[LinkTable.Key(name: name)].map { records[$0] }
  }

  static func read(
    _ file: FileBytes, _ header: ObjectHeader, _ claims: inout Claims, _ shared: inout SharedMessages
  ) throws(HDF5Error) -> AttributeTable {
    var records: [AttributeRecord] = []
    for message in header.messages where message.kind == .attribute {
      records.append(try AttributeRecord(try message.cursor(), &claims, &shared))
    }
    if let message = header.first(.attributeInfo) {
      var cursor = try message.cursor()
      _ = try cursor.version(0...0)
      // Creation order is not needed, only stepped over.
      if try cursor.u8() & 1 != 0 { try cursor.skip(2) }
      if let heap = try cursor.address() {
        let index = try cursor.definedAddress()
        records += try readDense(file, heap: heap, index: index, &claims, &shared)
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
    _ file: FileBytes, heap: Int, index: Int, _ claims: inout Claims, _ shared: inout SharedMessages
  ) throws(HDF5Error) -> [AttributeRecord] {
    let heap = try FractalHeap(file, at: heap, &claims)
    let tree = try BTreeV2(file, at: index, .attributeNames, &claims)
    var records: [AttributeRecord] = []
    try tree.forEachRecord(&claims) { (record, claims) throws(HDF5Error) in
      var record = record
      let id = try record.extent(heap.idSize)
      let isShared = try record.u8() & 0x02 != 0
      let object =
        isShared ? try shared.object(id, .attribute) : try heap.object(id, &claims)
      records.append(try AttributeRecord(Cursor(object, "an attribute"), &claims, &shared))
    }
    return records
  }
}

/// Where the parts of an attribute are, versions 1 to 3.
struct AttributeRecord: Sendable {
  let name: String
  /// Errors wait until the attribute is asked for.
  let datatype: Result<Extent, HDF5Error>
  let dataspace: Result<Extent, HDF5Error>
  let data: Extent

  init(
    _ message: Cursor, _ claims: inout Claims, _ shared: inout SharedMessages
  ) throws(HDF5Error) {
    var cursor = message
    let version = try cursor.version(1...3)
    // Reserved in version 1; then whether the datatype (1) and the dataspace (2) are shared.
    let reserved = try cursor.u8()
    let flags = version == 1 ? 0 : reserved
    let sizes = (Int(try cursor.u16()), Int(try cursor.u16()), Int(try cursor.u16()))
    // The character set: both sets are read as UTF-8.
    if version == 3 { try cursor.skip(1) }
    // Version 1 pads every part to a multiple of 8.
    func padding(_ size: Int) -> Int { version == 1 ? (8 - size % 8) % 8 : 0 }
    try claims.claim(byteCount: sizes.0, "an attribute's name")
    name = try cursor.name(sizes.0)
    try cursor.skip(padding(sizes.0))
    let datatype = try cursor.extent(sizes.1)
    try cursor.skip(padding(sizes.1))
    let dataspace = try cursor.extent(sizes.2)
    try cursor.skip(padding(sizes.2))
    data = cursor.rest
    func resolve(_ part: Extent, _ kind: HeaderMessage.Kind, _ bit: UInt8) -> Result<Extent, HDF5Error> {
      flags & bit == 0 ? .success(part) : shared.resolve(Cursor(part, kind.subject), kind)
    }
    self.datatype = resolve(datatype, .datatype, 1)
    self.dataspace = resolve(dataspace, .dataspace, 2)
  }
}
