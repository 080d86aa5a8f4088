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
  static func decode(
    _ stored: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, elementSize: Int
  ) -> Bool {
    let count = target.count / elementSize
    var position = elementSize * 8
    guard stored.count >= position, count > 0 else { return false }
    var reader = FieldReader(bytes: stored, position: 0)
    let lengths = (0..<elementSize).map { _ in reader.next(UInt64.self) }
    guard lengths.count(where: { $0 < UInt64(count) }) <= elementSize / 2 else { return false }
    for (index, length) in lengths.enumerated() {
      guard length <= UInt64(count), length <= UInt64(stored.count - position) else { return false }
      let range = position..<position + Int(length)
      position = range.upperBound
      let source = UnsafeRawBufferPointer(rebasing: stored[range])
      if Int(length) == count {
        scatter(source, into: target, index, elementSize: elementSize)
        continue
      }
      let inflated = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
      defer { inflated.deallocate() }
      guard (try? Zlib.inflate(source, .zlib, into: inflated)) != nil else { return false }
      scatter(UnsafeRawBufferPointer(inflated), into: target, index, elementSize: elementSize)
    }
    return position == stored.count
  }

  private static func plane(
    _ bytes: UnsafeRawBufferPointer, _ index: Int, elementSize: Int, count: Int
  ) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      for element in 0..<count { buffer[element] = bytes[element * elementSize + index] }
      initialized = count
    }
  }

  private static func scatter(
    _ plane: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, _ index: Int,
    elementSize: Int
  ) {
    for element in 0..<plane.count { target[element * elementSize + index] = plane[element] }
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
