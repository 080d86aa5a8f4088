import Foundation
import SepalHDF5
import SepalTensor
import SepalZip
import Testing

/// A recorded model taken apart, whatever container it is in.
extension RecordedModel {
  private var path: String { Fixtures.path("keras_layers/\(file)") }

  /// What `model.to_json()` would give.
  func architecture() throws -> [String: Any] {
    let data: Data
    if file.hasSuffix(".keras") {
      data = try member("config.json")
    } else if file.hasSuffix(".h5") {
      let text = try #require(try HDF5File(path: path).root.attribute("model_config")?.strings().first)
      data = Data(text.utf8)
    } else {
      data = try Data(contentsOf: URL(fileURLWithPath: path))
    }
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  /// Hands over a file to give as the weights beside `architecture()`.
  func withWeights(_ body: (String?) throws -> Void) throws {
    guard file.hasSuffix(".keras") else {
      return try body(file.hasSuffix(".h5") ? path : weights.map { Fixtures.path("keras_layers/\($0)") })
    }
    let scratch = FileManager.default.temporaryDirectory.appendingPathComponent(
      "sepal-\(UUID().uuidString).h5")
    try member("model.weights.h5").write(to: scratch)
    defer { try? FileManager.default.removeItem(at: scratch) }
    try body(scratch.path)
  }

  private func member(_ name: String) throws -> Data {
    let zip = try ZipArchive(try TensorStorage.mapping(path: path))
    let (storage, range) = try zip.contents(of: try #require(zip[name]))
    return withExtendedLifetime(storage) { Data(storage.bytes[range]) }
  }
}
