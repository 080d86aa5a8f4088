#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The processor that this runs on.
enum Processor {
  /// Its name as the system states it; `unknown` where it does not.
  static func name() -> String {
    #if canImport(Darwin)
      var length = 0
      guard sysctlbyname("machdep.cpu.brand_string", nil, &length, nil, 0) == 0, length > 1 else {
        return "unknown"
      }
      var text = [UInt8](repeating: 0, count: length)
      guard sysctlbyname("machdep.cpu.brand_string", &text, &length, nil, 0) == 0 else { return "unknown" }
      return String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
    #else
      guard let file = fopen("/proc/cpuinfo", "r") else { return "unknown" }
      defer { fclose(file) }
      var line = [CChar](repeating: 0, count: 512)
      while fgets(&line, Int32(line.count), file) != nil {
        let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // `model name` on x86, `CPU part` on arm.
        guard text.hasPrefix("model name") || text.hasPrefix("CPU part"), let colon = text.firstIndex(of: ":")
        else { continue }
        let words = text[text.index(after: colon)...].split { $0 == " " || $0 == "\n" || $0 == "\t" }
        return words.joined(separator: " ")
      }
      return "unknown"
    #endif
  }
}
