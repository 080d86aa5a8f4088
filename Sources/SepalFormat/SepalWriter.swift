import CSepalSchema
import SepalGraph
import SepalTensor
import SepalZip

/// How weights are laid out in the file.
public enum Storage: String, Sendable, CaseIterable {
  /// Smallest: byte planes deflated where that pays. Lossless.
  case compact
  /// As they are in memory, aligned: loading maps the file and copies nothing.
  case mmap
}

/// Element type in which float32 weights are stored.
public enum StoragePrecision: String, Sendable, CaseIterable {
  case f32
  /// Rounded to binary16; tensors with values outside its range stay float32.
  case f16
}

/// Writes a graph as a `.sepal` file.
public struct SepalWriter {
  public var storage: Storage
  public var precision: StoragePrecision
  /// Leave out where values and the graph come from, what was done to them and what the source computes.
  public var strips: Bool

  public init(storage: Storage = .compact, precision: StoragePrecision = .f32, strips: Bool = false) {
    self.storage = storage
    self.precision = precision
    self.strips = strips
  }

  /// Writes `graph` to `path`. The file appears only when it is complete.
  /// - Returns: the file's size in bytes.
  @discardableResult
  public func write(_ graph: Graph, to path: String) throws(FormatError) -> Int {
    if let value = graph.values.first(where: \.isDiscarded) {
      throw FormatError(.malformed, path: path, "the elements of constant '\(value.name)' were discarded")
    }
    do throws(FileError) {
      let file = try AtomicFile(path: path)
      try write(graph, to: file)
      try file.commit()
      return file.count
    } catch {
      throw FormatError(error.code == .missing ? .missing : .inaccessible, path: path, error.message)
    }
  }

  private func write(_ graph: Graph, to file: AtomicFile) throws(FileError) {
    var sections: [Section] = []
    try file.write([UInt8](repeating: 0, count: Layout.headerSize))

    let encoder = GraphEncoder(graph)
    let weightsStart = file.count
    let weights = HashingFile(file)
    var constants: [StoredConstant] = []
    for tensor in encoder.constants {
      constants.append(try write(tensor, to: weights, sectionStart: weightsStart))
    }
    let weightsLength = UInt64(file.count - weightsStart)
    sections.append(
      Section(
        type: SectionType.weights.rawValue, codec: SectionCodec.none.rawValue, offset: UInt64(weightsStart),
        storedLength: weightsLength, rawLength: weightsLength, crc32: 0, flags: [.critical, .itemChecksums]))

    try file.pad(to: Layout.alignment)
    let graphBytes = encoder.graphSection(constants)
    sections.append(try write(graphBytes, .graph, [.critical], to: file))
    if !strips {
      try file.pad(to: Layout.alignment)
      sections.append(try write(encoder.originsSection(), .origins, [], to: file))
      try file.pad(to: Layout.alignment)
      sections.append(try write(encoder.rewritesSection(), .rewrites, [], to: file))
      try file.pad(to: Layout.alignment)
      let golden = encoder.goldenSection(contentDigest: weights.digest(with: graphBytes))
      sections.append(try write(golden, .golden, [], to: file))
    }

    try file.pad(to: Layout.alignment)
    let tableOffset = file.count
    var table = FieldWriter()
    for section in sections {
      var entry = FieldWriter()
      entry.append(section.type)
      entry.append(section.codec)
      entry.append(section.offset)
      entry.append(section.storedLength)
      entry.append(section.rawLength)
      entry.append(section.crc32)
      entry.append(section.flags.rawValue)
      entry.pad(to: Layout.tableEntrySize)
      table.bytes += entry.bytes
    }
    try file.write(table.bytes)

    var header = FieldWriter(bytes: Layout.magic)
    header.append(Layout.majorVersion)
    header.append(Layout.minorVersion)
    header.append(UInt32(0))
    header.append(UInt64(file.count))
    header.append(UInt64(tableOffset))
    header.append(UInt32(sections.count))
    header.append(Zlib.crc32(table.bytes))
    header.pad(to: Layout.headerSize)
    try file.overwriteStart(with: header.bytes)
  }

  private func write(
    _ bytes: [UInt8], _ type: SectionType, _ flags: SectionFlags, to file: AtomicFile
  ) throws(FileError) -> Section {
    let isSmall = bytes.count <= Int(Layout.maximumInflatedLength)
    let deflated = isSmall ? bytes.withUnsafeBytes { Zlib.deflate($0) } : nil
    let stored = deflated ?? bytes
    let offset = file.count
    try file.write(stored)
    return Section(
      type: type.rawValue, codec: (deflated == nil ? SectionCodec.none : .deflate).rawValue,
      offset: UInt64(offset),
      storedLength: UInt64(stored.count), rawLength: UInt64(bytes.count), crc32: Zlib.crc32(stored),
      flags: flags)
  }

  private func write(
    _ tensor: Tensor, to file: HashingFile, sectionStart: Int
  ) throws(FileError) -> StoredConstant {
    if precision == .f16, let half = half(tensor) {
      try file.pad(to: Layout.alignment)
      return try half.withUnsafeBytes { (bytes) throws(FileError) in
        try store(bytes, .half, to: file, sectionStart)
      }
    }
    return try tensor.withUnsafeBytes { (bytes) throws(FileError) in
      if storage == .compact, let planes = BytePlanes.encode(bytes, elementSize: tensor.element.size) {
        let offset = file.count - sectionStart
        try file.write(planes)
        return StoredConstant(
          offset: UInt64(offset), length: UInt64(planes.count), codec: .planes, crc32: Zlib.crc32(planes))
      }
      try file.pad(to: Layout.alignment)
      return try store(bytes, .raw, to: file, sectionStart)
    }
  }

  private func store(
    _ bytes: UnsafeRawBufferPointer, _ codec: TensorCodec, to file: HashingFile, _ sectionStart: Int
  ) throws(FileError) -> StoredConstant {
    let offset = file.count - sectionStart
    try file.write(bytes)
    return StoredConstant(
      offset: UInt64(offset), length: UInt64(bytes.count), codec: codec, crc32: Zlib.crc32(bytes))
  }

  /// `graph` with its constants as a reader gets them back; nil where they are the same.
  public func lossy(_ graph: Graph) -> Graph? {
    guard precision == .f16 else { return nil }
    var graph = graph
    for value in graph.values {
      guard let tensor = value.constant, let half = half(tensor) else { continue }
      graph.replaceElements(of: value.id, by: half.converted(to: .float32))
    }
    return graph
  }

  /// The tensor in binary16, or nil where that would lose more than precision: other types, and values that
  /// would become infinite.
  private func half(_ tensor: Tensor) -> Tensor? {
    guard tensor.element == .float32, tensor.count > 0 else { return nil }
    let floats = tensor.floats()
    guard floats.allSatisfy({ !$0.isFinite || $0.magnitude < 65520 }) else { return nil }
    return tensor.converted(to: .float16)
  }
}

/// Where a constant went.
struct StoredConstant {
  var offset: UInt64
  var length: UInt64
  var codec: TensorCodec
  var crc32: UInt32
}
