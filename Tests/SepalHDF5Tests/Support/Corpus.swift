import Foundation
import SepalTensor
import SepalZip

/// The files of `fixtures/hdf5` and what h5py read back from them; `fixtures/README.md` describes both.
enum Corpus {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../../fixtures/hdf5").standardized

  static let names: [String] = {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return all.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()
  }()

  static func bytes(_ name: String) throws -> [UInt8] {
    let plain = folder.appendingPathComponent("\(name).h5")
    if let data = try? Data(contentsOf: plain) { return Array(data) }
    return try gunzip(Array(Data(contentsOf: folder.appendingPathComponent("\(name).h5.gz"))))
  }

  static func expectations(_ name: String) throws -> [String: ExpectedObject] {
    struct File: Decodable { var objects: [String: ExpectedObject] }
    let data = try Data(contentsOf: folder.appendingPathComponent("\(name).json"))
    return try JSONDecoder().decode(File.self, from: data).objects
  }

  /// One member without a name, as the generator writes it: a header of 10 bytes, then deflate, crc32 and length.
  private static func gunzip(_ bytes: [UInt8]) throws -> [UInt8] {
    let length = bytes.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    var output = [UInt8](repeating: 0, count: length)
    try bytes.withUnsafeBytes { source in
      try output.withUnsafeMutableBytes { target in
        try Zlib.inflate(UnsafeRawBufferPointer(rebasing: source[10..<source.count - 8]), .raw, into: target)
      }
    }
    return output
  }
}

/// A group, a dataset or an attribute of an expectation file.
struct ExpectedObject: Decodable {
  struct Digest: Decodable {
    var count: Int
    var crc32: UInt32
    /// The object that all links lead to.
    var target: String?
  }

  enum Link: Decodable {
    case object(String)
    case unsupported([String])

    init(from decoder: any Decoder) throws {
      struct Refusal: Decodable { var unsupported: [String] }
      if let path = try? decoder.singleValueContainer().decode(String.self) {
        self = .object(path)
      } else {
        self = .unsupported(try Refusal(from: decoder).unsupported)
      }
    }
  }

  enum CodingKeys: String, CodingKey {
    case kind, links, attributes, dtype, shape, hex, strings, crc32, unwritten, unspecified, unsupported
    case linkDigest = "link_digest"
    case attributeDigest = "attribute_digest"
  }

  var kind: String?
  var links: [String: Link]?
  var linkDigest: Digest?
  var attributes: [String: ExpectedObject]?
  var attributeDigest: Digest?
  var dtype: String?
  var shape: [Int]?
  var hex: String?
  var strings: [String]?
  var crc32: UInt32?
  /// Nothing was written and there is no fill value: an error.
  var unwritten: Bool?
  /// Parts were never written and never filled: any values.
  var unspecified: Bool?
  /// Words that the error must hold.
  var unsupported: [String]?
}

extension [UInt8] {
  var storage: TensorStorage {
    withUnsafeBytes { bytes in TensorStorage(byteCount: bytes.count) { $0.copyMemory(from: bytes) } }
  }
}

/// Sorts as the generator does: by code points.
func inCodePointOrder(_ names: [String]) -> [String] {
  names.sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
}
