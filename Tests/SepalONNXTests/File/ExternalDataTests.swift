import Foundation
import SepalONNX
import SepalTensor
import Testing

/// A folder with `model/`, a `secret` beside it, and `model/weights.bin` of 32 bytes: floats 0 … 7.
final class ModelFolder {
  let root = FileManager.default.temporaryDirectory.appendingPathComponent("sepal-\(UUID().uuidString)")
  var folder: URL { root.appendingPathComponent("model") }

  init() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let data = Data(Wire.littleEndian((0..<8).map(Float.init)))
    try data.write(to: folder.appendingPathComponent("weights.bin"))
    try data.write(to: root.appendingPathComponent("secret"))
  }

  deinit { try? FileManager.default.removeItem(at: root) }

  /// The initializer of a model in the folder whose external data has the given entries.
  func tensor(
    _ entries: [(String, String)], dims: [Int64] = [2], type: ONNXDataType = .float
  ) throws -> Tensor {
    let external = entries.map { Wire().string(1, $0.0).string(2, $0.1) }
    let wire = Wire.tensor("w", type, dims).messages(13, external).int(14, 1)
    let model = folder.appendingPathComponent("model.onnx")
    try Data(Wire.model(.graph(initializers: [wire])).bytes).write(to: model)
    return try ONNXModel(contentsOf: model.path).graph.initializers[0].tensor()
  }

  /// The files that a model with a tensor at each location says that it consists of, besides itself.
  func files(locations: [String]) throws -> [String] {
    let wires = locations.enumerated().map { index, location in
      Wire.tensor("w\(index)", .float, [2]).messages(13, [Wire().string(1, "location").string(2, location)])
        .int(14, 1)
    }
    let model = folder.appendingPathComponent("model.onnx")
    try Data(Wire.model(.graph(initializers: wires)).bytes).write(to: model)
    return try ONNXModel(contentsOf: model.path).externalFiles.map { ($0 as NSString).lastPathComponent }
  }
}

@Suite struct ExternalDataTests {
  @Test func rangesOfTheFileAreFound() throws {
    let folder = try ModelFolder()
    let location = ("location", "weights.bin")
    #expect(try folder.tensor([location, ("offset", "8"), ("length", "8")]).floats() == [2, 3])
    #expect(try folder.tensor([location, ("offset", "4")]).floats() == [1, 2])
    #expect(try folder.tensor([location], dims: [8]).floats() == [0, 1, 2, 3, 4, 5, 6, 7])
    #expect(try folder.tensor([location, ("length", "32"), ("checksum", "x")], dims: [8]).count == 8)
    #expect(try folder.tensor([location, ("offset", "32"), ("length", "0")], dims: [0]).count == 0)
    #expect(try folder.tensor([("location", "./weights.bin"), ("length", "8")]).floats() == [0, 1])
  }

  @Test func theFilesAreListedOnceInTheOrderOfTheirLocations() throws {
    let folder = try ModelFolder()
    try Data(count: 8).write(to: folder.folder.appendingPathComponent("a.bin"))
    #expect(try folder.files(locations: []) == [])
    #expect(
      try folder.files(locations: ["weights.bin", "a.bin", "./weights.bin", "a.bin"])
        == ["weights.bin", "a.bin"])
    #expect(try folder.files(locations: ["weights.bin", "a.bin"]) == ["a.bin", "weights.bin"])
  }

  @Test func aLinkInsideTheFolderIsFollowed() throws {
    let folder = try ModelFolder()
    try FileManager.default.createSymbolicLink(
      atPath: folder.folder.appendingPathComponent("link").path, withDestinationPath: "weights.bin")
    #expect(try folder.tensor([("location", "link"), ("length", "8")]).floats() == [0, 1])
  }

  @Test func nothingOutsideTheFolderIsOpened() throws {
    let folder = try ModelFolder()
    let files = FileManager.default
    let inside = { folder.folder.appendingPathComponent($0).path }
    try files.createSymbolicLink(atPath: inside("climb"), withDestinationPath: "../secret")
    try files.createSymbolicLink(atPath: inside("up"), withDestinationPath: "..")
    let sibling = folder.root.appendingPathComponent("model-too")
    try files.createDirectory(at: sibling, withIntermediateDirectories: true)
    try Data(count: 32).write(to: sibling.appendingPathComponent("w"))
    try files.createSymbolicLink(atPath: inside("sibling"), withDestinationPath: "../model-too/w")
    let locations = [
      "../secret", "../model/weights.bin", "a/../weights.bin", "..", folder.root.path + "/secret",
      "/dev/zero",
      inside("weights.bin"), "climb", "up/secret", "sibling", "", ".", "none", "weights.bin/x",
    ]
    for location in locations {
      let error = #expect(throws: ONNXError.self, "\(location)") {
        try folder.tensor([("location", location), ("length", "8")])
      }
      #expect(error?.code == .externalData, "\(location)")
      #expect(error?.tensor == "w", "\(location)")
    }
  }

  @Test func aPipeIsRefusedWithoutWaitingForIt() throws {
    let folder = try ModelFolder()
    #expect(mkfifo(folder.folder.appendingPathComponent("pipe").path, 0o600) == 0)
    let error = #expect(throws: ONNXError.self) { try folder.tensor([("location", "pipe")]) }
    #expect(error?.message == "lies in 'pipe', which is not a regular file, expected a file")
  }

  @Test func rangesOutsideTheFileAndWrongLengthsAreRefused() throws {
    let folder = try ModelFolder()
    let cases: [(String?, String?)] = [
      ("28", "8"), ("33", nil), ("28", nil), ("0", "33"), ("0", "4"), ("0", "12"), ("-4", "8"), ("0", "-8"),
      ("9223372036854775807", "9223372036854775807"), ("99999999999999999999", "8"), ("x", "8"), ("", "8"),
      ("0x8", "8"), (" 8", "8"),
    ]
    for (offset, length) in cases {
      let entries =
        [("location", "weights.bin")] + (offset.map { [("offset", $0)] } ?? [])
        + (length.map { [("length", $0)] } ?? [])
      let error = #expect(throws: ONNXError.self, "\(entries)") { try folder.tensor(entries) }
      #expect(error?.code == .externalData, "\(entries)")
    }
  }

  @Test func aModelInMemoryHasNoNeighbours() {
    let wire = Wire.tensor("w", .float, [2]).int(14, 1).message(
      13, Wire().string(1, "location").string(2, "a"))
    #expect(rejection(wire)?.code == .externalData)
    #expect(rejection(Wire.tensor("w", .float, [2]).int(14, 1))?.code == .externalData)
  }
}
