import Foundation
import SepalGraph
import SepalImages
import SepalNumpy
import SepalTensor
import Testing

/// Files and recipes give what Pillow gives.
struct ImageTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../fixtures/images").standardized
  static func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
  static func arrays(_ name: String) -> [String: Tensor] { (try? NumpyFile.read(path: path(name))) ?? [:] }

  @Test(arguments: arrays("decoded.npz").keys.sorted())
  func pixelsAreThoseThatPillowReads(name: String) throws {
    let expected = try #require(Self.arrays("decoded.npz")[name])
    let image = try Image(path: Self.path(name))
    #expect([image.height, image.width, 3] == expected.shape)
    // Decoders of different versions round differently here and there.
    // Of 16 bits Pillow takes the upper 8, libpng the nearest.
    let limit = name.hasSuffix("_16.png") ? 1.0 : name.hasSuffix(".png") ? 0.0 : 2.0
    let worst = zip(image.pixels, expected.doubles()).reduce(0) { max($0, (Double($1.0) - $1.1).magnitude) }
    #expect(worst <= limit)
  }

  @Test(arguments: ImagePreprocessing.allCases, [true, false])
  func recipesGiveWhatPillowAndNumPyGive(recipe: ImagePreprocessing, isLast: Bool) throws {
    let expected = try #require(Self.arrays("recipes.npz")["\(recipe.rawValue):\(isLast ? "last" : "first")"])
    let image = try Image(path: Self.path("photo.jpg"))
    let tensor = try recipe.tensor(of: image, as: TensorType(.float32, expected.shape))
    // Two levels of 255 for the decoder, one for rounding.
    let level =
      recipe == .raw ? 1.0 : recipe == .unit ? 1 / 255.0 : recipe == .tf ? 2 / 255.0 : 1 / 255.0 / 0.224
    expectClose(tensor, expected, limit: 3 * level, mean: 0.3 * level)
  }

  @Test(arguments: arrays("resized.npz").keys.sorted())
  func resizingGivesWhatPillowGives(size: String) throws {
    let pixels = try #require(Self.arrays("resized.npz")[size])
    let type = TensorType(.uint8, pixels.shape)
    let image = try Image(path: Self.path("rgb.png"))
    let tensor = try ImagePreprocessing.raw.tensor(of: image, as: type)
    // Pillow 13 begins with the columns where that is less work; here it is always the rows.
    let columnsFirst = pixels.shape[1] < image.height && pixels.shape[2] > image.width
    expectClose(tensor, pixels, limit: columnsFirst ? 1 : 0, mean: columnsFirst ? 0.2 : 0)
  }

  @Test func aCentreWiderThanTheImageIsPaddedWithBlack() throws {
    let expected = try #require(Self.arrays("recipes.npz")["torchvision:last:padded"])
    let tensor = try ImagePreprocessing.torchvision.tensor(
      of: Image(path: Self.path("rgb.png")), as: TensorType(.float32, expected.shape))
    expectClose(tensor, expected, limit: 1e-6, mean: 1e-6)
  }

  /// What the shorter side grows to makes the longer one 16 million pixels, of which the centre is wanted.
  @Test(arguments: ["tall.png", "wide.png"], ImagePreprocessing.allCases)
  func longImagesTakeLittleMemory(name: String, recipe: ImagePreprocessing) throws {
    let tensor = try recipe.tensor(
      of: Image(path: Self.path(name)), as: TensorType(.float32, [1, 3, 224, 224]))
    let plane = 224 * 224
    let values = tensor.doubles()
    #expect((0..<3).allSatisfy { Set(values[$0 * plane..<($0 + 1) * plane]).count == 1 })
  }

  @Test func imagesAreKnownByTheirFirstBytes() throws {
    let path = NSTemporaryDirectory() + "sepal-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect(!Image.isImage(path))
    #expect(Image.isImage("\(path).JPG"))
    try FileManager.default.copyItem(atPath: Self.path("gray.png"), toPath: path)
    #expect(Image.isImage(path))
    #expect(!Image.isImage(Self.path("decoded.npz")))
  }

  @Test func greyInputsAreWeighted() throws {
    let expected = try #require(Self.arrays("recipes.npz")["unit1:last"])
    let tensor = try ImagePreprocessing.unit.tensor(
      of: Image(path: Self.path("photo.jpg")), as: TensorType(.float32, expected.shape))
    expectClose(tensor, expected, limit: 3 / 255, mean: 0.3 / 255)
  }

  @Test func smallImagesGrow() throws {
    let expected = try #require(Self.arrays("recipes.npz")["raw:last:small"])
    let image = try Image(path: Self.path("small.png"))
    let tensor = try ImagePreprocessing.raw.tensor(of: image, as: TensorType(.float32, expected.shape))
    #expect(tensor.isIdentical(to: expected))
    let bytes = try ImagePreprocessing.raw.tensor(of: image, as: TensorType(.uint8, expected.shape))
    #expect(bytes.doubles() == expected.doubles())
  }

  private func expectClose(_ actual: Tensor, _ expected: Tensor, limit: Double, mean: Double) {
    let differences = zip(actual.doubles(), expected.doubles()).map { ($0 - $1).magnitude }
    #expect(actual.shape == expected.shape)
    #expect(differences.allSatisfy { $0 <= limit })
    #expect(differences.reduce(0, +) / Double(differences.count) <= mean)
  }

  @Test(arguments: [
    (ImagePreprocessing.unit, TensorType(.float32, [1, 224])), (.unit, TensorType(.float32, [2, 3, 8, 8])),
    (.unit, TensorType(.float32, [1, 4, 8, 8])), (.unit, TensorType(.float32, [1, 3, 8, 3])),
    (.unit, TensorType(.uint8, [1, 3, 8, 8])), (.torchvision, TensorType(.float32, [1, 1, 8, 8])),
    (.raw, TensorType(.int64, [1, 3, 8, 8])), (.raw, TensorType(.float32, [1, 3, 0, 8])),
  ])
  func whatNoImageFitsIsRefused(recipe: ImagePreprocessing, type: TensorType) throws {
    let image = try Image(path: Self.path("small.png"))
    let error = #expect(throws: ImageError.self) { try recipe.tensor(of: image, as: type) }
    #expect(error?.code == .unsuitable)
  }
}

