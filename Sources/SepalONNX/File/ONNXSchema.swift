import CONNXSchema

/// The schema of each message that is unpacked on its own. Asked for through the initialiser of the message,
/// because that hands out the address of the one constant.
enum ONNXSchema {
  typealias Descriptor = UnsafePointer<ProtobufCMessageDescriptor>

  static var model: Descriptor {
    var message = Onnx__ModelProto()
    onnx__model_proto__init(&message)
    return message.base.descriptor
  }

  static var graph: Descriptor {
    var message = Onnx__GraphProto()
    onnx__graph_proto__init(&message)
    return message.base.descriptor
  }

  static var node: Descriptor {
    var message = Onnx__NodeProto()
    onnx__node_proto__init(&message)
    return message.base.descriptor
  }

  static var tensor: Descriptor {
    var message = Onnx__TensorProto()
    onnx__tensor_proto__init(&message)
    return message.base.descriptor
  }

  static var sparseTensor: Descriptor {
    var message = Onnx__SparseTensorProto()
    onnx__sparse_tensor_proto__init(&message)
    return message.base.descriptor
  }

  static var valueInfo: Descriptor {
    var message = Onnx__ValueInfoProto()
    onnx__value_info_proto__init(&message)
    return message.base.descriptor
  }

  static var operatorSet: Descriptor {
    var message = Onnx__OperatorSetIdProto()
    onnx__operator_set_id_proto__init(&message)
    return message.base.descriptor
  }

  static var function: Descriptor {
    var message = Onnx__FunctionProto()
    onnx__function_proto__init(&message)
    return message.base.descriptor
  }
}
