import SepalHDF5
import SepalTensor
import SepalZip
import Testing

/// Walks a file beside its expectation.
struct Comparison {
  let file: String
  let expected: [String: ExpectedObject]
  private var visited: Set<String> = []

  init(_ name: String) throws {
    file = name
    expected = try Corpus.expectations(name)
  }

  mutating func run(_ file: HDF5File) throws {
    try compare(.group(file.root), with: "/", at: "/")
    #expect(visited == Set(expected.keys), "\(self.file): objects that no link led to")
  }

  private mutating func compare(_ object: HDF5Object, with canonical: String, at path: String) throws {
    let entry = try #require(expected[canonical], "\(file): \(canonical)")
    let isFirst = visited.insert(canonical).inserted
    switch object {
    case .group(let group):
      #expect(entry.kind == "group" && group.path == path, "\(file): \(path)")
      // Links may lead back to a group that holds them.
      if isFirst { try compareLinks(of: group, with: entry) } else { _ = try group.linkNames() }
    case .dataset(let dataset):
      #expect(entry.kind == "dataset" && dataset.path == path, "\(file): \(path)")
      try compare(Elements(dataset), with: entry, at: path)
    }
    if isFirst { try compareAttributes(of: object, with: entry, at: path) }
  }

  private mutating func compareLinks(of group: HDF5Group, with entry: ExpectedObject) throws {
    let names = try group.linkNames()
    #expect(names == inCodePointOrder(names), "\(file): \(group.path)")
    if let digest = entry.linkDigest {
      let crc32 = Zlib.crc32(Array(names.map { $0 + "\n" }.joined().utf8))
      #expect(names.count == digest.count && crc32 == digest.crc32, "\(file): \(group.path)")
      for name in names { try follow(name, of: group, to: try #require(digest.target)) }
      return
    }
    let links = entry.links ?? [:]
    #expect(names == inCodePointOrder(Array(links.keys)), "\(file): \(group.path)")
    for name in names {
      switch try #require(links[name]) {
      case .unsupported(let words):
        expectRefusal(words, at: join(group.path, name)) { _ = try group.object(name) }
      case .object(let target): try follow(name, of: group, to: target)
      }
    }
    #expect(try group.object("no such link") == nil)
  }

  private mutating func follow(_ name: String, of group: HDF5Group, to target: String) throws {
    let path = join(group.path, name)
    if let words = expected[target]?.unsupported {
      visited.insert(target)
      expectRefusal(words, at: path) {
        switch try group.object(name) {
        case .dataset(let dataset): _ = (try dataset.tensor(), try dataset.attributeNames())
        case .group(let group): _ = try group.linkNames()
        case nil: break
        }
      }
    } else {
      try compare(try #require(try group.object(name), "\(file): \(path)"), with: target, at: path)
    }
  }

  private func compareAttributes(
    of object: HDF5Object, with entry: ExpectedObject, at path: String
  ) throws {
    let names: [String]
    let attribute: (String) throws -> HDF5Attribute?
    switch object {
    case .group(let group): (names, attribute) = (try group.attributeNames(), group.attribute)
    case .dataset(let dataset): (names, attribute) = (try dataset.attributeNames(), dataset.attribute)
    }
    let sorted = inCodePointOrder(names)
    #expect(try attribute("no such attribute") == nil)
    if let digest = entry.attributeDigest {
      var bytes: [UInt8] = []
      for name in sorted {
        let found = Elements(try #require(try attribute(name), "\(file): \(path)@\(name)"))
        bytes += Array((name + "\n").utf8) + (try found.bytes())
      }
      #expect(
        names.count == digest.count && Zlib.crc32(bytes) == digest.crc32, "\(file): attributes of \(path)")
      return
    }
    let expected = entry.attributes ?? [:]
    #expect(sorted == inCodePointOrder(Array(expected.keys)), "\(file): attributes of \(path)")
    for (name, entry) in expected {
      let place = "\(path)@\(name)"
      if let words = entry.unsupported {
        expectRefusal(words, at: place) { _ = try attribute(name)?.tensor() }
      } else {
        let found = try #require(try attribute(name), "\(file): \(place)")
        #expect(found.name == name)
        try compare(Elements(found), with: entry, at: place)
      }
    }
  }

  private func compare(_ found: Elements, with entry: ExpectedObject, at place: String) throws {
    let dtype = found.datatype.element?.name ?? "string"
    #expect(dtype == entry.dtype, "\(file): \(place)")
    #expect(found.isNull == (entry.shape == nil), "\(file): \(place)")
    #expect(found.shape == entry.shape ?? [0], "\(file): \(place)")
    // Numbers are never read as strings, nor strings as numbers.
    #expect(throws: HDF5Error.self, "\(file): \(place)") {
      if dtype == "string" { _ = try found.tensor() } else { _ = try found.strings() }
    }
    if entry.unwritten == true {
      #expect(throws: HDF5Error.self, "\(file): \(place)") { _ = try found.bytes() }
    } else if entry.unspecified != true {
      let bytes = try found.bytes()
      if let hex = entry.hex { #expect(bytes == parse(hex), "\(file): \(place)") }
      if let strings = entry.strings { #expect(try found.strings() == strings, "\(file): \(place)") }
      if let crc32 = entry.crc32 { #expect(Zlib.crc32(bytes) == crc32, "\(file): \(place)") }
    }
  }

  private func expectRefusal(_ words: [String], at place: String, _ body: () throws -> Void) {
    do {
      try body()
      Issue.record("\(file): \(place) is read, expected an error with \(words)")
    } catch let error as HDF5Error {
      #expect(error.code == .unsupported && error.object == place, "\(file): \(place): \(error)")
      for word in words { #expect(error.message.contains(word), "\(file): \(place): \(error)") }
    } catch {
      Issue.record("\(file): \(place): \(error)")
    }
  }
}

/// What datasets and attributes have in common.
private struct Elements {
  let datatype: HDF5Datatype
  let shape: [Int]
  let isNull: Bool
  let tensor: () throws(HDF5Error) -> Tensor
  let strings: () throws(HDF5Error) -> [String]

  init(_ dataset: HDF5Dataset) {
    (datatype, shape, isNull) = (dataset.datatype, dataset.shape, dataset.isNull)
    (tensor, strings) = (dataset.tensor, dataset.strings)
  }

  init(_ attribute: HDF5Attribute) {
    (datatype, shape, isNull) = (attribute.datatype, attribute.shape, attribute.isNull)
    (tensor, strings) = (attribute.tensor, attribute.strings)
  }

  /// Numbers little-endian and row-major, as tensors are on every platform; strings each with a null behind it.
  func bytes() throws -> [UInt8] {
    guard datatype.element != nil else { return try strings().flatMap { Array($0.utf8) + [0] } }
    let tensor = try tensor()
    #expect(tensor.shape == shape && tensor.element == datatype.element)
    return tensor.withUnsafeBytes { Array($0) }
  }
}

private func join(_ path: String, _ name: String) -> String { path == "/" ? "/\(name)" : "\(path)/\(name)" }

private func parse(_ hex: String) -> [UInt8] {
  let digits = Array(hex.utf8).map { $0 < 58 ? $0 - 48 : $0 - 87 }
  return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}
