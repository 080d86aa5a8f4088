#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The caches of one core, in bytes.
struct CacheSizes: Sendable {
  var secondLevel: Int

  static let current = CacheSizes(secondLevel: measuredSecondLevel() ?? 512 << 10)

  private static func measuredSecondLevel() -> Int? {
    #if canImport(Darwin)
      var size = 0
      var length = MemoryLayout<Int>.size
      let found = sysctlbyname("hw.perflevel0.l2cachesize", &size, &length, nil, 0)
      return found == 0 && size > 0 ? size : nil
    #elseif canImport(Glibc)
      let size = sysconf(Int32(_SC_LEVEL2_CACHE_SIZE))
      return size > 0 ? size : nil
    #else
      return nil
    #endif
  }
}