/// Files that are broken or too large are refused, whatever they hold.
struct HostileImageTests {
  private func read(_ bytes: Data) throws -> Image {
    let path = NSTemporaryDirectory() + "sepal-\(UUID().uuidString).image"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try bytes.write(to: URL(fileURLWithPath: path))
    return try Image(path: path)
  }

  @Test(arguments: ["gray.jpg", "progressive.jpg", "palette.png", "alpha.png", "interlaced.png"])
  func everyPrefixIsRefused(name: String) throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: ImageTests.path(name)))
    // A JPEG's end marker and a PNG's last chunk may be missed without a loss.
    for count in stride(from: 0, to: whole.count - 16, by: 3) {
      #expect(throws: ImageError.self, "\(count) bytes") { try read(whole.prefix(count)) }
    }
    #expect(throws: Never.self) { try read(whole) }
  }

  @Test(arguments: ["gray.jpg", "progressive.jpg", "palette.png", "alpha.png", "gamma.png"])
  func flippedBitsAreNoTrap(name: String) throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: ImageTests.path(name)))
    var random = SplitMix64(seed: 7)
    for _ in 0..<400 {
      var bytes = whole
      for _ in 0...(random.next() % 3) {
        bytes[Int(random.next() % UInt64(bytes.count))] ^= 1 << (random.next() % 8)
      }
      do { _ = try read(bytes) } catch is ImageError {}
    }
  }

  @Test func coloursOfPrintersAreRefused() throws {
    let error = #expect(throws: ImageError.self) { try Image(path: ImageTests.path("cmyk.jpg")) }
    #expect(error?.code == .malformed)
    #expect(error?.description.contains("cmyk.jpg: is a JPEG in CMYK") == true)
  }

  @Test(arguments: [(9000, 9000), (65536, 2), (2, 65536)])
  func hugeImagesAreRefusedBeforeTheyTakeMemory(width: UInt32, height: UInt32) throws {
    var png = try Data(contentsOf: URL(fileURLWithPath: ImageTests.path("rgb.png")))
    png.replaceSubrange(16..<20, with: bigEndian(width))
    png.replaceSubrange(20..<24, with: bigEndian(height))
    png.replaceSubrange(29..<33, with: bigEndian(crc(png[12..<29])))
    let error = #expect(throws: ImageError.self) { try read(png) }
    #expect(error?.code == .limit)
  }

  @Test func whatIsNoImageIsNamed() throws {
    let error = #expect(throws: ImageError.self) { try Image(path: "/nowhere/a.png") }
    #expect(error?.code == .missingFile)
    #expect(throws: ImageError.self) { try read(Data("GIF89a".utf8)) }
  }

  private func bigEndian(_ word: UInt32) -> [UInt8] { withUnsafeBytes(of: word.bigEndian) { Array($0) } }

  private func crc(_ bytes: Data) -> UInt32 {
    var crc = UInt32.max
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return ~crc
  }
}
