import SepalHDF5

/// Weights by name, as whole-model and weights-only `.h5` files of every Keras version hold them: one group per layer
/// of the outermost model, with the names of its variables as an attribute.
///
/// Variables are bound by name, never by position: what a nested model lists first depends on what was frozen.
final class NamedWeights: WeightStore {
  let backend: String?
  private let root: HDF5Group
  private let layerNames: Set<String>
  private var layers: [String: LayerEntries] = [:]

  fileprivate struct Entry {
    var name: String
    /// The name's parts without TensorFlow's `:0`.
    var parts: [String]
    var dataset: HDF5Dataset
    /// The layer that it was given to.
    var reader: LayerLocation?
  }

  /// What is stored for one layer of the outermost model, which may be a model.
  fileprivate struct LayerEntries {
    var entries: [Entry]
    private var byPath: [String: [Int]] = [:]
    /// By a part of the path and the last one.
    private var byPart: [Parts: [Int]] = [:]

    private struct Parts: Hashable {
      var part: String?
      var last: String
    }

    init(_ entries: [Entry]) {
      self.entries = entries
      for (index, entry) in entries.enumerated() {
        guard let last = entry.parts.last else { continue }
        byPath[entry.parts.joined(separator: "/"), default: []].append(index)
        byPart[Parts(part: nil, last: last), default: []].append(index)
        for part in Set(entry.parts.dropLast()) {
          byPart[Parts(part: part, last: last), default: []].append(index)
        }
      }
    }

    /// The entries that could be a variable of the layer at this path; the one that it is, unless the file misleads.
    func candidates(_ spec: VariableSpec, _ path: [String]) -> [Int] {
      // A layer's name may hold slashes.
      let parts = path.flatMap { $0.split(separator: "/").map(String.init) }
      // The end of the path as it is, the longest that there is: models leave out what is around them.
      for start in parts.indices {
        for variable in spec.names {
          if let found = byPath[(parts[start...] + [variable]).joined(separator: "/")] { return found }
        }
      }
      // Keras 1: `conv1_W`.
      for name in path.reversed() {
        for variable in spec.names {
          if let found = byPath["\(name)_\(variable)"] { return found }
        }
      }
      // From the innermost part outwards, each narrows the choice where it occurs at all.
      var candidates: [Int]?
      for part in parts.reversed() {
        guard let known = candidates else {
          candidates = indices(part, spec)
          continue
        }
        if known.count == 1 { break }
        let narrowed = known.filter { entries[$0].parts.dropLast().contains(part) }
        if !narrowed.isEmpty { candidates = narrowed }
      }
      return candidates ?? indices(nil, spec) ?? []
    }

    private func indices(_ part: String?, _ spec: VariableSpec) -> [Int]? {
      for variable in spec.names {
        if let found = byPart[Parts(part: part, last: variable)] { return found }
      }
      return nil
    }
  }

  init(_ root: HDF5Group) throws(HDF5Error) {
    self.root = root
    backend = try root.attribute("backend")?.strings().first
    layerNames = Set(try Self.names("layer_names", of: root))
  }

  static func recognizes(_ root: HDF5Group) throws(HDF5Error) -> Bool {
    if try root.attribute("layer_names") != nil { return true }
    return try root.attribute("layer_names0") != nil
  }

  /// A list of names, which is split into `name0`, `name1`, … when it is long.
  private static func names(_ attribute: String, of group: HDF5Group) throws(HDF5Error) -> [String] {
    if let whole = try group.attribute(attribute) { return try names(whole) }
    var names: [String] = []
    var part = 0
    while let attribute = try group.attribute("\(attribute)\(part)") {
      names += try self.names(attribute)
      part += 1
    }
    return names
  }

  private static func names(_ attribute: HDF5Attribute) throws(HDF5Error) -> [String] {
    // An empty list is written as an array of no numbers.
    attribute.shape.contains(0) ? [] : try attribute.strings()
  }

  func variables(_ specs: [VariableSpec], at location: LayerLocation) throws(KerasError) -> [HDF5Dataset] {
    guard !specs.isEmpty else { return [] }
    let name = location.names[0]
    try reading(layer: location.path) { () throws(HDF5Error) in try load(name) }
    var datasets: [HDF5Dataset] = []
    for spec in specs {
      let index = try match(spec, at: location)
      guard let entry = layers[name]?.entries[index] else { continue }
      if let reader = entry.reader, reader != location {
        throw KerasError(
          .invalid,
          "needs '\(spec.names[0])' \(spec.shape), but the file's only '\(entry.name)' belongs to '\(reader.path)'",
          layer: location.path)
      }
      layers[name]?.entries[index].reader = location
      datasets.append(entry.dataset)
    }
    return datasets
  }

  private func load(_ layer: String) throws(HDF5Error) {
    guard layers[layer] == nil else { return }
    var entries: [Entry] = []
    if layerNames.contains(layer) {
      let group = try root.group(layer)
      for name in try Self.names("weight_names", of: group) {
        var parts = name.split(separator: "/").map(String.init)
        if let last = parts.last, let colon = last.lastIndex(of: ":") {
          parts[parts.count - 1] = String(last[..<colon])
        }
        entries.append(Entry(name: name, parts: parts, dataset: try group.dataset(name)))
      }
    }
    layers[layer] = LayerEntries(entries)
  }

  /// The one entry that is stored for a variable.
  private func match(_ spec: VariableSpec, at location: LayerLocation) throws(KerasError) -> Int {
    guard let layer = layers[location.names[0]] else { return 0 }
    let candidates = layer.candidates(spec, location.names)
    guard candidates.count == 1 else {
      func list(_ indices: some Collection<Int>) -> String {
        indices.prefix(12).map { "'\(layer.entries[$0].name)'" }.joined(separator: ", ")
      }
      let what = "'\(spec.names[0])' \(spec.shape)"
      let message =
        candidates.isEmpty
        ? layer.entries.isEmpty
          ? "needs \(what), but the file stores no weights for it"
          : "needs \(what), but the file stores only \(list(layer.entries.indices))"
        : "needs \(what), and the file stores \(candidates.count) that it could be: \(list(candidates))"
      throw KerasError(.invalid, message, layer: location.path)
    }
    return candidates[0]
  }

  func unread() throws(KerasError) -> [String] {
    try reading { () throws(HDF5Error) in for name in layerNames.sorted() { try load(name) } }
    return layers.sorted { $0.key < $1.key }.flatMap { layer in
      layer.value.entries.filter { $0.reader == nil && $0.parts.last != "seed_generator_state" }
        .map { "\(layer.key)/\($0.name)" }
    }
  }
}
