/// What reading a file may allocate: a constant for small files, beyond that in proportion to the file.
///
/// Two bytes are enough to declare a node, whose in-memory form takes hundreds; without a limit a small file
/// could exhaust the memory.
struct MemoryBudget {
  private(set) var left: Int

  /// Together with the mapped file itself and the program this stays below 64 MB + 4 · `fileSize`.
  init(fileSize: Int) {
    left = 40 << 20 + 2 * fileSize
  }

  mutating func charge(_ bytes: Int) throws(ONNXError) {
    guard bytes <= left else {
      throw ONNXError(.limit, "declares more than the size of the file justifies")
    }
    left -= bytes
  }
}
