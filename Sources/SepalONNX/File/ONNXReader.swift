import CONNXSchema
import SepalTensor
import SepalWire

extension ONNXModel {
  /// Reads a model file. Tensors stay in the file, which is mapped as long as one of them is in use.
  package init(contentsOf path: String) throws(ONNXError) {
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    self = try reading(path) { (storage) throws(ONNXError) in try ONNXModel(storage, folder: folder) }
  }

  /// Reads a model from memory. Files with external data are looked for in `folder`, if there is one.
  package init(_ storage: TensorStorage, folder: String?) throws(ONNXError) {
    var reader = ONNXReader(storage, folder: folder)
    self = try reader.model()
  }
}

extension ONNXTensor {
  /// Reads a file that holds one tensor, as the data sets that come with models do.
  package init(contentsOf path: String) throws(ONNXError) {
    self = try reading(path) { (storage) throws(ONNXError) in
      var reader = ONNXReader(storage, folder: nil)
      return try reader.initializer(0..<storage.bytes.count)
    }
  }
}

/// What `read` makes of a file, which every error names.
private func reading<Result>(
  _ path: String, _ read: (TensorStorage) throws(ONNXError) -> Result
) throws(ONNXError) -> Result {
  do throws(ONNXError) {
    let storage: TensorStorage
    do throws(FileError) {
      storage = try TensorStorage.mapping(path: path)
    } catch {
      throw ONNXError(error.code == .missing ? .missingFile : .unreadable, error.message)
    }
    return try read(storage)
  } catch {
    var error = error
    error.file = path
    throw error
  }
}

/// Reads a model message by message: the scanner checks each node, tensor and value on its own, protobuf-c
/// unpacks it, and its C form is gone before the next one is read.
struct ONNXReader {
  let storage: TensorStorage
  var budget: MemoryBudget
  var external: ExternalData
  private var scanner: WireScanner
  private let arena = UnpackArena()
  private(set) var opsets: [String: Int] = [:]
  /// "domain.name" of the operators that the model defines itself.
  private var functions: Set<String> = []

  init(_ storage: TensorStorage, folder: String?) {
    self.storage = storage
    budget = MemoryBudget(fileSize: storage.bytes.count)
    external = ExternalData(folder: folder)
    scanner = WireScanner(
      storage.bytes,
      payloads: PayloadRule(
        schema: ONNXSchema.tensor, fields: Set(PayloadPiece.Field.allCases.map(\.rawValue)),
        token: PayloadPiece.Field.raw.rawValue))
  }

  /// The payloads of the message being unpacked, by the index that stands in for `raw_data`.
  var payloads: [[PayloadPiece]] { scanner.payloads }

  mutating func model() throws(ONNXError) -> ONNXModel {
    guard !storage.bytes.isEmpty else { throw ONNXError(.malformed, "is empty, expected an ONNX model") }
    var irVersion: Int64 = 0
    var producer = ["", ""]
    var graphRange: Range<Int>?
    var cursor = WireCursor(storage.bytes, 0..<storage.bytes.count, schema: ONNXSchema.model)
    while let field = try next(&cursor) {
      switch field.number {
      case 1:
        var position = field.value.lowerBound
        let value = storage.bytes.varint(at: &position, end: field.value.upperBound)
        irVersion = value.map { Int64(bitPattern: $0) } ?? 0
      case 2, 3:
        producer[Int(field.number) - 2] = String(
          decoding: storage.bytes[field.value].prefix(256), as: UTF8.self)
      case 7:
        guard graphRange == nil else { throw ONNXError(.malformed, "holds two graphs, expected one") }
        graphRange = field.value
      case 8: try add(operatorSet: field.value)
      case 25: try add(function: field.value)
      default: break
      }
    }
    guard let graphRange else { throw ONNXError(.invalid, "holds no graph: expected an ONNX model") }
    let graph = try graph(graphRange)
    try refuseFunctionCalls(graph)
    return ONNXModel(
      irVersion: irVersion, opsets: opsets,
      producer: producer.filter { !$0.isEmpty }.joined(separator: " "), graph: graph,
      externalFiles: external.paths)
  }

  private mutating func graph(_ range: Range<Int>) throws(ONNXError) -> ONNXGraph {
    var graph = ONNXGraph(name: "", nodes: [], initializers: [], inputs: [], outputs: [], valueInfo: [])
    try reserve(&graph, range)
    var cursor = WireCursor(storage.bytes, range, schema: ONNXSchema.graph)
    while let field = try next(&cursor) {
      switch field.number {
      case 1: graph.nodes.append(try node(field.value, index: graph.nodes.count))
      case 2: graph.name = String(decoding: storage.bytes[field.value].prefix(256), as: UTF8.self)
      case 5: graph.initializers.append(try initializer(field.value))
      case 11: graph.inputs.append(try valueInfo(field.value))
      case 12: graph.outputs.append(try valueInfo(field.value))
      case 13: graph.valueInfo.append(try valueInfo(field.value))
      case 15: graph.initializers.append(try sparseInitializer(field.value))
      default: break
      }
    }
    return graph
  }

