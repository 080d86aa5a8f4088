import CSepalSchema
import SepalGraph
import SepalTensor

/// Turns a graph into the messages of `schemas/sepal.proto`. Values are numbered inputs first, then in the
/// order in which nodes read and make them, so that equal graphs give equal bytes.
struct GraphEncoder {
  let graph: Graph
  private let nodes: [Node]
  private var order: [ValueID] = []
  private var index: [ValueID: UInt32] = [:]
  /// In file order.
  private(set) var constants: [Tensor] = []

  init(_ graph: Graph) {
    self.graph = graph
    nodes = graph.nodes
    for id in graph.inputs { add(id) }
    for node in nodes {
      for input in node.inputs { add(input) }
      for output in node.outputs { add(output) }
    }
    for output in graph.outputs { add(output.value) }
  }

  private mutating func add(_ id: ValueID?) {
    guard let id, index[id] == nil else { return }
    index[id] = UInt32(order.count)
    order.append(id)
    if let constant = graph.constant(id) { constants.append(constant) }
  }

  private func position(_ id: ValueID) -> UInt32 { index[id] ?? 0 }

  func graphSection(_ stored: [StoredConstant]) -> [UInt8] {
    let arena = MessageArena()
    var nextConstant = 0
    let values = order.map { id in
      let value = graph.value(id)
      var constant: StoredConstant?
      if value.isConstant {
        constant = stored[nextConstant]
        nextConstant += 1
      }
      return encode(value, constant, arena)
    }
    let nodes = nodes.map { encode($0, arena) }
    let outputs = graph.outputs.map { output in
      arena.message(sepal__output__init) { message in
        message.name = arena.string(output.name)
        (message.has_value, message.value) = (1, position(output.value))
      }
    }
    let inputs = graph.inputs.map(position)
    let message = arena.message(sepal__graph__init) { message in
      message.name = arena.string(graph.name)
      (message.n_value, message.value) = (values.count, arena.array(values))
      (message.n_node, message.node) = (nodes.count, arena.array(nodes))
      (message.n_input, message.input) = (inputs.count, arena.array(inputs))
      (message.n_output, message.output) = (outputs.count, arena.array(outputs))
    }
    return MessageArena.pack(message)
  }

  private func encode(
    _ value: Value, _ constant: StoredConstant?, _ arena: MessageArena
  ) -> UnsafeMutablePointer<Sepal__Value>? {
    arena.message(sepal__value__init) { message in
      message.name = arena.string(value.name)
      (message.has_element, message.element) = (1, UInt32(value.type.element.rawValue))
      (message.n_dim, message.dim) = (value.type.rank, arena.array(value.type.shape.map { UInt64($0) }))
      guard let constant else { return }
      message.constant = arena.message(sepal__constant__init) { message in
        (message.has_offset, message.offset) = (1, constant.offset)
        (message.has_stored_length, message.stored_length) = (1, constant.length)
        (message.has_codec, message.codec) = (1, constant.codec.rawValue)
        (message.has_crc32, message.crc32) = (1, constant.crc32)
      }
    }
  }

  private func encode(_ node: Node, _ arena: MessageArena) -> UnsafeMutablePointer<Sepal__Node>? {
    let inputs = node.inputs.map { input in input.map { position($0) + 1 } ?? 0 }
    let outputs = node.outputs.map(position)
    let attributes = node.op.attributes.map { name, value in
      arena.message(sepal__attribute__init) { message in
        message.name = arena.string(name)
        message.has_kind = 1
        switch value {
        case .int(let value):
          message.kind = SEPAL__ATTRIBUTE__KIND__INT
          (message.has_int_, message.int_) = (1, Int64(value))
        case .float(let value):
          message.kind = SEPAL__ATTRIBUTE__KIND__FLOAT
          (message.has_float_, message.float_) = (1, value)
        case .string(let value):
          message.kind = SEPAL__ATTRIBUTE__KIND__STRING
          message.string = arena.string(value)
        case .ints(let values):
          message.kind = SEPAL__ATTRIBUTE__KIND__INTS
          (message.n_ints, message.ints) = (values.count, arena.array(values.map { Int64($0) }))
        case .floats(let values):
          message.kind = SEPAL__ATTRIBUTE__KIND__FLOATS
          (message.n_floats, message.floats) = (values.count, arena.array(values))
        }
      }
    }
    return arena.message(sepal__node__init) { message in
      message.name = arena.string(node.name)
      message.op = arena.string(node.op.name)
      (message.n_input, message.input) = (inputs.count, arena.array(inputs))
      (message.n_output, message.output) = (outputs.count, arena.array(outputs))
      (message.n_attribute, message.attribute) = (attributes.count, arena.array(attributes))
    }
  }

  func originsSection() -> [UInt8] {
    let arena = MessageArena()
    let entries = order.filter { !graph.value($0).origins.isEmpty }.map { id in
      let origins = graph.value(id).origins.map { origin in
        arena.message(sepal__origins__origin__init) { message in
          message.name = arena.string(origin.name)
          let permutation = origin.permutation.map { UInt32($0) }
          (message.n_permutation, message.permutation) = (permutation.count, arena.array(permutation))
        }
      }
      return arena.message(sepal__origins__entry__init) { message in
        (message.has_value, message.value) = (1, position(id))
        (message.n_origin, message.origin) = (origins.count, arena.array(origins))
      }
    }
    return MessageArena.pack(
      arena.message(sepal__origins__init) { message in
        (message.n_entry, message.entry) = (entries.count, arena.array(entries))
      })
  }

  func rewritesSection() -> [UInt8] {
    let arena = MessageArena()
    let provenance = graph.provenance
    let records = provenance.rewrites.map { record in
      arena.message(sepal__rewrites__record__init) { message in
        message.pass = arena.string(record.pass)
        (message.n_before, message.before) = (record.before.count, arena.strings(record.before))
        (message.n_after, message.after) = (record.after.count, arena.strings(record.after))
        (message.n_origin, message.origin) = (record.origins.count, arena.strings(record.origins))
        message.has_exactness = 1
        switch record.exactness {
        case .exact: message.exactness = SEPAL__REWRITES__EXACTNESS__EXACT
        case .reassociated: message.exactness = SEPAL__REWRITES__EXACTNESS__REASSOCIATED
        case .approximate(let bound):
          message.exactness = SEPAL__REWRITES__EXACTNESS__APPROXIMATE
          (message.has_bound, message.bound) = (1, bound)
        }
        if let witness = record.witness {
          (message.has_witness, message.witness) = (1, arena.data(witness.digestBytes))
          (message.has_constants, message.constants) = (1, arena.data(witness.constantsBytes))
        }
      }
    }
    return MessageArena.pack(
      arena.message(sepal__rewrites__init) { message in
        message.source_format = arena.string(provenance.sourceFormat)
        message.producer = arena.string(provenance.producer)
        message.source_digest = arena.string(provenance.sourceDigest)
        (message.has_source_node_count, message.source_node_count) = (1, UInt64(provenance.sourceNodeCount))
        (message.n_record, message.record) = (records.count, arena.array(records))
        message.tool_version = arena.string(provenance.toolVersion)
        let disabled = provenance.disabledPasses
        (message.n_disabled_pass, message.disabled_pass) = (disabled.count, arena.strings(disabled))
        message.separation = arena.string(provenance.separation)
        message.cost_unit = arena.string(provenance.costUnit)
        (message.has_is_calibrated, message.is_calibrated) = (1, provenance.isCalibrated ? 1 : 0)
      })
  }
}
