import SepalHDF5

/// Keras 3's weight files (and those inside `.keras` archives): `layers/conv2d_1/vars/0`.
///
/// A group is named after the layer's class and counted in the model's order; its variables are numbered in the order
/// in which the layer makes them. The layer's own name is at best an attribute.
final class PathWeights: WeightStore {
  let backend: String? = nil
  private let root: HDF5Group
  /// Paths of groups whose variables were read.
  private var readGroups: Set<String> = []
  /// What the list of a model's layers is called: Keras 3, tf.keras up to 2.14.
  private static let containers = ["layers", "_layer_checkpoint_dependencies"]

  init(_ root: HDF5Group) { self.root = root }

  static func recognizes(_ root: HDF5Group) throws(HDF5Error) -> Bool {
    let names = try root.linkNames()
    return containers.contains(where: names.contains) || names.contains("vars")
  }

  func variables(_ specs: [VariableSpec], at location: LayerLocation) throws(KerasError) -> [HDF5Dataset] {
    let stored = try reading(layer: location.path) { () throws(HDF5Error) in try datasets(at: location) }
    guard stored.count == specs.count else {
      let expected = specs.map { "\($0.names[0]) \($0.shape)" }.joined(separator: ", ")
      let found = stored.isEmpty ? "" : " (\(stored.map { "\($0.shape)" }.joined(separator: ", ")))"
      throw KerasError(
        .invalid,
        "stores \(stored.count) variables\(found) in '\(location.groups.joined(separator: "/"))/vars', expected "
          + "\(specs.count)\(specs.isEmpty ? "" : " (\(expected))")", layer: location.path)
    }
    return stored
  }

  private func datasets(at location: LayerLocation) throws(HDF5Error) -> [HDF5Dataset] {
    guard let group = try group(at: location), try group.linkNames().contains("vars") else { return [] }
    let variables = try group.group("vars")
    readGroups.insert(variables.path)
    var datasets: [HDF5Dataset] = []
    let names = Set(try variables.linkNames())
    while names.contains(String(datasets.count)) {
      datasets.append(try variables.dataset(String(datasets.count)))
    }
    return datasets
  }

  private func group(at location: LayerLocation) throws(HDF5Error) -> HDF5Group? {
    var group = root
    for name in location.groups {
      let names = try group.linkNames()
      let candidates = Self.containers.contains(name) ? Self.containers : [name]
      guard let match = candidates.first(where: names.contains) else { return nil }
      group = try group.group(match)
    }
    return group
  }

  func unread() throws(KerasError) -> [String] {
    var unread: [String] = []
    // Many links may lead to one group, and back to where they are.
    var visited: Set<Int> = []
    // The optimizer and metrics lie beside the layers and are of no interest.
    for container in Self.containers {
      let group = try reading { () throws(HDF5Error) in
        try root.linkNames().contains(container) ? try root.group(container) : nil
      }
      if let group { try collect(group, &visited, into: &unread) }
    }
    return unread
  }

  private func collect(
    _ group: HDF5Group, _ visited: inout Set<Int>, into unread: inout [String]
  ) throws(KerasError) {
    guard visited.insert(group.address).inserted else { return }
    for name in try reading({ () throws(HDF5Error) in try group.linkNames() }) where name != "seed_generator"
    {
      guard case .group(let child) = try reading({ () throws(HDF5Error) in try group.object(name) }) else {
        continue
      }
      if name != "vars" {
        try collect(child, &visited, into: &unread)
      } else if !readGroups.contains(child.path),
        try reading({ () throws(HDF5Error) in !(try child.linkNames().isEmpty) })
      {
        unread.append(child.path)
      }
    }
  }
}
