import CSepalSchema
import SepalGraph
import SepalTensor
import SepalWire

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Builds a graph from the messages of `schemas/sepal.proto`, one message at a time: the scanner checks it,
/// protobuf-c unpacks it, and its C form is gone before the next one is read.
final class GraphDecoder {
  private(set) var graph = Graph()
  private var constants: ConstantReader
  private var budget: Int
  private let arena = UnpackArena()

  /// What a value's message says; node outputs get their id when their node is added.
  private struct ValueEntry {
    var name: String
    var type: TensorType
    var constant: StoredConstant?
    var id: ValueID?
  }
  private var entries: [ValueEntry] = []

  /// - Parameter memory: bytes that the graph may take; what is known to take more is refused.
  init(memory: Int, constants: ConstantReader) {
    self.constants = constants
    budget = memory
  }

  func decodeGraph(_ storage: TensorStorage) throws(FormatError) {
    var nodes: [Range<Int>] = []
    var inputs: [UInt32] = []
    var outputs: [(name: String, value: UInt32)] = []
    var cursor = WireCursor(storage.bytes, 0..<storage.bytes.count, schema: Schema.graph)
    while let field = try next(&cursor, "GRAPH") {
      switch field.number {
      case 1: graph.name = String(decoding: storage.bytes[field.value].prefix(256), as: UTF8.self)
      case 2:
        let value = try unpack(storage, field.value, Schema.value, Sepal__Value.self, decode(value:))
        // The entry, and the value that it becomes.
        try charge(320 + value.name.utf8.count + 8 * value.type.rank)
        entries.append(value)
      case 3:
        try charge(MemoryLayout<Range<Int>>.stride)
        nodes.append(field.value)
      case 4:
        var position = field.value.lowerBound
        while position < field.value.upperBound,
          let index = storage.bytes.varint(at: &position, end: field.value.upperBound)
        {
          try charge(MemoryLayout<UInt32>.stride)
          inputs.append(UInt32(truncatingIfNeeded: min(index, UInt64(UInt32.max))))
        }
      case 5:
        let output = try unpack(storage, field.value, Schema.output, Sepal__Output.self) {
          message throws(FormatError) in (text(message.name), message.value)
        }
        try charge(64 + output.0.utf8.count)
        outputs.append(output)
      default: break
      }
    }
    try addInputs(inputs)
    try addConstants()
    for range in nodes {
      try unpack(storage, range, Schema.node, Sepal__Node.self) { message throws(FormatError) in
        try add(node: message)
      }
    }
    for output in outputs {
      guard let id = try entry(output.value, "output '\(output.name)'").id else {
        throw FormatError(.malformed, "output '\(output.name)' reads a value that nothing defines")
      }
      graph.addOutput(output.name, id)
    }
    do {
      try graph.verify()
    } catch {
      throw FormatError(.malformed, "\(error)")
    }
  }

  private func addInputs(_ indices: [UInt32]) throws(FormatError) {
    for index in indices {
      let entry = try entry(index, "the input list")
      guard entry.constant == nil, entry.id == nil else {
        throw FormatError(.malformed, "input '\(entry.name)' is defined twice")
      }
      let id = graph.addInput(entry.name, entry.type)
      entries[Int(index)].id = id
    }
  }

  private func addConstants() throws(FormatError) {
    for (index, entry) in entries.enumerated() {
      guard let stored = entry.constant else { continue }
      guard entry.id == nil else { throw FormatError(.malformed, "input '\(entry.name)' is a constant") }
      let tensor = try constants.read(entry.type, stored, name: entry.name)
      entries[index].id = graph.addConstant(entry.name, tensor)
    }
    try constants.checkDisjoint()
  }

  private func decode(value message: Sepal__Value) throws(FormatError) -> ValueEntry {
    let name = text(message.name)
    guard message.element <= UInt32(UInt8.max), let element = ElementType(rawValue: UInt8(message.element))
    else {
      throw FormatError(.unsupported, "value '\(name)' has the unknown element type \(message.element)")
    }
    let shape = (0..<message.n_dim).compactMap { Int(exactly: message.dim[$0]) }
    guard shape.count == message.n_dim, shape.count <= TensorType.maximumRank,
      TensorType.checkedCount(shape) != nil
    else { throw FormatError(.malformed, "value '\(name)' has an impossible shape") }
    var constant: StoredConstant?
    if let stored = message.constant?.pointee {
      guard let codec = TensorCodec(rawValue: stored.codec) else {
        throw FormatError(.unsupported, "constant '\(name)' has the unknown codec \(stored.codec)")
      }
      constant = StoredConstant(
        offset: stored.offset, length: stored.stored_length, codec: codec, crc32: stored.crc32)
    }
    return ValueEntry(name: name, type: TensorType(element, shape), constant: constant)
  }

