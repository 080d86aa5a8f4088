extension ModelConfig {
  /// Layers with inbound nodes, in the spelling of Keras 1 and 2 (nested lists) or of Keras 3 (`args` and `kwargs`).
  mutating func readFunctional(_ configuration: JSON, path: String) throws(KerasError) {
    guard let object = configuration.object, let list = object["layers"]?.array else {
      throw KerasError(.invalid, "has no list of layers", layer: path.isEmpty ? nil : path)
    }
    var resolver = NodeResolver(path: path)
    for json in list {
      let layer = try LayerConfig(json, path: path)
      guard resolver.indices.updateValue(layers.count, forKey: layer.name) == nil else {
        throw KerasError(
          .invalid, "has two layers of the name '\(layer.name)'", layer: path.isEmpty ? nil : path)
      }
      layers.append(layer)
    }
    var nodes: [[NodeData]] = []
    for (index, json) in list.enumerated() {
      nodes.append(
        try layers[index].readingNodes(path) { () throws(KerasError) in
          var data: [NodeData] = []
          for call in try Self.inboundNodes(json) { data.append(try resolver.node(call)) }
          return data
        })
    }
    resolver.countCalls(layers, nodes)
    let inputData = try resolver.leaves(object["input_layers"] ?? .null, "input_layers")
    let outputData = try resolver.leaves(object["output_layers"] ?? .null, "output_layers")
    let isLegacy = nodes.contains { $0.contains(where: \.isLegacy) }
    resolver.findOffsets(layers, nodes, borders: inputData + outputData, isLegacy: isLegacy)
    for index in layers.indices {
      let calls = try layers[index].readingNodes(path) { () throws(KerasError) in
        var calls: [Call] = []
        for data in nodes[index] { calls.append(try resolver.call(data)) }
        return calls
      }
      layers[index].calls = calls.isEmpty ? [Call()] : calls
    }
    for leaf in inputData {
      inputs.append(source(of: try resolver.reference(leaf.reference, isBorder: true)))
    }
    for leaf in outputData { outputs.append(try resolver.reference(leaf.reference, isBorder: true)) }
    guard !inputs.isEmpty, !outputs.isEmpty else {
      throw KerasError(.invalid, "names no input or no output", layer: path.isEmpty ? nil : path)
    }
    if inputData.allSatisfy({ $0.key != nil }) { inputKeys = inputData.compactMap(\.key) }
  }

  private static func inboundNodes(_ layer: JSON) throws(KerasError) -> [JSON] {
    guard let nodes = layer.object?["inbound_nodes"], !nodes.isNull else { return [] }
    guard let list = nodes.array else { throw KerasError(.invalid, "is \(nodes.kind), expected a list") }
    return list
  }

  /// The input that `reference` is. Keras 1 takes an input for the output of a linear activation, which gives back the
  /// very tensor.
  private func source(of reference: TensorReference) -> TensorReference {
    let layer = layers[reference.layer]
    guard layer.className == "Activation", layer.config["activation"]?.string == "linear",
      case .tensor(let input)? = layer.calls[reference.call].positional.first,
      layers[input.layer].className == "InputLayer"
    else { return reference }
    return input
  }
}

extension LayerConfig {
  /// Runs `body`, whose refusals become errors about how the layer is called.
  fileprivate func readingNodes<Value>(
    _ path: String, _ body: () throws(KerasError) -> Value
  ) throws(KerasError) -> Value {
    do throws(KerasError) {
      return try body()
    } catch {
      throw KerasError(
        error.code, error.message, layer: path.isEmpty ? name : "\(path)/\(name)", className: className,
        field: "inbound_nodes")
    }
  }
}
