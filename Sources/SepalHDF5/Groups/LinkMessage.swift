/// A link as new groups store it, in the object header or in a fractal heap.
enum LinkMessage {
  static func read(_ message: Cursor) throws(HDF5Error) -> (name: String, target: LinkTarget) {
    var cursor = message
    _ = try cursor.version(1...1)
    let flags = try cursor.u8()
    let type = flags & 0x08 != 0 ? try cursor.u8() : 0
    // Creation order, then the character set: both sets are read as UTF-8.
    try cursor.skip((flags & 0x04 != 0 ? 8 : 0) + (flags & 0x10 != 0 ? 1 : 0))
    let name = try cursor.name(try cursor.count(1 << Int(flags & 3)))
    switch type {
    case 0: return (name, .hard(try cursor.definedAddress()))
    case 1: return (name, .soft)
    case 64: return (name, .external)
    default: return (name, .userDefined(type))
    }
  }
}
