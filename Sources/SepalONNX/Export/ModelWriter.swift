import SepalTensor

/// Turns a model into the bytes of an ONNX file, weights straight from where they are.
struct ModelWriter {
  private let model: ExportedModel
  private let options: ONNXExporter.Options
  private let names: ExportedModel.ValueNames

  /// Constants of fewer bytes stay in the model: shapes and axes are needed to make sense of it.
  private static let smallestExternalTensor = 1024
  private static let externalAlignment = 64

  init(_ model: ExportedModel, _ options: ONNXExporter.Options) {
    self.model = model
    self.options = options
    names = model.uniqueNames()
  }

  struct Written {
    /// Of all files.
    var byteCount: Int
    /// The file beside the model with its weights.
    var weightsPath: String?
  }

  /// Nil, and nothing is written, where not even the model without its weights is a message that protobuf allows.
  func write(to path: String) throws(FileError) -> Written? {
    let (nodes, borders) = (encodedNodes(), encodedBorders())
    func graphByteCount(_ heads: [MessageBytes], _ external: ExternalData?) -> Int {
      heads.indices.reduce(nodes.bytes.count + borders.bytes.count) { sum, index in
        let count = heads[index].bytes.count + rawByteCount(index, external)
        var field = MessageBytes()
        field.start(5, byteCount: count)
        return sum + field.bytes.count + count
      }
    }
    var external: ExternalData?
    var heads = model.initializers.indices.map { head($0, nil) }
    var graphBytes = graphByteCount(heads, nil)
    if options.usesExternalData || !fits(graphBytes) {
      let data = try writeExternalData(to: path + ".data")
      external = data
      heads = model.initializers.indices.map { head($0, data) }
      graphBytes = graphByteCount(heads, data)
    }
    guard fits(graphBytes) else { return nil }

    let file = try AtomicFile(path: path)
    try file.write(encodedPrelude(graphByteCount: graphBytes).bytes)
    try file.write(nodes.bytes)
    for (index, head) in heads.enumerated() {
      var field = MessageBytes()
      field.start(5, byteCount: head.bytes.count + rawByteCount(index, external))
      try file.write(field.bytes + head.bytes)
      if rawByteCount(index, external) > 0 { try write(model.initializers[index].tensor, to: file) }
    }
    try file.write(borders.bytes)
    // The weights first: a model never refers to a file that is not complete.
    try external?.file.commit()
    try file.commit()
    return Written(byteCount: file.count + (external?.file.count ?? 0), weightsPath: external?.file.path)
  }

  private func fits(_ graphByteCount: Int) -> Bool {
    encodedPrelude(graphByteCount: graphByteCount).bytes.count + graphByteCount <= options.messageLimit
  }

  private func write(_ tensor: Tensor, to file: AtomicFile) throws(FileError) {
    try tensor.withUnsafeBytes { (bytes) throws(FileError) in try file.write(bytes) }
  }

  /// The file of weights and where each initialiser is in it; nil for those that stay in the model.
  private struct ExternalData {
    let file: AtomicFile
    let location: String
    var offsets: [Int?] = []
  }

  private func writeExternalData(to path: String) throws(FileError) -> ExternalData {
    let location = path.split(separator: "/").last.map(String.init) ?? path
    var data = ExternalData(file: try AtomicFile(path: path), location: location)
    for (_, tensor) in model.initializers.map({ ($0.value, $0.tensor) }) {
      guard tensor.byteCount >= Self.smallestExternalTensor else {
        data.offsets.append(nil)
        continue
      }
      try data.file.pad(to: Self.externalAlignment)
      data.offsets.append(data.file.count)
      try write(tensor, to: data.file)
    }
    return data
  }

  private func rawByteCount(_ index: Int, _ external: ExternalData?) -> Int {
    external?.offsets[index] == nil ? model.initializers[index].tensor.byteCount : 0
  }

