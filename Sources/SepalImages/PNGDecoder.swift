import CPNG

enum PNGDecoder {
  static func decode(_ bytes: UnsafeRawBufferPointer) throws(ImageError) -> Image {
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

  private static func failure(_ image: png_image) -> ImageError {
    let message = withUnsafeBytes(of: image.message) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    return ImageError(.malformed, "is no PNG that can be read: \(message)")
  }
}
