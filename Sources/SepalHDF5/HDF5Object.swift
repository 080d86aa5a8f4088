/// What a name in a group stands for.
public enum HDF5Object: Sendable {
  case group(HDF5Group)
  case dataset(HDF5Dataset)
}

/// An object at the end of a path.
struct StoredObject: Sendable {
  private let store: ObjectStore
  let path: String
  /// How many groups lead to it.
  private let depth: Int
  let contents: ObjectContents

  /// The deepest nesting of groups that is followed.
  private static let maximumDepth = 64

  private init(_ store: ObjectStore, path: String, depth: Int, at address: Int) throws(HDF5Error) {
    guard depth <= Self.maximumDepth else {
      throw HDF5Error(.unsupported, object: path, "is nested in more than \(Self.maximumDepth) groups")
    }
    self.store = store
    self.path = path
    self.depth = depth
    contents = try placing(path) { () throws(HDF5Error) in try store.contents(at: address) }
  }

  /// The root group of a file.
  init(_ superblock: Superblock) throws(HDF5Error) {
    let store = ObjectStore(superblock.file, superblock.sharedMessages)
    try self.init(store, path: "/", depth: 0, at: superblock.root)
  }

  func child(at address: Int, path: String) throws(HDF5Error) -> StoredObject {
    try StoredObject(store, path: path, depth: depth + 1, at: address)
  }

  var file: FileBytes { store.file }

  var address: Int { contents.header.address }

  func opened() throws(HDF5Error) -> HDF5Object {
    if let links = contents.links { return .group(HDF5Group(self, links: links)) }
    if contents.header.first(.layout) != nil || contents.header.first(.dataspace) != nil {
      return .dataset(try HDF5Dataset(self))
    }
    if contents.header.first(.datatype) != nil {
      throw HDF5Error(.unsupported, object: path, "is a committed datatype")
    }
    throw HDF5Error(.malformed, object: path, "is neither a group nor a dataset")
  }

  /// Accounts for data that is about to be read.
  func account(stored: Int, declared: Int) throws(HDF5Error) {
    try store.account(address, stored: stored, declared: declared)
  }

  private func attributes() throws(HDF5Error) -> AttributeTable {
    try placing(path) { () throws(HDF5Error) in try contents.attributes.get() }
  }

  func attributeNames() throws(HDF5Error) -> [String] { try attributes().records.map(\.name) }

  func attribute(_ name: String) throws(HDF5Error) -> HDF5Attribute? {
    guard let record = try attributes()[name] else { return nil }
    return try HDF5Attribute(file, record, of: path)
  }
}
