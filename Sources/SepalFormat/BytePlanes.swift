import SepalZip

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The lossless tensor codec: byte k of every element is plane k, and planes are deflated where that pays.
///
/// Of the four planes of trained float32 weights only the one with the exponent deflates; the others are as
/// good as random and are stored. At most half of the planes are deflated, so that decoding at most doubles
/// the stored bytes.
///
///     plane lengths   elementSize × u64   equal to the element count: stored as is; else a zlib stream
///     planes          in order, without gaps
enum BytePlanes {
  /// The encoded tensor, or nil when it would not be shorter than the elements as they are.
  static func encode(_ bytes: UnsafeRawBufferPointer, elementSize: Int) -> [UInt8]? {
    let count = bytes.count / elementSize
    guard elementSize > 1, count >= 64 else { return nil }
    let planes = (0..<elementSize).map { plane(bytes, $0, elementSize: elementSize, count: count) }
    let compressible = planes.indices
      .map { (plane: $0, entropy: entropy(planes[$0])) }
      .filter { $0.entropy < 7.8 }
      .sorted { ($0.entropy, $0.plane) < ($1.entropy, $1.plane) }
      .prefix(elementSize / 2)
    var streams: [Int: [UInt8]] = [:]
    for (index, _) in compressible {
      streams[index] = planes[index].withUnsafeBytes { Zlib.deflate($0, strategy: .runs) }
    }
    guard !streams.isEmpty else { return nil }
    var writer = FieldWriter()
    for index in planes.indices { writer.append(UInt64(streams[index]?.count ?? count)) }
    for index in planes.indices { writer.bytes.append(contentsOf: streams[index] ?? planes[index]) }
    return writer.bytes.count < bytes.count ? writer.bytes : nil
  }

  /// Fills `target` with the elements; false when `stored` is not a legal encoding of them.
  ///
  /// - Parameter inflated: memory for the planes that are deflated, kept from call to call.
  static func decode(
    _ stored: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, elementSize: Int,
    inflated: inout [UInt8]
  ) -> Bool {
    let count = target.count / elementSize
    var position = elementSize * 8
    guard stored.count >= position, count > 0 else { return false }
    var reader = FieldReader(bytes: stored, position: 0)
    let lengths = (0..<elementSize).map { _ in reader.next(UInt64.self) }
    let deflated = lengths.count { $0 < UInt64(count) }
    guard deflated <= elementSize / 2 else { return false }
    if inflated.count < deflated * count { inflated = [UInt8](repeating: 0, count: deflated * count) }
    return inflated.withUnsafeMutableBytes { room in
      var used = 0
      var planes: [UnsafeRawBufferPointer] = []
      for length in lengths {
        guard length <= UInt64(count), length <= UInt64(stored.count - position) else { return false }
        let range = position..<position + Int(length)
        position = range.upperBound
        let source = UnsafeRawBufferPointer(rebasing: stored[range])
        if Int(length) == count {
          planes.append(source)
          continue
        }
        let plane = UnsafeMutableRawBufferPointer(rebasing: room[used..<used + count])
        used += count
        guard (try? Zlib.inflate(source, .zlib, into: plane)) != nil else { return false }
        planes.append(UnsafeRawBufferPointer(plane))
      }
      guard position == stored.count else { return false }
      interleave(planes, into: target)
      return true
    }
  }

  /// The loops for two and four planes are the ones that compilers make vectors of.
  private static func interleave(
    _ planes: [UnsafeRawBufferPointer], into target: UnsafeMutableRawBufferPointer
  ) {
    let sources = planes.compactMap { $0.baseAddress?.assumingMemoryBound(to: UInt8.self) }
    let count = target.count / planes.count
    guard sources.count == planes.count, let base = target.baseAddress else { return }
    switch sources.count {
    case 2:
      let (low, high) = (sources[0], sources[1])
      let elements = base.assumingMemoryBound(to: UInt16.self)
      for index in 0..<count {
        elements[index] = (UInt16(low[index]) | UInt16(high[index]) << 8).littleEndian
      }
    case 4:
      let (a, b, c, d) = (sources[0], sources[1], sources[2], sources[3])
      let elements = base.assumingMemoryBound(to: UInt32.self)
      for index in 0..<count {
        let low = UInt32(a[index]) | UInt32(b[index]) << 8
        let high = UInt32(c[index]) | UInt32(d[index]) << 8
        elements[index] = (low | high << 16).littleEndian
      }
    default:
      for (plane, source) in sources.enumerated() {
        for index in 0..<count { target[index * sources.count + plane] = source[index] }
      }
    }
  }

  private static func plane(
    _ bytes: UnsafeRawBufferPointer, _ index: Int, elementSize: Int, count: Int
  ) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      for element in 0..<count { buffer[element] = bytes[element * elementSize + index] }
      initialized = count
    }
  }

  /// Bits per byte if bytes were independent.
  private static func entropy(_ bytes: [UInt8]) -> Double {
    var histogram = [Int](repeating: 0, count: 256)
    for byte in bytes { histogram[Int(byte)] += 1 }
    let total = Double(bytes.count)
    return histogram.reduce(0) { sum, count in
      count == 0 ? sum : sum - Double(count) / total * log2(Double(count) / total)
    }
  }
}
