import Foundation
import SepalTensor

/// The files of `fixtures/hdf5_broken`; `fixtures/README.md` describes them.
enum BrokenFiles {
  /// File → words that must all be in one of its errors.
  static let refused = index?.refused ?? [:]
  /// What looks broken and is not.
  static let read = index?.read ?? []

  static func walk(_ name: String) throws -> Walk {
    Walk(try TensorStorage.mapping(path: folder.appendingPathComponent("\(name).h5").path))
  }

  private struct Index: Decodable {
    var refused: [String: [String]]
    var read: [String]
  }

  private static let folder = Corpus.folder.deletingLastPathComponent().appendingPathComponent("hdf5_broken")

  private static let index: Index? = {
    guard let data = try? Data(contentsOf: folder.appendingPathComponent("broken.json")) else { return nil }
    return try? JSONDecoder().decode(Index.self, from: data)
  }()
}
