/// What a name in a group stands for.
public enum HDF5Object: Sendable {
  case group(HDF5Group)
  case dataset(HDF5Dataset)
}

/// An object whose header has been read.
struct StoredObject: Sendable {
  let file: FileBytes
  let path: String
  /// The object headers from the root to this one.
  let chain: [Int]
  let header: ObjectHeader
  /// An error that waits until attributes are asked for.
  private let attributeTable: Result<AttributeTable, HDF5Error>

  /// The deepest nesting of groups that is followed.
  private static let maximumDepth = 64

  init(_ file: FileBytes, at address: Int, path: String, ancestors: [Int]) throws(HDF5Error) {
    guard !ancestors.contains(address) else {
      throw HDF5Error(.unsupported, object: path, "is a link back to a group that it is in")
    }
    guard ancestors.count < Self.maximumDepth else {
      throw HDF5Error(.unsupported, object: path, "is nested too deeply, in \(ancestors.count) groups")
    }
    self.file = file
    self.path = path
    chain = ancestors + [address]
    let header = try placing(path) { () throws(HDF5Error) in try ObjectHeader(file, at: address) }
    self.header = header
    attributeTable = Result { () throws(HDF5Error) in
      try placing(path) { () throws(HDF5Error) in try AttributeTable.read(file, header) }
    }
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
    return try placing(path) { () throws(HDF5Error) in try HDF5Attribute(file, record, of: path) }
  }
}
