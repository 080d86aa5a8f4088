import CPNG

enum PNGDecoder {
  static func decode(_ file: UnsafeRawBufferPointer) throws(ImageError) -> Image {
    let bytes = withoutColourSpace(file)
    defer { bytes.deallocate() }
    var image = png_image()
    image.version = sepal_png_version
    defer { png_image_free(&image) }
    guard png_image_begin_read_from_memory(&image, bytes.baseAddress, bytes.count) != 0 else {
      throw failure(image)
    }
    let (width, height) = (Int(image.width), Int(image.height))
    let count = try Image.checkedPixels(width, height)
    // With alpha, so that colours are not blended with a background.
    image.format = sepal_png_rgba
    image.flags |= sepal_png_16_bit_srgb
    // Memory that a broken file does not fill is never touched.
    let rgba = [UInt8](unsafeUninitializedCapacity: 4 * count) { buffer, initialized in
      initialized = png_image_finish_read(&image, nil, buffer.baseAddress, 0, nil) != 0 ? 4 * count : 0
    }
    guard !rgba.isEmpty else { throw failure(image) }
    var pixels = [UInt8](repeating: 0, count: 3 * count)
    for pixel in 0..<count {
      for channel in 0..<3 { pixels[3 * pixel + channel] = rgba[4 * pixel + channel] }
    }
    return Image(width: width, height: height, pixels: pixels)
  }

  /// A copy of the file without what it says of the meaning of its colours. libpng would convert them to sRGB by that;
  /// Pillow, which networks are trained with, does not.
  private static func withoutColourSpace(_ file: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: file.count, alignment: 1)
    var count = 0
    func keep(_ range: Range<Int>) {
      copy[count...].copyBytes(from: file[range])
      count += range.count
    }
    // Chunks: length, type, contents, checksum. Those of the colour space come before the first of pixels.
    var start = min(8, file.count)
    keep(0..<start)
    while file.count - start >= 12 {
      let length = Int(UInt32(bigEndian: file.loadUnaligned(fromByteOffset: start, as: UInt32.self)))
      let type = file[start + 4..<start + 8]
      guard length <= file.count - start - 12, !type.elementsEqual("IDAT".utf8) else { break }
      let end = start + 12 + length
      if !colourSpaceChunks.contains(where: { type.elementsEqual($0.utf8) }) { keep(start..<end) }
      start = end
    }
    keep(start..<file.count)
    return UnsafeRawBufferPointer(rebasing: copy[..<count])
  }

  private static let colourSpaceChunks = ["gAMA", "cHRM", "iCCP", "sRGB", "cICP"]

  private static func failure(_ image: png_image) -> ImageError {
    let message = withUnsafeBytes(of: image.message) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    return ImageError(.malformed, "is no PNG that can be read: \(message)")
  }
}