  private func add(node message: Sepal__Node) throws(FormatError) {
    let (name, opName) = (text(message.name), text(message.op))
    func malformed(_ reason: String) -> FormatError {
      FormatError(.malformed, "node '\(name)' (\(opName)): \(reason)")
    }
    guard let type = OperatorRegistry.type(named: opName) else {
      throw FormatError(.unsupported, "node '\(name)' has the unknown operator '\(opName)'")
    }
    try charge(384 + name.utf8.count + 64 * Int(message.n_input + message.n_output))
    var attributes: [(name: String, value: AttributeValue)] = []
    for index in 0..<message.n_attribute {
      guard let attribute = message.attribute[index]?.pointee else { continue }
      attributes.append((text(attribute.name), value(of: attribute)))
    }
    var inputs: [ValueID?] = []
    for index in 0..<message.n_input {
      let position = message.input[index]
      if position == 0 {
        inputs.append(nil)
        continue
      }
      guard let id = try entry(position - 1, "node '\(name)'").id else {
        throw malformed("reads a value that no earlier node defines")
      }
      inputs.append(id)
    }
    let outputs = (0..<message.n_output).map { message.output[$0] }
    var outputNames: [String] = []
    for output in outputs { outputNames.append(try entry(output, "node '\(name)'").name) }
    let ids: [ValueID]
    do {
      let op = try type.make(attributes)
      ids = try graph.add(op, name: name, inputs: inputs, outputNames: outputNames)
    } catch let error as GraphError {
      throw FormatError(.malformed, "\(error)")
    } catch {
      throw malformed("\(error)")
    }
    guard ids.count == outputs.count else {
      throw malformed("lists \(outputs.count) outputs, expected \(ids.count)")
    }
    for (output, id) in zip(outputs, ids) {
      let entry = entries[Int(output)]
      guard entry.id == nil, entry.constant == nil else {
        throw malformed("defines '\(entry.name)' a second time")
      }
      guard graph.type(of: id) == entry.type else {
        throw malformed("makes \(graph.type(of: id)), the file says \(entry.type)")
      }
      entries[Int(output)].id = id
    }
  }

  private func value(of attribute: Sepal__Attribute) -> AttributeValue {
    switch attribute.kind {
    case SEPAL__ATTRIBUTE__KIND__FLOAT: .float(attribute.float_)
    case SEPAL__ATTRIBUTE__KIND__STRING: .string(text(attribute.string))
    case SEPAL__ATTRIBUTE__KIND__INTS: .ints((0..<attribute.n_ints).map { Int(attribute.ints[$0]) })
    case SEPAL__ATTRIBUTE__KIND__FLOATS: .floats((0..<attribute.n_floats).map { attribute.floats[$0] })
    default: .int(Int(attribute.int_))
    }
  }

  func decodeOrigins(_ storage: TensorStorage) throws(FormatError) {
    var cursor = WireCursor(storage.bytes, 0..<storage.bytes.count, schema: Schema.origins)
    while let field = try next(&cursor, "ORIGINS") {
      try unpack(storage, field.value, Schema.originEntry, Sepal__Origins__Entry.self) {
        message throws(FormatError) in
        let entry = try entry(message.value, "section ORIGINS")
        guard let id = entry.id else { return }
        var origins: [Origin] = []
        for index in 0..<message.n_origin {
          guard let origin = message.origin[index]?.pointee else { continue }
          let permutation = (0..<origin.n_permutation).map { Int(origin.permutation[$0]) }
          guard permutation.isEmpty || permutation.sorted() == Array(0..<entry.type.rank) else {
            throw FormatError(.malformed, "'\(entry.name)' has an origin with an impossible permutation")
          }
          try charge(64 + (origin.name.map { strlen($0) } ?? 0) + 8 * permutation.count)
          origins.append(Origin(text(origin.name), permutation: permutation))
        }
        graph.addOrigins(origins, to: id)
      }
    }
  }

