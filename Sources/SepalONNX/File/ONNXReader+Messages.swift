import CONNXSchema
import SepalTensor
import SepalWire

/// From the structs of protobuf-c to Swift values that own what they hold.
extension ONNXReader {
  mutating func convert(node message: Onnx__NodeProto, index: Int) throws(ONNXError) -> ONNXNode {
    let domain = try domain(message.domain)
    var node = ONNXNode(
      name: try text(message.name), opType: try text(message.op_type), domain: domain,
      opset: opsets[domain] ?? 0, index: index, inputs: [], outputs: [], attributes: [:])
    do throws(ONNXError) {
      node.inputs = try texts(message.input, message.n_input)
      node.outputs = try texts(message.output, message.n_output)
      if message.n_attribute > 0 {
        // A dictionary doubles its buckets before they are full.
        let bucket = MemoryLayout<String>.stride + MemoryLayout<ONNXAttribute>.stride
        try budget.charge(64 + message.n_attribute * 2 * bucket)
        node.attributes.reserveCapacity(message.n_attribute)
      }
      for attribute in messages(message.attribute, message.n_attribute) {
        let name = try text(attribute.name)
        guard !name.isEmpty else { throw ONNXError(.invalid, "has an attribute without a name") }
        guard node.attributes.updateValue(try convert(attribute: attribute), forKey: name) == nil else {
          throw ONNXError(.invalid, "occurs twice", attribute: name)
        }
      }
    } catch {
      guard error.code != .limit else { throw error }
      throw node.error(error.code, error.message, attribute: error.attribute, tensor: error.tensor)
    }
    return node
  }

  private mutating func convert(
    attribute message: Onnx__AttributeProto
  ) throws(ONNXError) -> ONNXAttribute {
    if let reference = message.ref_attr_name, reference.pointee != 0 {
      return .unsupported("reference to an attribute of a function")
    }
    let declared = message.has_type != 0 ? message.type : ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED
    switch declared == ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED ? message.presentType : declared {
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED: return .emptyList
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT: return .float(message.f)
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT: return .int(message.i)
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING: return .string(try array(message.s))
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR:
      guard let tensor = message.t else { throw ONNXError(.invalid, "has an attribute without its tensor") }
      return .tensor(try convert(tensor: tensor.pointee))
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH:
      guard let graph = message.g else { throw ONNXError(.invalid, "has an attribute without its graph") }
      return .graph(name: try text(graph.pointee.name), nodeCount: graph.pointee.n_node)
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS:
      try budget.charge(32 + message.n_floats * MemoryLayout<Float>.stride)
      return .floats(Array(UnsafeBufferPointer(start: message.floats, count: message.n_floats)))
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS:
      try budget.charge(32 + message.n_ints * MemoryLayout<Int64>.stride)
      return .ints(Array(UnsafeBufferPointer(start: message.ints, count: message.n_ints)))
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS:
      var list: [[UInt8]] = []
      for value in UnsafeBufferPointer(start: message.strings, count: message.n_strings) {
        list.append(try array(value))
      }
      return .strings(list)
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSORS:
      var list: [ONNXTensor] = []
      for value in messages(message.tensors, message.n_tensors) { list.append(try convert(tensor: value)) }
      return .tensors(list)
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPHS: return .unsupported("list of graphs")
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__SPARSE_TENSOR:
      guard let tensor = message.sparse_tensor else {
        throw ONNXError(.invalid, "has an attribute without its tensor")
      }
      return .tensor(try convert(sparse: tensor.pointee))
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__SPARSE_TENSORS: return .unsupported("list of sparse tensors")
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TYPE_PROTO: return .unsupported("type")
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TYPE_PROTOS: return .unsupported("list of types")
    default: return .unsupported("value of unknown type \(declared.rawValue)")
    }
  }

  mutating func convert(tensor message: Onnx__TensorProto) throws(ONNXError) -> ONNXTensor {
    let name = try text(message.name)
    try budget.charge(96 + message.n_dims * MemoryLayout<Int64>.stride)
    var tensor = ONNXTensor(
      name: name, dims: Array(UnsafeBufferPointer(start: message.dims, count: message.n_dims)),
      dataType: ONNXDataType(rawValue: message.data_type), payload: .embedded([], storage: storage))
    do throws(ONNXError) {
      if message.segment != nil {
        tensor.payload = .segment
      } else if message.data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL {
        tensor.payload = try external.payload(try entries(message))
      } else if let pieces = payload(message.raw_data) {
        tensor.payload = .embedded(pieces, storage: storage)
        try budget.charge(32 + pieces.count * MemoryLayout<PayloadPiece>.stride)
        try budget.charge(tensor.decodedBytes)
      }
    } catch {
      guard error.code != .limit else { throw error }
      throw ONNXError(error.code, error.message, tensor: name)
    }
    return tensor
  }

  /// The name is that of the values.
  mutating func convert(sparse message: Onnx__SparseTensorProto) throws(ONNXError) -> ONNXTensor {
    guard let values = message.values, let indices = message.indices else {
      throw ONNXError(.invalid, "has a sparse tensor without values or indices")
    }
    let elements = try convert(tensor: values.pointee)
    let positions = try convert(tensor: indices.pointee)
    try budget.charge(96 + message.n_dims * MemoryLayout<Int64>.stride)
    let tensor = ONNXTensor(
      name: elements.name, dims: Array(UnsafeBufferPointer(start: message.dims, count: message.n_dims)),
      dataType: elements.dataType, payload: .sparse(values: elements, indices: positions))
    try budget.charge(tensor.decodedBytes)
    return tensor
  }

