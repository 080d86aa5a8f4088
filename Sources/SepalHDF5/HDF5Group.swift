/// A group: names that stand for groups and datasets.
///
/// The names are read when the group is opened; keep the value while looking up many of them.
public struct HDF5Group: Sendable {
  private let object: StoredObject
  private let links: Result<LinkTable, HDF5Error>

  init(_ object: StoredObject, links: Result<LinkTable, HDF5Error>) {
    self.object = object
    self.links = links
  }

  /// From the root: `/`, `/model_weights/conv1`.
  public var path: String { object.path }

  /// Where its header is in the file: the same for every link to this group, and for no other object.
  ///
  /// Links may lead to one object on many ways, and back to a group above: who visits everything remembers the
  /// addresses of what has been visited.
  public var address: Int { object.address }

  /// The names of all links, in the order of their bytes.
  public func linkNames() throws(HDF5Error) -> [String] { try table().names }

  private func table() throws(HDF5Error) -> LinkTable {
    try placing(path) { () throws(HDF5Error) in try links.get() }
  }

  /// What is at `path`, relative to this group: names with `/` between them. Nil where there is no such link.
  public func object(_ path: String) throws(HDF5Error) -> HDF5Object? {
    var current = HDF5Object.group(self)
    for name in path.split(separator: "/") where name != "." {
      guard case .group(let group) = current else { return nil }
      guard let next = try group.child(String(name)) else { return nil }
      current = next
    }
    return current
  }

  /// The group at `path`, relative to this one.
  public func group(_ path: String) throws(HDF5Error) -> HDF5Group {
    switch try object(path) {
    case .group(let group): return group
    case .dataset(let dataset):
      throw HDF5Error(.mismatch, object: dataset.path, "is a dataset, expected a group")
    case nil: throw missing(path, "group")
    }
  }

  /// The dataset at `path`, relative to this group.
  public func dataset(_ path: String) throws(HDF5Error) -> HDF5Dataset {
    switch try object(path) {
    case .dataset(let dataset): return dataset
    case .group(let group): throw HDF5Error(.mismatch, object: group.path, "is a group, expected a dataset")
    case nil: throw missing(path, "dataset")
    }
  }

  /// The names of all attributes, in the order in which they are stored.
  public func attributeNames() throws(HDF5Error) -> [String] { try object.attributeNames() }

  /// The attribute of this name; nil where there is none.
  public func attribute(_ name: String) throws(HDF5Error) -> HDF5Attribute? { try object.attribute(name) }

  private func childPath(_ name: String) -> String { path == "/" ? "/\(name)" : "\(path)/\(name)" }

  private func missing(_ relative: String, _ kind: String) -> HDF5Error {
    HDF5Error(.missing, object: childPath(relative), "no such \(kind)")
  }

  private func child(_ name: String) throws(HDF5Error) -> HDF5Object? {
    let path = childPath(name)
    switch try table()[name] {
    case .hard(let address):
      return try object.child(at: address, path: path).opened()
    case .soft: throw HDF5Error(.unsupported, object: path, "is a soft link")
    case .external: throw HDF5Error(.unsupported, object: path, "is an external link, into another file")
    case .userDefined(let type):
      throw HDF5Error(.unsupported, object: path, "is a link of the user-defined type \(type)")
    case nil: return nil
    }
  }
}