  func decodeRewrites(_ storage: TensorStorage) throws(FormatError) {
    var cursor = WireCursor(storage.bytes, 0..<storage.bytes.count, schema: Schema.rewrites)
    while let field = try next(&cursor, "REWRITES") {
      let range = field.value
      switch field.number {
      case 1:
        graph.provenance.sourceFormat = String(decoding: storage.bytes[range].prefix(256), as: UTF8.self)
      case 2: graph.provenance.producer = String(decoding: storage.bytes[range].prefix(256), as: UTF8.self)
      case 3: graph.provenance.sourceDigest = String(decoding: storage.bytes[range].prefix(64), as: UTF8.self)
      case 4:
        var position = range.lowerBound
        let count = storage.bytes.varint(at: &position, end: range.upperBound)
        graph.provenance.sourceNodeCount = Int(clamping: count ?? 0)
      case 5:
        try unpack(storage, range, Schema.rewriteRecord, Sepal__Rewrites__Record.self) {
          message throws(FormatError) in
          func list(_ count: Int, _ items: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> [String] {
            (0..<count).map { text(items?[$0]) }
          }
          // Strings of up to 15 bytes take 16, longer ones a block of their own.
          try charge(128 + 3 * range.count)
          let exactness: Exactness =
            switch message.exactness {
            case SEPAL__REWRITES__EXACTNESS__REASSOCIATED: .reassociated
            case SEPAL__REWRITES__EXACTNESS__APPROXIMATE: .approximate(message.bound)
            default: .exact
            }
          // Each digest of 16 bytes becomes a string of twice as many.
          try charge(6 * message.constants.len)
          let witness: RewriteWitness? =
            message.has_witness != 0
            ? RewriteWitness(
              digest: [UInt8](UnsafeBufferPointer(start: message.witness.data, count: message.witness.len)),
              constants: [UInt8](
                UnsafeBufferPointer(start: message.constants.data, count: message.constants.len))) : nil
          graph.provenance.rewrites.append(
            RewriteRecord(
              pass: text(message.pass), before: list(message.n_before, message.before),
              after: list(message.n_after, message.after), origins: list(message.n_origin, message.origin),
              exactness: exactness, witness: witness))
        }
      case 6: graph.provenance.toolVersion = String(decoding: storage.bytes[range].prefix(64), as: UTF8.self)
      case 7:
        try charge(64 + range.count)
        graph.provenance.disabledPasses.append(String(decoding: storage.bytes[range], as: UTF8.self))
      case 8: graph.provenance.separation = String(decoding: storage.bytes[range].prefix(64), as: UTF8.self)
      case 9: graph.provenance.costUnit = String(decoding: storage.bytes[range].prefix(64), as: UTF8.self)
      case 10:
        var position = range.lowerBound
        let value = storage.bytes.varint(at: &position, end: range.upperBound)
        graph.provenance.isCalibrated = value.map { $0 != 0 } ?? false
      default: break
      }
    }
  }

  func addGolden(_ vector: GoldenVector) { graph.provenance.golden.append(vector) }

  private func entry(_ index: UInt32, _ reader: String) throws(FormatError) -> ValueEntry {
    guard index < entries.count else {
      throw FormatError(.malformed, "\(reader) reads value \(index) of \(entries.count)")
    }
    return entries[Int(index)]
  }

  func text(_ string: UnsafeMutablePointer<CChar>?) -> String {
    string.map { String(cString: $0) } ?? ""
  }

  func next(_ cursor: inout WireCursor, _ section: String) throws(FormatError) -> WireField? {
    do {
      return try cursor.next()
    } catch {
      throw FormatError(.malformed, "section \(section): \(error.message) at byte \(error.offset)")
    }
  }

  func charge(_ bytes: Int) throws(FormatError) {
    guard bytes <= budget else {
      throw FormatError(.malformed, "declares more than the size of the file justifies")
    }
    budget -= bytes
  }

  /// Scans, unpacks and converts the message in `range`.
  @discardableResult
  func unpack<Message, Result>(
    _ storage: TensorStorage, _ range: Range<Int>, _ schema: Schema.Descriptor, _: Message.Type,
    _ body: (Message) throws(FormatError) -> Result
  ) throws(FormatError) -> Result {
    var scanner = WireScanner(storage.bytes)
    do {
      try scanner.scan(range, as: schema, depth: 2, allowance: budget)
    } catch {
      throw FormatError(.malformed, "\(error.message) at byte \(error.offset) of its section")
    }
    let result = try arena.unpack(
      scanner.output, as: schema, Message.self, capacity: scanner.unpackedBytes, body)
    guard let result else {
      throw FormatError(.malformed, "has a broken \(String(cString: schema.pointee.short_name))")
    }
    return result
  }
}
