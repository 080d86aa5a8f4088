import Foundation
import Sepal
import Testing

/// Committed models and arrays; `fixtures/README.md` describes them.
enum Fixtures {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../fixtures").standardized

  static func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  static func json<T: Decodable>(_ name: String, as: T.Type = T.self) throws -> T {
    try JSONDecoder().decode(T.self, from: Data(contentsOf: folder.appendingPathComponent(name)))
  }

  /// File names in a folder that end in `suffix`, without it.
  static func names(in name: String, suffix: String) -> [String] {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: path(name))) ?? []
    return all.filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) }.sorted()
  }
}

/// A path for a file that is gone after the test.
final class ScratchFile {
  let path: String

  init(_ suffix: String = ".sepal") {
    path = NSTemporaryDirectory() + "sepal-\(UUID().uuidString)\(suffix)"
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