  mutating func convert(valueInfo message: Onnx__ValueInfoProto) throws(ONNXError) -> ONNXValueInfo {
    let name = try text(message.name)
    guard let type = message.type?.pointee else { return ONNXValueInfo(name: name, kind: .undeclared) }
    switch type.value_case {
    case ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE:
      let tensor = type.tensor_type.pointee
      var shape: [Dimension]?
      if let dims = tensor.shape?.pointee {
        try budget.charge(32 + dims.n_dim * MemoryLayout<Dimension>.stride)
        var list: [Dimension] = []
        list.reserveCapacity(dims.n_dim)
        for dim in messages(dims.dim, dims.n_dim) { list.append(try convert(dimension: dim, of: name)) }
        shape = list
      }
      return ONNXValueInfo(
        name: name, kind: .tensor(dataType: ONNXDataType(rawValue: tensor.elem_type), shape: shape))
    case ONNX__TYPE_PROTO__VALUE_SEQUENCE_TYPE: return ONNXValueInfo(name: name, kind: .other("sequence"))
    case ONNX__TYPE_PROTO__VALUE_MAP_TYPE: return ONNXValueInfo(name: name, kind: .other("map"))
    case ONNX__TYPE_PROTO__VALUE_OPAQUE_TYPE: return ONNXValueInfo(name: name, kind: .other("opaque"))
    case ONNX__TYPE_PROTO__VALUE_OPTIONAL_TYPE: return ONNXValueInfo(name: name, kind: .other("optional"))
    case ONNX__TYPE_PROTO__VALUE_SPARSE_TENSOR_TYPE:
      return ONNXValueInfo(name: name, kind: .other("sparse tensor"))
    default: return ONNXValueInfo(name: name, kind: .undeclared)
    }
  }

  /// Some exporters write −1 for a dimension that they do not know.
  private mutating func convert(
    dimension message: Onnx__TensorShapeProto__Dimension, of name: String
  ) throws(ONNXError) -> Dimension {
    switch message.value_case {
    case ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE:
      if message.dim_value == -1 { return .symbolic(nil) }
      guard let value = Int(exactly: message.dim_value), value >= 0 else {
        throw ONNXError(
          .invalid, "has the dimension \(message.dim_value), expected 0 or more", tensor: name)
      }
      return .fixed(value)
    case ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM:
      let symbol = try text(message.dim_param)
      return .symbolic(symbol.isEmpty ? nil : symbol)
    default: return .symbolic(nil)
    }
  }

  private func payload(_ token: ProtobufCBinaryData) -> [PayloadPiece]? {
    guard let data = token.data, token.len == 4 else { return nil }
    let index = Int(UInt32(littleEndian: UnsafeRawPointer(data).loadUnaligned(as: UInt32.self)))
    return payloads.indices.contains(index) ? payloads[index] : nil
  }

  /// The entries of `external_data` that say where the bytes are.
  private mutating func entries(_ message: Onnx__TensorProto) throws(ONNXError) -> [String: String] {
    var entries: [String: String] = [:]
    for entry in messages(message.external_data, message.n_external_data) {
      guard let name = entry.key, ExternalData.keys.contains(String(cString: name)) else { continue }
      entries[String(cString: name)] = try text(entry.value)
    }
    return entries
  }

  /// The default domain has two spellings.
  mutating func domain(_ pointer: UnsafeMutablePointer<CChar>?) throws(ONNXError) -> String {
    let name = try text(pointer)
    return name == "ai.onnx" ? "" : name
  }

  /// An absent string is empty.
  mutating func text(_ pointer: UnsafeMutablePointer<CChar>?) throws(ONNXError) -> String {
    guard let pointer else { return "" }
    guard let text = String(validatingCString: pointer) else {
      throw ONNXError(.malformed, "contains a name that is not UTF-8: \(String(cString: pointer))")
    }
    let count = text.utf8.count
    if count > 15 { try budget.charge(32 + count) }
    return text
  }

  private mutating func texts(
    _ pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ count: Int
  ) throws(ONNXError) -> [String] {
    guard count > 0 else { return [] }
    try budget.charge(32 + count * MemoryLayout<String>.stride)
    var list: [String] = []
    list.reserveCapacity(count)
    for pointer in UnsafeBufferPointer(start: pointers, count: count) { list.append(try text(pointer)) }
    return list
  }

  private mutating func array(_ data: ProtobufCBinaryData) throws(ONNXError) -> [UInt8] {
    try budget.charge(40 + data.len)
    return Array(UnsafeBufferPointer(start: data.data, count: data.len))
  }

  private func messages<Message>(
    _ pointers: UnsafeMutablePointer<UnsafeMutablePointer<Message>?>?, _ count: Int
  ) -> some Sequence<Message> {
    UnsafeBufferPointer(start: pointers, count: count).lazy.compactMap { $0?.pointee }
  }
}

extension Onnx__AttributeProto {
  /// The type by the field that is there, for files that do not declare it.
  fileprivate var presentType: Onnx__AttributeProto__AttributeType {
    if has_f != 0 { return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT }
    if has_i != 0 { return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT }
    if has_s != 0 { return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING }
    if t != nil { return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR }
    if g != nil { return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH }
    if n_floats > 0 { return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS }
    if n_ints > 0 { return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS }
    if n_strings > 0 { return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS }
    if n_tensors > 0 { return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSORS }
    if n_graphs > 0 { return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPHS }
    if sparse_tensor != nil { return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__SPARSE_TENSOR }
    if n_sparse_tensors > 0 { return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__SPARSE_TENSORS }
    if tp != nil { return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TYPE_PROTO }
    if n_type_protos > 0 { return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TYPE_PROTOS }
    return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED
  }
}