  /// ModelProto up to the graph's own bytes.
  private func encodedPrelude(graphByteCount: Int) -> MessageBytes {
    var operatorSet = MessageBytes()
    operatorSet.string(1, "")
    operatorSet.int(2, options.opset)
    var prelude = MessageBytes()
    prelude.int(1, Self.irVersion(opset: options.opset))
    prelude.string(2, "sepal")
    if !options.producerVersion.isEmpty { prelude.string(3, options.producerVersion) }
    prelude.message(8, operatorSet)
    prelude.start(7, byteCount: graphByteCount)
    return prelude
  }

  /// The version of the file format that came with an operator set, so that readers of that time take the file.
  static func irVersion(opset: Int) -> Int {
    switch opset {
    case ...14: 7
    case ...18: 8
    case ...20: 9
    case ...22: 10
    case 23: 11
    case 24: 12
    case ...27: 13
    default: 14
    }
  }

  /// The nodes and the name of GraphProto.
  private func encodedNodes() -> MessageBytes {
    var graph = MessageBytes()
    var nodeNames = UniqueNames()
    for node in model.nodes {
      var message = MessageBytes()
      for input in node.inputs { message.string(1, input.map { names[$0] } ?? "") }
      for output in node.outputs { message.string(2, output.map { names[$0] } ?? "") }
      message.string(3, nodeNames.name(for: node.name, node.opType))
      message.string(4, node.opType)
      for (name, value) in node.attributes.list { message.message(5, encoded(name, value)) }
      graph.message(1, message)
    }
    graph.string(2, model.name)
    return graph
  }

  /// The inputs and outputs of GraphProto.
  private func encodedBorders() -> MessageBytes {
    var graph = MessageBytes()
    for (value, type) in model.inputs { graph.message(11, encoded(value, type)) }
    for (value, type) in model.outputs { graph.message(12, encoded(value, type)) }
    return graph
  }

  private func encoded(_ value: ExportedValue, _ type: TensorType) -> MessageBytes {
    var shape = MessageBytes()
    for extent in type.shape {
      var dimension = MessageBytes()
      dimension.int(1, extent)
      shape.message(1, dimension)
    }
    var tensor = MessageBytes()
    tensor.int(1, Int(ONNXDataType(type.element).rawValue))
    tensor.message(2, shape)
    var kind = MessageBytes()
    kind.message(1, tensor)
    var message = MessageBytes()
    message.string(1, names[value])
    message.message(2, kind)
    return message
  }

  private func encoded(_ name: String, _ value: ExportedAttribute) -> MessageBytes {
    var message = MessageBytes()
    message.string(1, name)
    switch value {
    case .float(let value):
      message.float(2, Float(value))
      message.int(20, 1)
    case .int(let value):
      message.int(3, value)
      message.int(20, 2)
    case .string(let value):
      message.string(4, value)
      message.int(20, 3)
    case .floats(let values):
      for value in values { message.float(7, Float(value)) }
      message.int(20, 6)
    case .ints(let values):
      for value in values { message.int(8, value) }
      message.int(20, 7)
    case .strings(let values):
      for value in values { message.string(9, value) }
      message.int(20, 8)
    }
    return message
  }

  /// TensorProto up to the elements, which are its last field.
  private func head(_ index: Int, _ external: ExternalData?) -> MessageBytes {
    let initializer = model.initializers[index]
    var message = MessageBytes()
    for extent in initializer.tensor.shape { message.int(1, extent) }
    message.int(2, Int(ONNXDataType(initializer.tensor.element).rawValue))
    message.string(8, names[initializer.value])
    if let external, let offset = external.offsets[index] {
      let entries = [
        ("location", external.location), ("offset", String(offset)),
        ("length", String(initializer.tensor.byteCount)),
      ]
      for (key, value) in entries {
        var entry = MessageBytes()
        entry.string(1, key)
        entry.string(2, value)
        message.message(13, entry)
      }
      message.int(14, 1)
    } else {
      message.start(9, byteCount: initializer.tensor.byteCount)
    }
    return message
  }
}
