import CZlib

enum Zlib {
  static func crc32(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    UInt32(
      truncatingIfNeeded: crc32_z(0, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count))
  }

  static func crc32(_ bytes: [UInt8]) -> UInt32 { bytes.withUnsafeBytes { crc32($0) } }

  /// A zlib stream, or nil when it would not be shorter than `bytes`.
  /// For weights, `Z_RLE` is several times faster than a search for matches and as small.
  static func deflate(_ bytes: UnsafeRawBufferPointer, strategy: Int32 = Z_DEFAULT_STRATEGY) -> [UInt8]? {
    guard bytes.count > 16, bytes.count <= Int(UInt32.max) else { return nil }
    var stream = z_stream()
    let status = deflateInit2_(
      &stream, 6, Z_DEFLATED, 15, 9, strategy, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard status == Z_OK else { return nil }
    defer { deflateEnd(&stream) }
    let capacity = bytes.count - 1
    var finished = false
    let output = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
      stream.next_in = UnsafeMutablePointer(
        mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
      stream.avail_in = uInt(bytes.count)
      stream.next_out = buffer.baseAddress
      stream.avail_out = uInt(capacity)
      finished = CZlib.deflate(&stream, Z_FINISH) == Z_STREAM_END
      count = finished ? Int(stream.total_out) : 0
    }
    return finished ? output : nil
  }

  /// Inflates a zlib stream into `target`; false unless it ends exactly where `target` does.
  static func inflate(_ bytes: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Bool {
    guard bytes.count <= Int(UInt32.max), target.count <= Int(UInt32.max), !target.isEmpty else {
      return false
    }
    var stream = z_stream()
    guard inflateInit2_(&stream, 15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      return false
    }
    defer { inflateEnd(&stream) }
    stream.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
    stream.avail_in = uInt(bytes.count)
    stream.next_out = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.avail_out = uInt(target.count)
    let status = CZlib.inflate(&stream, Z_FINISH)
    return status == Z_STREAM_END && stream.avail_out == 0 && stream.avail_in == 0
  }
}
