import Sepal

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Standard streams.
struct FileHandle {
  static let error = FileHandle(descriptor: 2)

  let descriptor: Int32

  var isTerminal: Bool { isatty(descriptor) == 1 }

  func write(_ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { systemWrite(descriptor, $0.baseAddress, $0.count) }
      if count <= 0 { return }
      rest = rest.dropFirst(count)
    }
  }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
  #if canImport(Glibc)
    Glibc.write(descriptor, bytes, count)
  #elseif canImport(Musl)
    Musl.write(descriptor, bytes, count)
  #else
    Darwin.write(descriptor, bytes, count)
  #endif
}

/// Shows how far a long task is: on a terminal only, on one line that is gone afterwards.
struct ProgressLine {
  let label: String
  let total: Int

  func update(_ done: Int) {
    guard FileHandle.error.isTerminal, total > 1 else { return }
    FileHandle.error.write(done < total ? "\r\(label) \(done)/\(total)" : "\r\u{1B}[K")
  }
}

/// Writes a text file, which appears only when it is complete.
func write(_ text: String, to path: String) throws(SepalError) {
  do {
    let file = try AtomicFile(path: path)
    try file.write(Array(text.utf8))
    try file.commit()
  } catch {
    throw SepalError(.inaccessible, error.description)
  }
}
