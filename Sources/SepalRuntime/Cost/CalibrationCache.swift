import SepalTensor

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Where a machine's rates are kept from run to run: one small text file for each processor and instruction set.
///
/// A file that cannot be read, is damaged, or is of another version counts as none. Numbers are written so that they are
/// read back with the same bits.
public struct CalibrationCache: Sendable, Hashable {
  public let folder: String

  public init(folder: String) { self.folder = folder }

  /// `sepal` in `$XDG_CACHE_HOME`, otherwise in `~/.cache`; nil where neither is an absolute path.
  public static var standard: CalibrationCache? {
    func folder(_ variable: String, _ rest: String) -> String? {
      guard let text = getenv(variable).map({ String(cString: $0) }), text.hasPrefix("/") else { return nil }
      return text + rest
    }
    return (folder("XDG_CACHE_HOME", "") ?? folder("HOME", "/.cache")).map {
      CalibrationCache(folder: $0 + "/sepal")
    }
  }

  /// What rates belong to.
  package struct Key: Sendable, Hashable {
    package var processor: String
    package var instructionSet: String

    package init(processor: String, instructionSet: String) {
      // One line, and no more than a file's name can hold.
      self.processor = String(processor.unicodeScalars.prefix(80).filter { $0.value >= 32 && $0.value < 127 })
      self.instructionSet = instructionSet
    }

    fileprivate var fileName: String {
      let words = processor.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
      return "rates-\((words.map(String.init) + [instructionSet]).joined(separator: "-")).txt"
    }
  }

  /// Counts changes of the file, of the families and their terms, and of the kernels' speed.
  private static let version = 1
  private static let mostBytes = 1 << 16

  package func path(_ key: Key) -> String { "\(folder)/\(key.fileName)" }

  package func read(_ key: Key) -> MachineRates? {
    guard let storage = try? TensorStorage.mapping(path: path(key)), storage.bytes.count <= Self.mostBytes
    else { return nil }
    let text = withExtendedLifetime(storage) { String(decoding: storage.bytes, as: UTF8.self) }
    return Self.rates(text, key)
  }

  /// - Returns: whether the rates were written; where not, they are measured again next time.
  @discardableResult
  package func write(_ rates: MachineRates, _ key: Key) -> Bool {
    makeFolders()
    do throws(FileError) {
      let file = try AtomicFile(path: path(key))
      try file.write(Array(Self.text(rates, key).utf8))
      try file.commit()
      return true
    } catch {
      return false
    }
  }

  private func makeFolders() {
    for (index, character) in zip(folder.indices, folder) where character == "/" && index > folder.startIndex
    {
      mkdir(String(folder[..<index]), 0o755)
    }
    mkdir(folder, 0o755)
  }

  private static func head(_ key: Key) -> [String] {
    ["sepal machine rates \(version)", "processor \(key.processor)", "instructions \(key.instructionSet)"]
  }

  static func text(_ rates: MachineRates, _ key: Key) -> String {
    var lines = head(key)
    for family in KernelLoad.Family.allCases {
      for (term, rate) in zip(family.terms, rates.rates[family] ?? []) {
        lines.append("\(family.rawValue) \(term) \(rate)")
      }
    }
    let body = lines.map { $0 + "\n" }.joined()
    return body + "checksum \(checksum(body))\n"
  }

  /// Nil unless `text` is what `text(_:_:)` writes for the same key and this version.
  static func rates(_ text: String, _ key: Key) -> MachineRates? {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard text.hasSuffix("\n"), lines.removeLast().isEmpty, let last = lines.popLast(),
      last == "checksum \(checksum(lines.map { $0 + "\n" }.joined()))",
      Array(lines.prefix(3)) == head(key)
    else { return nil }
    var rest = lines.dropFirst(3)
    var rates: [KernelLoad.Family: [Double]] = [:]
    for family in KernelLoad.Family.allCases {
      for term in family.terms {
        guard let words = rest.popFirst()?.split(separator: " "), words.count == 3,
          words[0] == family.rawValue,
          words[1] == term, let rate = Double(words[2])
        else { return nil }
        rates[family, default: []].append(rate)
      }
    }
    return rest.isEmpty ? MachineRates(rates) : nil
  }

  /// FNV-1a.
  private static func checksum(_ text: String) -> UInt64 {
    text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }
}
