import SepalHDF5
import SepalTensor
import SepalZip

/// A model's architecture and weights, out of whichever files hold them.
struct KerasSource {
  var model: ModelConfig
  var version: KerasVersion
  /// `keras 3.5.0`.
  var producer: String
  var weights: any WeightStore

  init(path: String, weights weightsPath: String?) throws(KerasError) {
    try self.init(try Self.map(path))
    guard let weightsPath else { return }
    do throws(KerasError) {
      weights = try Self.weights(in: try Self.map(weightsPath))
    } catch {
      var error = error
      error.file = weightsPath
      throw error
    }
  }

  /// A file in memory.
  init(_ storage: TensorStorage) throws(KerasError) {
    let kind = withExtendedLifetime(storage) {
      HDF5File.recognizes(storage.bytes)
        ? Kind.hdf5 : ZipArchive.recognizes(storage.bytes) ? .archive : .json
    }
    switch kind {
    case .hdf5: try self.init(hdf5: storage)
    case .archive: try self.init(archive: storage)
    case .json:
      try self.init(try Self.json(storage, 0..<storage.bytes.count), version: nil, weights: NoWeights())
    }
  }

  private enum Kind { case hdf5, archive, json }

  private init(_ json: JSON, version: String?, weights: any WeightStore) throws(KerasError) {
    guard let object = json.object, let className = object["class_name"]?.string else {
      throw KerasError(.invalid, "the configuration is \(json.kind) without a class_name, expected a model")
    }
    guard ModelConfig.isModel(className) else {
      throw KerasError(
        .unsupported,
        "the model is of the class '\(className.printable())', which is code outside the file; "
          + "expected Functional or Sequential")
    }
    let version = version ?? object["keras_version"]?.string
    self.version = version.map(KerasVersion.init) ?? KerasVersion(guessing: object)
    producer = "keras" + (version.map { " \($0)" } ?? "")
    self.weights = weights
    model = try ModelConfig(className: className, object["config"] ?? .null, name: "model", path: "")
  }

  /// A whole model as Keras 1 and 2 wrote it by default and Keras 3 still does.
  private init(hdf5 storage: TensorStorage) throws(KerasError) {
    let root = try reading { () throws(HDF5Error) in try HDF5File(storage).root }
    guard let configuration = try Self.string("model_config", of: root) else {
      if try Self.store(root) != nil {
        throw KerasError(
          .unsupported,
          "holds weights only, without a model_config: give the architecture's JSON as the model and this file with --weights"
        )
      }
      throw KerasError(.invalid, "is HDF5 and no Keras model: it has no attribute model_config")
    }
    let weights = try reading { () throws(HDF5Error) in try NamedWeights(try root.group("model_weights")) }
    // Keras 1 did not write its version.
    let version = try Self.string("keras_version", of: root) ?? "1"
    try self.init(try JSONParser.parse(configuration), version: version, weights: weights)
  }

  /// The `.keras` archive of Keras 3, and of tf.keras from 2.12 on.
  private init(archive storage: TensorStorage) throws(KerasError) {
    let archive = try Self.unzipping { () throws(ZipError) in try ZipArchive(storage) }
    func contents(_ name: String) throws(KerasError) -> (TensorStorage, Range<Int>)? {
      guard let member = archive[name] else { return nil }
      return try Self.unzipping { () throws(ZipError) in try archive.contents(of: member) }
    }
    guard let configuration = try contents("config.json") else {
      throw KerasError(.invalid, "is a zip archive and no Keras model: it has no config.json")
    }
    var version: String?
    if let metadata = try contents("metadata.json") {
      version = try Self.json(metadata.0, metadata.1).object?["keras_version"]?.string
    }
    let weights: any WeightStore
    if let (bytes, range) = try contents("model.weights.h5") {
      weights = try Self.naming("model.weights.h5") { () throws(KerasError) in
        try Self.weights(in: bytes, range)
      }
    } else if archive["model.weights.json"] != nil || archive["model.weights.npz"] != nil {
      throw KerasError(
        .unsupported, "stores its weights in several files or as .npz, expected a single model.weights.h5")
    } else {
      weights = NoWeights()
    }
    let json = try Self.naming("config.json") { () throws(KerasError) in
      try Self.json(configuration.0, configuration.1)
    }
    try self.init(json, version: version ?? "3", weights: weights)
  }

  /// Runs `body`, whose refusals become errors about a member of the archive.
  private static func naming<Value>(
    _ member: String, _ body: () throws(KerasError) -> Value
  ) throws(KerasError) -> Value {
    do throws(KerasError) {
      return try body()
    } catch {
      throw KerasError(error.code, "its '\(member)': \(error.message)")
    }
  }

  // MARK: Parts

  /// Weights alone: `.weights.h5` of Keras 3, weights-only `.h5` of any version, or those of a whole model.
  static func weights(
    in storage: TensorStorage, _ range: Range<Int>? = nil
  ) throws(KerasError) -> any WeightStore {
    let range = range ?? 0..<storage.bytes.count
    let isHDF5 = withExtendedLifetime(storage) {
      HDF5File.recognizes(UnsafeRawBufferPointer(rebasing: storage.bytes[range]))
    }
    guard isHDF5 else { throw KerasError(.malformed, "is no HDF5 file, expected a model's weights") }
    let root = try reading { () throws(HDF5Error) in try HDF5File(storage, range: range).root }
    if let store = try store(root) { return store }
    let names = try reading { () throws(HDF5Error) in try root.linkNames() }
    if names.contains("model_weights") {
      return try reading { () throws(HDF5Error) in try NamedWeights(try root.group("model_weights")) }
    }
    throw KerasError(.invalid, "holds no Keras weights: neither layer_names nor a group of layers")
  }

  private static func store(_ root: HDF5Group) throws(KerasError) -> (any WeightStore)? {
    try reading { () throws(HDF5Error) -> (any WeightStore)? in
      if try NamedWeights.recognizes(root) { return try NamedWeights(root) }
      return try PathWeights.recognizes(root) ? PathWeights(root) : nil
    }
  }

  private static func string(_ attribute: String, of group: HDF5Group) throws(KerasError) -> String? {
    try reading { () throws(HDF5Error) in try group.attribute(attribute)?.strings().first }
  }

  private static func json(_ storage: TensorStorage, _ range: Range<Int>) throws(KerasError) -> JSON {
    try withExtendedLifetime(storage) { () throws(KerasError) in
      try JSONParser.parse(UnsafeRawBufferPointer(rebasing: storage.bytes[range]))
    }
  }

  private static func unzipping<Value>(_ body: () throws(ZipError) -> Value) throws(KerasError) -> Value {
    do throws(ZipError) {
      return try body()
    } catch {
      let code: KerasError.Code =
        switch error.code {
        case .malformed: .malformed
        case .unsupported: .unsupported
        case .limit: .limit
        }
      throw KerasError(code, error.description)
    }
  }

  private static func map(_ path: String) throws(KerasError) -> TensorStorage {
    do {
      return try TensorStorage.mapping(path: path)
    } catch {
      // The importer names the file.
      throw KerasError(error.code == .missing ? .missingFile : .unreadable, error.message)
    }
  }
}
