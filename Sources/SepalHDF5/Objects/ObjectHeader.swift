/// The messages that describe an object, versions 1 and 2, with their continuations.
struct ObjectHeader: Sendable {
  let address: Int
  let messages: [HeaderMessage]

  init(
    _ file: FileBytes, at address: Int, _ claims: inout Claims, _ shared: inout SharedMessages
  ) throws(HDF5Error) {
    self.address = address
    var reader = HeaderReader(file)
    try reader.read(at: address, &claims)
    messages = reader.messages.map { $0.message(file, &shared) }
  }

  func first(_ kind: HeaderMessage.Kind) -> HeaderMessage? {
    messages.first { $0.kind == kind }
  }

  /// The message of this kind, which must be there.
  func required(_ kind: HeaderMessage.Kind) throws(HDF5Error) -> Cursor {
    guard let message = first(kind) else { throw HDF5Error(.malformed, "lacks \(kind.subject)") }
    return try message.cursor()
  }
}

/// One message of an object header.
struct HeaderMessage: Sendable {
  enum Kind: UInt16 {
    case dataspace = 0x01
    case linkInfo = 0x02
    case datatype = 0x03
    case oldFillValue = 0x04
    case fillValue = 0x05
    case link = 0x06
    case externalFiles = 0x07
    case layout = 0x08
    case filterPipeline = 0x0B
    case attribute = 0x0C
    case sharedMessageTable = 0x0F
    case continuation = 0x10
    case symbolTable = 0x11
    case driverInfo = 0x14
    case attributeInfo = 0x15
    case cacheImage = 0x18

    /// What errors call it.
    var subject: StaticString {
      switch self {
      case .dataspace: "a dataspace"
      case .linkInfo: "a link info message"
      case .datatype: "a datatype"
      case .oldFillValue, .fillValue: "a fill value"
      case .link: "a link"
      case .externalFiles: "a list of external files"
      case .layout: "a data layout"
      case .filterPipeline: "a filter pipeline"
      case .attribute: "an attribute"
      case .sharedMessageTable: "a shared message table message"
      case .continuation: "an object header's continuation"
      case .symbolTable: "a symbol table message"
      case .driverInfo: "driver information"
      case .attributeInfo: "an attribute info message"
      case .cacheImage: "a cache image message"
      }
    }
  }

  let kind: Kind
  /// Its bytes, in the header or shared with other objects; an error waits until they are asked for.
  let contents: Result<Extent, HDF5Error>

  func cursor() throws(HDF5Error) -> Cursor { Cursor(try contents.get(), kind.subject) }
}

/// Collects the messages of one header; what no reader needs is left out.
private struct HeaderReader {
  struct Found {
    let kind: HeaderMessage.Kind
    let isShared: Bool
    let range: Range<Int>

    func message(_ file: FileBytes, _ shared: inout SharedMessages) -> HeaderMessage {
      let own = Extent(file: file, range: range)
      return HeaderMessage(
        kind: kind, contents: isShared ? shared.resolve(Cursor(own, kind.subject), kind) : .success(own))
    }
  }

  private let file: FileBytes
  private(set) var messages: [Found] = []
  private var continuations: [Range<Int>] = []
  /// Version 2 only: whether messages carry their creation order.
  private var hasCreationOrder = false

  init(_ file: FileBytes) { self.file = file }

  mutating func read(at address: Int, _ claims: inout Claims) throws(HDF5Error) {
    var cursor = try file.cursor(at: address, of: "an object header")
    let isNew = cursor.remaining > 0 && file.bytes(address..<address + 1)[0] == 0x4F
    if isNew { try readNewPrefix(&cursor, &claims) } else { try readOldPrefix(&cursor, &claims) }
    var next = 0
    while next < continuations.count {
      let block = continuations[next]
      next += 1
      try claims.claim(block, "an object header's continuation")
      var cursor = Cursor(file, block, "an object header's continuation")
      if isNew {
        try cursor.signature("OCHK")
        try readNewMessages(&cursor, from: block.lowerBound, count: block.count - 8)
      } else {
        try readOldMessages(cursor)
      }
    }
  }

  private mutating func readOldPrefix(
    _ cursor: inout Cursor, _ claims: inout Claims
  ) throws(HDF5Error) {
    let start = cursor.position
    _ = try cursor.version(1...1)
    try cursor.skip(1 + 2 + 4)
    let size = Int(try cursor.u32())
    try cursor.skip(4)
    let block = try cursor.take(size)
    try claims.claim(start..<block.upperBound, "an object header")
    try readOldMessages(Cursor(file, block, "an object header"))
  }

  private mutating func readOldMessages(_ cursor: Cursor) throws(HDF5Error) {
    var cursor = cursor
    while cursor.remaining >= 8 {
      let (type, size, flags) = (try cursor.u16(), Int(try cursor.u16()), try cursor.u8())
      try cursor.skip(3)
      try add(type, flags, try cursor.take(size))
    }
  }

  private mutating func readNewPrefix(
    _ cursor: inout Cursor, _ claims: inout Claims
  ) throws(HDF5Error) {
    let start = cursor.position
    try cursor.signature("OHDR")
    _ = try cursor.version(2...2)
    let flags = try cursor.u8()
    hasCreationOrder = flags & 0x04 != 0
    // Times, then the attribute counts at which storage changes.
    try cursor.skip((flags & 0x20 != 0 ? 16 : 0) + (flags & 0x10 != 0 ? 4 : 0))
    let size = try cursor.count(1 << Int(flags & 3))
    let end = try file.range(at: cursor.position, count: size, of: "an object header").upperBound
    try claims.claim(start..<end, "an object header")
    try readNewMessages(&cursor, from: start, count: size)
  }

  private mutating func readNewMessages(
    _ cursor: inout Cursor, from start: Int, count: Int
  ) throws(HDF5Error) {
    let block = try cursor.take(count)
    try cursor.verifyChecksum(from: start)
    var messages = Cursor(file, block, cursor.subject)
    let prefix = hasCreationOrder ? 6 : 4
    while messages.remaining >= prefix {
      let (type, size, flags) = (try messages.u8(), Int(try messages.u16()), try messages.u8())
      try messages.skip(prefix - 4)
      try add(UInt16(type), flags, try messages.take(size))
    }
  }

  private mutating func add(_ type: UInt16, _ flags: UInt8, _ range: Range<Int>) throws(HDF5Error) {
    guard let kind = HeaderMessage.Kind(rawValue: type) else {
      guard type <= 0x18 || flags & 0x80 == 0 else {
        throw HDF5Error(.unsupported, "has a header message of type \(type), which readers must know")
      }
      return
    }
    guard kind == .continuation else {
      messages.append(Found(kind: kind, isShared: flags & 0x02 != 0, range: range))
      return
    }
    var cursor = Cursor(file, range, "an object header's continuation")
    let address = try cursor.definedAddress()
    continuations.append(
      try file.range(at: address, count: try cursor.length(), of: "an object header's continuation"))
  }
}
