/// The structures that one reading has used.
///
/// In a sound file no two structures share bytes, but for a heap's blocks and the objects in them. What is read for
/// one purpose is therefore at most twice the file: a file built of cycles, of overlapping structures, or of many
/// references to one of them is refused before it costs more than its size justifies.
struct Claims {
  private let limit: Int
  private var total = 0
  private var starts: Set<Int> = []

  init(_ file: FileBytes) { limit = 2 * file.count }

  /// Claims a structure that nothing else may refer to.
  mutating func claim(_ range: Range<Int>, _ subject: StaticString) throws(HDF5Error) {
    guard starts.insert(range.lowerBound).inserted else {
      throw HDF5Error(.malformed, "has \(subject) at \(range.lowerBound) that is referred to twice")
    }
    try claim(byteCount: range.count, subject)
  }

  /// Claims bytes whose place does not matter.
  mutating func claim(byteCount: Int, _ subject: StaticString) throws(HDF5Error) {
    total += byteCount
    guard total <= limit else {
      throw HDF5Error(.malformed, "has \(subject) that shares its bytes with others")
    }
  }
}
