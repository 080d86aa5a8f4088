import CSepalKernels
import CZlib

/// Deflate streams and checksums. Streams may be of any length; zlib sees them in pieces.
package enum Zlib {
  /// What surrounds a deflate stream.
  package enum Wrapper: Sendable {
    /// Header and Adler-32 (RFC 1950): HDF5, `.sepal`.
    case zlib
    /// Nothing (RFC 1951): zip members.
    case raw

    fileprivate var windowBits: Int32 { self == .zlib ? 15 : -15 }
  }

  package enum Strategy: Sendable {
    case matches
    /// Only runs of one byte. For weights several times faster than a search for matches and as small.
    case runs
  }

  package static func crc32(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    guard let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return 0 }
    var (crc, folded): (UInt, Int) = (0, 0)
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 16) { remainder in
      guard let remainder = remainder.baseAddress else { return }
      folded = sepal_crc32_fold(remainder, start, bytes.count)
      // The initial value is in the remainder already; zlib begins with the complement of what it is given.
      if folded > 0 { crc = crc32_z(0xFFFF_FFFF, remainder, 16) }
    }
    return UInt32(truncatingIfNeeded: crc32_z(crc, start + folded, bytes.count - folded))
  }

  package static func crc32(_ bytes: [UInt8]) -> UInt32 { bytes.withUnsafeBytes { crc32($0) } }

  /// A zlib stream, or nil when it would not be shorter than `bytes`, or when these are more than 4 GiB.
  package static func deflate(
    _ bytes: UnsafeRawBufferPointer, strategy: Strategy = .matches
  ) -> [UInt8]? {
    guard bytes.count > 16, bytes.count <= Int(UInt32.max) else { return nil }
    var stream = z_stream()
    let status = deflateInit2_(
      &stream, 6, Z_DEFLATED, Wrapper.zlib.windowBits, 9, strategy == .runs ? Z_RLE : Z_DEFAULT_STRATEGY,
      ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
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

  /// Inflates a stream that must be all of `bytes` and fill `target` exactly.
  package static func inflate(
    _ bytes: UnsafeRawBufferPointer, _ wrapper: Wrapper, into target: UnsafeMutableRawBufferPointer
  ) throws(ZipError) {
    let produced = try inflate(bytes, wrapper, upTo: target)
    guard produced == target.count else {
      throw ZipError(.malformed, "inflates to \(produced) bytes, expected \(target.count)")
    }
  }

  /// Inflates a stream that must be all of `bytes` into the start of `target`, which it must not exceed.
  /// - Returns: how many bytes it holds.
  package static func inflate(
    _ bytes: UnsafeRawBufferPointer, _ wrapper: Wrapper, upTo target: UnsafeMutableRawBufferPointer
  ) throws(ZipError) -> Int {
    var stream = z_stream()
    let status = inflateInit2_(
      &stream, wrapper.windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard status == Z_OK else { throw ZipError(.limit, "cannot be inflated: out of memory") }
    defer { inflateEnd(&stream) }
    var (consumed, produced) = (0, 0)
    // zlib wants an address even where it may not write: the end of the stream is read with a full target.
    var spare: UInt8 = 0
    while true {
      let input = min(bytes.count - consumed, maximumPiece)
      let output = min(target.count - produced, maximumPiece)
      stream.next_in = UnsafeMutablePointer(
        mutating: (bytes.baseAddress.map { $0 + consumed })?.assumingMemoryBound(to: UInt8.self))
      stream.avail_in = uInt(input)
      let status = withUnsafeMutablePointer(to: &spare) { spare in
        stream.next_out =
          output == 0
          ? spare : (target.baseAddress.map { $0 + produced })?.assumingMemoryBound(to: UInt8.self)
        stream.avail_out = uInt(output)
        return CZlib.inflate(&stream, Z_NO_FLUSH)
      }
      consumed += input - Int(stream.avail_in)
      produced += output - Int(stream.avail_out)
      switch status {
      case Z_OK: continue
      case Z_STREAM_END:
        guard consumed == bytes.count else {
          throw ZipError(.malformed, "has \(bytes.count - consumed) bytes after the end of its stream")
        }
        return produced
      case Z_BUF_ERROR where produced == target.count && consumed < bytes.count:
        throw ZipError(.limit, "inflates to more than \(target.count) bytes")
      case Z_BUF_ERROR: throw ZipError(.malformed, "has a compressed stream that is cut off")
      case Z_MEM_ERROR: throw ZipError(.limit, "cannot be inflated: out of memory")
      default: throw ZipError(.malformed, "has a compressed stream that is broken")
      }
    }
  }

  private static let maximumPiece = 1 << 30
}