  /// Sizes the lists of the graph, after a walk over the lengths alone.
  private mutating func reserve(_ graph: inout ONNXGraph, _ range: Range<Int>) throws(ONNXError) {
    var counts: [UInt32: Int] = [:]
    var cursor = WireCursor(storage.bytes, range, schema: ONNXSchema.graph)
    while let field = try next(&cursor) { counts[field.number, default: 0] += 1 }
    let (nodes, initializers) = (counts[1, default: 0], counts[5, default: 0] + counts[15, default: 0])
    let (inputs, outputs, values) = (counts[11, default: 0], counts[12, default: 0], counts[13, default: 0])
    try budget.charge(nodes * MemoryLayout<ONNXNode>.stride)
    try budget.charge(initializers * MemoryLayout<ONNXTensor>.stride)
    try budget.charge((inputs + outputs + values) * MemoryLayout<ONNXValueInfo>.stride)
    graph.nodes.reserveCapacity(nodes)
    graph.initializers.reserveCapacity(initializers)
    graph.inputs.reserveCapacity(inputs)
    graph.outputs.reserveCapacity(outputs)
    graph.valueInfo.reserveCapacity(values)
  }

  private mutating func node(_ range: Range<Int>, index: Int) throws(ONNXError) -> ONNXNode {
    try scan(range, ONNXSchema.node, depth: 3)
    return try unpack(ONNXSchema.node, Onnx__NodeProto.self) { reader, message throws(ONNXError) in
      try reader.convert(node: message, index: index)
    }
  }

  fileprivate mutating func initializer(_ range: Range<Int>) throws(ONNXError) -> ONNXTensor {
    try scan(range, ONNXSchema.tensor, depth: 3)
    return try unpack(ONNXSchema.tensor, Onnx__TensorProto.self) { reader, message throws(ONNXError) in
      try reader.convert(tensor: message)
    }
  }

  private mutating func sparseInitializer(_ range: Range<Int>) throws(ONNXError) -> ONNXTensor {
    try scan(range, ONNXSchema.sparseTensor, depth: 3)
    return try unpack(ONNXSchema.sparseTensor, Onnx__SparseTensorProto.self) {
      reader, message throws(ONNXError) in
      try reader.convert(sparse: message)
    }
  }

  private mutating func valueInfo(_ range: Range<Int>) throws(ONNXError) -> ONNXValueInfo {
    try scan(range, ONNXSchema.valueInfo, depth: 3)
    return try unpack(ONNXSchema.valueInfo, Onnx__ValueInfoProto.self) { reader, message throws(ONNXError) in
      try reader.convert(valueInfo: message)
    }
  }

  private mutating func add(operatorSet range: Range<Int>) throws(ONNXError) {
    try scan(range, ONNXSchema.operatorSet, depth: 2)
    try unpack(ONNXSchema.operatorSet, Onnx__OperatorSetIdProto.self) { reader, message throws(ONNXError) in
      let domain = try reader.domain(message.domain)
      guard let version = Int(exactly: message.version), version > 0, version <= Int(Int32.max) else {
        throw ONNXError(.invalid, "imports version \(message.version) of operator set '\(domain)'")
      }
      guard reader.opsets[domain] == nil || reader.opsets[domain] == version else {
        throw ONNXError(.invalid, "imports two versions of operator set '\(domain)'")
      }
      try reader.budget.charge(128)
      reader.opsets[domain] = version
    }
  }

  private mutating func add(function range: Range<Int>) throws(ONNXError) {
    try scan(range, ONNXSchema.function, depth: 2)
    try unpack(ONNXSchema.function, Onnx__FunctionProto.self) { reader, message throws(ONNXError) in
      let (domain, name) = (try reader.domain(message.domain), try reader.text(message.name))
      try reader.budget.charge(128)
      reader.functions.insert("\(domain).\(name)")
    }
  }

  private func refuseFunctionCalls(_ graph: ONNXGraph) throws(ONNXError) {
    guard !functions.isEmpty else { return }
    let called = Set(graph.nodes.map { "\($0.domain).\($0.opType)" }).intersection(functions)
    guard called.isEmpty else {
      let names = called.sorted().map { "'\($0)'" }.joined(separator: ", ")
      throw ONNXError(
        .unsupported, "calls operators that it defines itself, which is not supported: \(names)")
    }
  }

  private func next(_ cursor: inout WireCursor) throws(ONNXError) -> WireField? {
    do {
      return try cursor.next()
    } catch {
      throw ONNXError(error)
    }
  }

  private mutating func scan(
    _ range: Range<Int>, _ schema: ONNXSchema.Descriptor, depth: Int
  ) throws(ONNXError) {
    do {
      try scanner.scan(range, as: schema, depth: depth, allowance: budget.scratchLimit)
    } catch {
      throw ONNXError(error)
    }
  }

  /// Unpacks what was scanned last.
  private mutating func unpack<Message, Result>(
    _ schema: ONNXSchema.Descriptor, _: Message.Type,
    _ body: (inout ONNXReader, Message) throws(ONNXError) -> Result
  ) throws(ONNXError) -> Result {
    try budget.chargeScratch(scanner.output.count + scanner.unpackedBytes)
    let result = try arena.unpack(
      scanner.output, as: schema, Message.self, capacity: scanner.unpackedBytes
    ) { message throws(ONNXError) in
      try body(&self, message)
    }
    guard let result else {
      throw ONNXError(.malformed, "has a broken \(String(cString: schema.pointee.short_name))")
    }
    return result
  }
}

extension ONNXError {
  fileprivate init(_ error: WireError) {
    let malformed = error.code == .malformed
    let prefix = malformed ? "is not a well-formed ONNX model: " : "is refused: "
    self.init(malformed ? .malformed : .limit, "\(prefix)\(error.message) at byte \(error.offset)")
  }
}
