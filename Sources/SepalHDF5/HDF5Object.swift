/// What a name in a group stands for.
public enum HDF5Object: Sendable {
  case group(HDF5Group)
  case dataset(HDF5Dataset)
}

/// An object whose header has been read.
struct StoredObject: Sendable {
  let file: FileBytes
  let sharedMessages: SharedMessageTable
  let path: String
  let header: ObjectHeader
  /// How many groups it is in.
  private let depth: Int
  /// An error that waits until attributes are asked for.
  private let attributeTable: Result<AttributeTable, HDF5Error>

  /// The deepest nesting of groups that is followed.
  private static let maximumDepth = 64

  private init(
    _ file: FileBytes, _ sharedMessages: SharedMessageTable, at address: Int, path: String, depth: Int
  ) throws(HDF5Error) {
    guard depth <= Self.maximumDepth else {
      throw HDF5Error(.unsupported, object: path, "is nested in more than \(Self.maximumDepth) groups")
    }
    self.file = file
    self.sharedMessages = sharedMessages
    self.path = path
    self.depth = depth
    let header = try placing(path) { () throws(HDF5Error) in try ObjectHeader(file, at: address) }
    self.header = header
    attributeTable = Result { () throws(HDF5Error) in
      try placing(path) { () throws(HDF5Error) in
        var shared = SharedMessages(file, sharedMessages)
        return try AttributeTable.read(header, &shared)
      }
    }
  }

  init(rootOf superblock: Superblock) throws(HDF5Error) {
    try self.init(superblock.file, superblock.sharedMessages, at: superblock.root, path: "/", depth: 0)
  }

  func child(at address: Int, path: String) throws(HDF5Error) -> StoredObject {
    try StoredObject(file, sharedMessages, at: address, path: path, depth: depth + 1)
  }

  func opened() throws(HDF5Error) -> HDF5Object {
    if header.first(.symbolTable) != nil || header.first(.linkInfo) != nil || header.first(.link) != nil {
      return .group(HDF5Group(self))
    }
    if header.first(.layout) != nil || header.first(.dataspace) != nil {
      return .dataset(try HDF5Dataset(self))
    }
    if header.first(.datatype) != nil {
      throw HDF5Error(.unsupported, object: path, "is a committed datatype")
    }
    throw HDF5Error(.malformed, object: path, "is neither a group nor a dataset")
  }

  func attributeNames() throws(HDF5Error) -> [String] { try attributeTable.get().records.map(\.name) }

  func attribute(_ name: String) throws(HDF5Error) -> HDF5Attribute? {
    guard let record = try attributeTable.get()[name] else { return nil }
    return try placing(path) { () throws(HDF5Error) in
      var shared = SharedMessages(file, sharedMessages)
      return try HDF5Attribute(record, of: path, &shared)
    }
  }
}
