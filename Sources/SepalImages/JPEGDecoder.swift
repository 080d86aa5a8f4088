import CTurboJPEG

enum JPEGDecoder {
  static func decode(_ bytes: UnsafeRawBufferPointer) throws(ImageError) -> Image {
    guard let handle = tjInitDecompress() else { throw ImageError(.limit, "needs more memory") }
    defer { tjDestroy(handle) }
    let source = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
    var (width, height, subsampling, colours): (Int32, Int32, Int32, Int32) = (0, 0, 0, 0)
    guard
      tjDecompressHeader3(handle, source, UInt(bytes.count), &width, &height, &subsampling, &colours) == 0
    else { throw failure(handle) }
    guard ![TJCS_CMYK, TJCS_YCCK].contains(where: { Int32($0.rawValue) == colours }) else {
      throw ImageError(.malformed, "is a JPEG in CMYK, expected one in RGB or grey")
    }
    let count = try Image.checkedPixels(Int(width), Int(height))
    // What a decoder makes up for missing data is no image, and scans without number take time without end.
    let flags = TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS
    // Memory that a broken file does not fill is never touched.
    let pixels = [UInt8](unsafeUninitializedCapacity: 3 * count) { buffer, initialized in
      let status = tjDecompress2(
        handle, source, UInt(bytes.count), buffer.baseAddress, width, 0, height, Int32(TJPF_RGB.rawValue),
        flags)
      initialized = status == 0 ? 3 * count : 0
    }
    guard !pixels.isEmpty else { throw failure(handle) }
    return Image(width: Int(width), height: Int(height), pixels: pixels)
  }

  private static func failure(_ handle: tjhandle) -> ImageError {
    ImageError(.malformed, "is no JPEG that can be read: \(String(cString: tjGetErrorStr2(handle)))")
  }
}
