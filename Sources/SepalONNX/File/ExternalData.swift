import SepalTensor

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Finds and maps the files that hold tensors outside the model, each once. Nothing outside the model's
/// folder is opened.
struct ExternalData {
  /// The entries that count; others, such as checksum, are commentary.
  static let keys: Set = ["location", "offset", "length"]

  /// nil for a model that was not read from a file.
  private let folder: String?
  private var mapped: [String: TensorStorage] = [:]
  /// Where each location that was mapped is.
  private var resolved: [String: String] = [:]

  /// Paths of the files that were mapped, each once, in byte order of their first locations.
  var paths: [String] {
    var seen: Set<String> = []
    return resolved.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map(\.value)
      .filter { seen.insert($0).inserted }
  }

  init(folder: String?) {
    self.folder = folder
  }

  /// The payload of a tensor from the entries of its `external_data`; the range lies inside the file.
  mutating func payload(_ entries: [String: String]) throws(ONNXError) -> ONNXTensor.Payload {
    guard let location = entries["location"], !location.isEmpty else {
      throw ONNXError(.externalData, "is external without a location")
    }
    let storage = try map(location)
    let offset = try number(entries, "offset") ?? 0
    let length = try number(entries, "length")
    let size = storage.bytes.count
    guard offset <= size, length.map({ $0 <= size - offset }) ?? true else {
      let range = length.map { "\($0) bytes at offset \(offset)" } ?? "offset \(offset)"
      throw ONNXError(.externalData, "wants \(range) of '\(location)', which has \(size) bytes")
    }
    return .external(storage, offset: offset, length: length)
  }

  private mutating func map(_ location: String) throws(ONNXError) -> TensorStorage {
    if let storage = mapped[location] { return storage }
    guard let folder else {
      throw ONNXError(
        .externalData,
        "lies in '\(location)', but the model was not read from a file that could stand beside it")
    }
    guard !location.hasPrefix("/"), !location.split(separator: "/").contains("..") else {
      throw ONNXError(.externalData, "lies in '\(location)', expected a path inside the model's folder")
    }
    guard let root = Self.resolve(folder), let path = Self.resolve("\(folder)/\(location)") else {
      throw ONNXError(.externalData, "lies in '\(location)', which cannot be found beside the model")
    }
    guard path.hasPrefix(root.hasSuffix("/") ? root : root + "/") else {
      throw ONNXError(.externalData, "lies in '\(location)', a link that leads out of the model's folder")
    }
    let storage: TensorStorage
    do {
      storage = try TensorStorage.mapping(path: path)
    } catch {
      throw ONNXError(.externalData, "lies in '\(location)', which \(error.message)")
    }
    mapped[location] = storage
    resolved[location] = path
    return storage
  }

  private func number(_ entries: [String: String], _ key: String) throws(ONNXError) -> Int? {
    guard let text = entries[key] else { return nil }
    guard let value = Int(text), value >= 0 else {
      throw ONNXError(.externalData, "has the external \(key) '\(text)', expected a number of bytes")
    }
    return value
  }

  /// The absolute path without symbolic links; nil when nothing is there.
  private static func resolve(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
