/// Bob Jenkins' lookup3 (`hashlittle`, initial value 0): the checksum of HDF5's metadata.
func lookup3(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
  var a: UInt32 = 0xDEAD_BEEF &+ UInt32(truncatingIfNeeded: bytes.count)
  var (b, c) = (a, a)
  func word(_ offset: Int) -> UInt32 {
    UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }
  var offset = 0
  while bytes.count - offset > 12 {
    a &+= word(offset)
    b &+= word(offset + 4)
    c &+= word(offset + 8)
    a = (a &- c) ^ c.rotated(4)
    c &+= b
    b = (b &- a) ^ a.rotated(6)
    a &+= c
    c = (c &- b) ^ b.rotated(8)
    b &+= a
    a = (a &- c) ^ c.rotated(16)
    c &+= b
    b = (b &- a) ^ a.rotated(19)
    a &+= c
    c = (c &- b) ^ b.rotated(4)
    b &+= a
    offset += 12
  }
  guard offset < bytes.count else { return c }
  for (index, byte) in bytes[offset...].enumerated() {
    let part = UInt32(byte) << UInt32(8 * (index % 4))
    switch index / 4 {
    case 0: a &+= part
    case 1: b &+= part
    default: c &+= part
    }
  }
  c = (c ^ b) &- b.rotated(14)
  a = (a ^ c) &- c.rotated(11)
  b = (b ^ a) &- a.rotated(25)
  c = (c ^ b) &- b.rotated(16)
  a = (a ^ c) &- c.rotated(4)
  b = (b ^ a) &- a.rotated(14)
  c = (c ^ b) &- b.rotated(24)
  return c
}

extension UInt32 {
  fileprivate func rotated(_ count: UInt32) -> UInt32 { self << count | self >> (32 - count) }
}
