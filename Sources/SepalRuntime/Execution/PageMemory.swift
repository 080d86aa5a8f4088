#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Large blocks of memory, in large pages where the system has them: weights are read once a run from end to end, and
/// would otherwise wait for address translation as much as for the bytes.
enum PageMemory {
  private static let pageBytes = 2 << 20

  static func allocate(byteCount: Int) -> UnsafeMutableRawPointer {
    guard byteCount >= pageBytes else { return .allocate(byteCount: max(byteCount, 64), alignment: 64) }
    let block = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: pageBytes)
    #if os(Linux)
      // MADV_HUGEPAGE, for what fills large pages. A system that refuses serves small ones.
      _ = madvise(block, byteCount / pageBytes * pageBytes, 14)
    #endif
    return block
  }
}
