/// Objects of a fractal heap that are too large for its blocks: each by itself in the file.
final class HugeObjects {
  private struct Place {
    let range: Range<Int>
    /// With filters: those that were left out, and the size of the object.
    let filtered: (mask: UInt32, size: Int)?
  }

  private let file: FileBytes
  private let index: Int?
  private let idSize: Int
  private let pipeline: FilterPipeline?
  /// By number; read when the first is asked for.
  private var places: [UInt64: Place]?
  private var inflatedBytes = 0

  init(_ file: FileBytes, index: Int?, idSize: Int, _ pipeline: FilterPipeline?) {
    self.file = file
    self.index = index
    self.idSize = idSize
    self.pipeline = pipeline
  }

  /// The object that an identifier, read up to its flags, names.
  func object(_ id: inout Cursor, _ claims: inout Claims) throws(HDF5Error) -> Extent {
    let place = try place(&id, &claims)
    let stored = Extent(file: file, range: place.range)
    guard let pipeline, let (mask, size) = place.filtered else { return stored }
    return try inflate(stored, pipeline, mask: mask, size: size, &inflatedBytes)
  }

  private func place(_ id: inout Cursor, _ claims: inout Claims) throws(HDF5Error) -> Place {
    // An identifier with room for it says where the object is, others hold its number.
    let directSize = file.offsetSize + file.lengthSize + (pipeline == nil ? 0 : 4 + file.lengthSize)
    if idSize - 1 >= directSize { return try read(&id) }
    if places == nil { places = try readAll(&claims) }
    guard let place = places?[try id.unsigned(min(idSize - 1, 8))] else {
      throw id.malformed("of a huge object that is not there")
    }
    return place
  }

  private func read(_ cursor: inout Cursor) throws(HDF5Error) -> Place {
    let (start, count) = (try cursor.definedAddress(), try cursor.length())
    let range = try file.range(at: start, count: count, of: "a huge heap object")
    return Place(
      range: range, filtered: pipeline == nil ? nil : (try cursor.u32(), try cursor.length()))
  }

  private func readAll(_ claims: inout Claims) throws(HDF5Error) -> [UInt64: Place] {
    guard let index else { return [:] }
    let tree = try BTreeV2(
      file, at: index, pipeline == nil ? .hugeObjects : .filteredHugeObjects, &claims)
    var places: [UInt64: Place] = [:]
    try tree.forEachRecord(&claims) { (record, _) throws(HDF5Error) in
      var record = record
      let place = try read(&record)
      places[try record.unsigned(file.lengthSize)] = place
    }
    return places
  }
}
