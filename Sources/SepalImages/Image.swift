import SepalTensor

/// An 8-bit RGB image, row by row from the top.
public struct Image: Sendable, Hashable {
  public let width, height: Int
  /// Red, green and blue of each pixel: `3 · width · height` elements.
  public let pixels: [UInt8]

  /// Larger files, and images of more pixels, are refused before anything is allocated for them.
  static let maximumFileBytes = 256 << 20
  static let maximumPixels = 64 << 20
  /// As much as a JPEG can have.
  static let maximumSide = 65535

  init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(pixels.count == 3 * width * height)
    self.width = width
    self.height = height
    self.pixels = pixels
  }

  /// Reads a JPEG or PNG file, known by its first bytes. Transparency is dropped, grey becomes RGB, 16 bits become 8;
  /// neither colour profiles nor the orientation that a camera noted are applied.
  public init(path: String) throws(ImageError) {
    do throws(ImageError) {
      let storage: TensorStorage
      do throws(FileError) {
        storage = try TensorStorage.mapping(path: path)
      } catch {
        throw ImageError(error.code == .missing ? .missingFile : .unreadable, error.message)
      }
      self = try Image(decoding: storage.bytes)
    } catch {
      var error = error
      error.path = path
      throw error
    }
  }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(ImageError) {
    guard bytes.count <= Self.maximumFileBytes else {
      throw ImageError(.limit, "has \(bytes.count) bytes, expected \(Self.maximumFileBytes) at most")
    }
    if bytes.starts(with: Self.jpegStart) {
      self = try JPEGDecoder.decode(bytes)
    } else if bytes.starts(with: Self.pngStart) {
      self = try PNGDecoder.decode(bytes)
    } else {
      throw ImageError(.malformed, "is neither a JPEG nor a PNG file")
    }
  }

  /// The number of pixels, where that is acceptable.
  static func checkedPixels(_ width: Int, _ height: Int) throws(ImageError) -> Int {
    guard width > 0, height > 0 else { throw ImageError(.malformed, "is \(width)×\(height) pixels") }
    guard max(width, height) <= maximumSide, width * height <= maximumPixels else {
      throw ImageError(
        .limit,
        "is \(width)×\(height) pixels, expected \(maximumPixels) at most and \(maximumSide) on a side")
    }
    return width * height
  }

  /// Whether a file begins like an image or, so that a broken or missing one is told as such, has the name of one.
  public static func isImage(_ path: String) -> Bool {
    if let file = try? TensorStorage.mapping(path: path),
      file.bytes.starts(with: jpegStart) || file.bytes.starts(with: pngStart)
    {
      return true
    }
    let name = path.lowercased()
    return [".jpg", ".jpeg", ".png"].contains { name.hasSuffix($0) }
  }

  private static let jpegStart: [UInt8] = [0xFF, 0xD8, 0xFF]
  private static let pngStart: [UInt8] = [0x89, 0x50, 0x4E, 0x47]
}
