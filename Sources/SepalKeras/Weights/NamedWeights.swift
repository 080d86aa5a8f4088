import SepalHDF5

/// Weights by name, as whole-model and weights-only `.h5` files of every Keras version hold them: one group per layer
/// of the outermost model, with the names of its variables as an attribute.
///
/// Variables are bound by name, never by position: what a nested model lists first depends on what was frozen.
final class NamedWeights: WeightStore {
  let backend: String?
  private let root: HDF5Group
  private let layerNames: Set<String>
  private var layers: [String: [Entry]] = [:]

  private struct Entry {
    var name: String
    /// The name's parts without TensorFlow's `:0`.
    var parts: [String]
    var dataset: HDF5Dataset
    /// The layer that it was given to.
    var reader: LayerLocation?
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
    try reading(layer: location.path) { () throws(HDF5Error) in try load(location.names[0]) }
    var datasets: [HDF5Dataset] = []
    for spec in specs {
      let index = try match(spec, at: location)
      let entry = layers[location.names[0], default: []][index]
      if let reader = entry.reader, reader != location {
        throw KerasError(
          .invalid,
          "needs '\(spec.names[0])' \(spec.shape), but the file's only '\(entry.name)' belongs to '\(reader.path)'",
          layer: location.path)
      }
      layers[location.names[0]]?[index].reader = location
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
    layers[layer] = entries
  }

  /// The one entry whose last part is the variable's name and whose other parts agree with the layer's path.
  private func match(_ spec: VariableSpec, at location: LayerLocation) throws(KerasError) -> Int {
    let entries = layers[location.names[0], default: []]
    var candidates = entries.indices.filter { index in
      entries[index].parts.last.map { last in spec.names.contains { last == $0 || last.hasSuffix("_\($0)") } }
        ?? false
    }
    // `kernel` must not take what is called `recurrent_kernel`.
    let exact = candidates.filter { entries[$0].parts.last.map(spec.names.contains) ?? false }
    if !exact.isEmpty { candidates = exact }
    // Keras 1 puts the layer's name in front: `conv1_W`.
    for name in location.names.reversed() where candidates.count > 1 {
      let prefixed = candidates.filter { index in
        entries[index].parts.last.map { last in spec.names.contains { last == "\(name)_\($0)" } } ?? false
      }
      if !prefixed.isEmpty { candidates = prefixed }
    }
    // From the innermost name outwards, each narrows the choice where it occurs at all.
    for name in location.names.reversed() where candidates.count > 1 {
      let narrowed = candidates.filter { entries[$0].parts.dropLast().contains(name) }
      if !narrowed.isEmpty { candidates = narrowed }
    }
    guard candidates.count == 1 else {
      let stored = entries.prefix(12).map { "'\($0.name)'" }.joined(separator: ", ")
      let what = "'\(spec.names[0])' \(spec.shape)"
      let message =
        candidates.isEmpty
        ? entries.isEmpty
          ? "needs \(what), but the file stores no weights for it"
          : "needs \(what), but the file stores only \(stored)"
        : "needs \(what), and the file stores \(candidates.count) that it could be: "
          + candidates.prefix(12).map { "'\(entries[$0].name)'" }.joined(separator: ", ")
      throw KerasError(.invalid, message, layer: location.path)
    }
    return candidates[0]
  }

  func unread() throws(KerasError) -> [String] {
    try reading { () throws(HDF5Error) in for name in layerNames.sorted() { try load(name) } }
    return layers.sorted { $0.key < $1.key }.flatMap { layer in
      layer.value.filter { $0.reader == nil && $0.parts.last != "seed_generator_state" }
        .map { "\(layer.key)/\($0.name)" }
    }
  }
}
