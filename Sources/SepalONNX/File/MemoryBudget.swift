/// What reading a file may allocate: a constant for small files, beyond that in proportion to the file.
///
/// Two bytes are enough to declare a node, whose in-memory form takes hundreds; without a limit a small file
/// could exhaust the memory.
struct MemoryBudget {
  private var left: Int
  private var scratch = 0

  /// Together with the program and the mapped file this stays below 64 MB + 4 · `fileSize`.
  init(fileSize: Int) {
    left = 40 << 20 + 3 * fileSize
  }

  mutating func charge(_ bytes: Int) throws(ONNXError) {
    guard bytes <= left else {
      throw ONNXError(.limit, "declares more than the size of the file justifies")
    }
    left -= bytes
  }

  /// Charges for scratch memory that is kept and reused: only what goes beyond the most that was needed so far.
  mutating func chargeScratch(_ bytes: Int) throws(ONNXError) {
    guard bytes > scratch else { return }
    try charge(bytes - scratch)
    scratch = bytes
  }

  /// What scratch memory may grow to.
  var scratchLimit: Int { left + scratch }
}
