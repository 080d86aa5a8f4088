import SepalGraph
import SepalHDF5
import SepalTensor

/// An import under way. A class, so that every rule changes the one graph in place.
final class ModelImport {
  let version: KerasVersion
  private let source: KerasSource
  private let options: KerasImporter.Options
  /// Every `dim_ordering` that layers of the model state.
  let statedOrderings: Set<String>
  private(set) var graph: Graph
  private var notes: [String] = []
  private var notedTexts: Set<String> = []
  private var notedKinds: Set<String> = []
  /// Constants made from a layer's variables, which all calls of the layer share.
  private var parameters: [String: ValueID] = [:]
  private var parameterCounts: [LayerLocation: Int] = [:]
  /// Bytes that constants computed at import may still take.
  private var evaluationBudget = 16 << 20
  private var callCount = 0
  private var runCount = 0
  private static let maximumRunCount = 1 << 18
  /// Of values that are sequences some of whose steps do not count.
  var masks: [ValueID: StepMask] = [:]

  init(_ source: KerasSource, _ options: KerasImporter.Options) {
    self.source = source
    self.options = options
    statedOrderings = source.model.statedOrderings
    version = source.version
    graph = Graph(name: source.model.name)
    graph.provenance.sourceFormat = "keras"
    graph.provenance.producer = source.producer
  }

  func run() throws(KerasError) -> ImportedModel {
    // Masks hold on to their layers' contexts, which hold on to this.
    defer { masks = [:] }
    let inputs = try declareInputs()
    let outputs = try run(source.model, Scope(), inputs: inputs)
    var counts: [String: Int] = [:]
    var taken: Set<String> = []
    for (reference, value) in zip(source.model.outputs, outputs) {
      // Keras names an output after the layer that it comes from; a second one of the name gets `_1`.
      let layer = source.model.layers[reference.layer].name
      var count = counts[layer, default: 0]
      var name = count == 0 ? layer : "\(layer)_\(count)"
      while !taken.insert(name).inserted {
        count += 1
        name = "\(layer)_\(count)"
      }
      counts[layer] = count + 1
      graph.addOutput(name, value)
    }
    let unread = try source.weights.unread()
    if let first = unread.first {
      throw KerasError(
        .invalid,
        "stores weights that no layer of the model takes: '\(first)'"
          + (unread.count > 1 ? " and \(unread.count - 1) more" : ""))
    }
    graph.provenance.sourceNodeCount = callCount
    graph.provenance.sourceParameterCount = parameterCounts.values.reduce(0, +)
    graph.removeUnreadConstants()
    do throws(GraphError) {
      try graph.verify()
    } catch {
      throw KerasError(.invalid, error.description)
    }
    return ImportedModel(graph: graph, notes: notes)
  }

  func note(_ text: String) {
    if notedTexts.insert(text).inserted { notes.append(text) }
  }

  /// Of several notes of one kind, the first is enough.
  func noteFirst(_ kind: String, _ text: String) {
    if notedKinds.insert(kind).inserted { note(text) }
  }

  private func declareInputs() throws(KerasError) -> [ValueID] {
    let layers = source.model.inputs.map { source.model.layers[$0.layer] }
    let names = layers.map(\.name)
    for name in options.shapes.keys.sorted() where !names.contains(name) {
      let list = names.prefix(20).map { "'\($0)'" }.joined(separator: ", ")
      throw KerasError(.invalid, "has no input '\(name)'; its inputs are \(list)")
    }
    var inputs: [ValueID] = []
    for layer in layers {
      let (type, note) = try layer.inputType(given: options.shapes[layer.name])
      if let note { self.note(note) }
      inputs.append(graph.addInput(layer.name, type))
    }
    return inputs
  }

  // MARK: Models

  /// Where the calls of a model's layers stand.
  struct Scope {
    /// Of the model itself, as a layer of another.
    var location = LayerLocation()
    /// In front of the names of values: like `location.path`, and telling calls of the model apart.
    var prefix = ""
  }

  /// Imports every call of every layer. Values of `inputs` in the order of the model's inputs.
  private func run(_ model: ModelConfig, _ scope: Scope, inputs: [ValueID]) throws(KerasError) -> [ValueID] {
    guard inputs.count == model.inputs.count else {
      throw KerasError(.invalid, "is called with \(inputs.count) tensors, expected \(model.inputs.count)")
    }
    var results = model.layers.map { [[ValueID]?](repeating: nil, count: $0.calls.count) }
    for (reference, value) in zip(model.inputs, inputs) { results[reference.layer][reference.call] = [value] }
    func value(of reference: TensorReference) throws(KerasError) -> ValueID {
      let outputs = results[reference.layer][reference.call] ?? []
      guard reference.output < outputs.count else {
        throw KerasError(
          .invalid,
          "reads output \(reference.output) of '\(model.layers[reference.layer].name)', which has \(outputs.count)",
          layer: scope.location.names.isEmpty ? nil : scope.location.path)
      }
      return outputs[reference.output]
    }
    let containers = model.weightContainers()
    for (layer, call) in try model.executionOrder(path: scope.location.path) where results[layer][call] == nil
    {
      let config = model.layers[layer]
      let location = scope.location.inside(containers[layer], name: config.name)
      let operands: Operands
      do throws(KerasError) {
        operands = try Operands(config.calls[call], value)
      } catch {
        throw KerasError(error.code, error.message, layer: location.path, className: config.className)
      }
      results[layer][call] = try run(
        config, at: location, name: scope.prefix + config.name + (call == 0 ? "" : "@\(call)"), operands)
    }
    var outputs: [ValueID] = []
    for reference in model.outputs { outputs.append(try value(of: reference)) }
    return outputs
  }

  /// One call of one layer, be it a model.
  ///
  /// - Parameter name: of the call: what values and nodes are called after.
  func run(
    _ layer: LayerConfig, at location: LayerLocation, name: String, _ operands: Operands
  ) throws(KerasError) -> [ValueID] {
    do throws(KerasError) {
      // Models that call each other several times, level by level, are small in the file and endless as a graph.
      runCount += 1
      guard runCount <= Self.maximumRunCount else {
        throw KerasError(.limit, "is reached after \(Self.maximumRunCount) calls of layers")
      }
      if let submodel = layer.submodel {
        return try run(
          submodel, Scope(location: location, prefix: name + "/"), inputs: try operands.inputs(of: submodel))
      }
      callCount += 1
      guard layer.className != "InputLayer" else {
        throw KerasError(.invalid, "is an input that the model does not list")
      }
      try checkPolicy(of: layer, name)
      let rule =
        layer.operationName.map(OperationRules.rule) ?? LayerRules.byClassName[layer.className]
      guard let rule else { throw KerasError(.unsupported, "is not supported") }
      let context = LayerContext(layer, at: location, name: name, operands, importing: self)
      let outputs = try rule(context)
      try operands.checkAllRead()
      try context.passMasks(to: outputs)
      for (index, output) in outputs.enumerated() {
        label(output, index == 0 ? name : "\(name):\(index)")
      }
      return outputs
    } catch {
      var error = error
      if error.layer == nil {
        error.layer = name
        error.className = layer.className
      } else if error.layer == location.path {
        error.className = layer.className
      }
      throw error
    }
  }

  // MARK: Values

  /// Names what a layer gives after it, unless that is what it was given.
  private func label(_ value: ValueID, _ name: String) {
    guard graph.value(value).origins.isEmpty else { return }
    graph.rename(value, to: name)
    graph.addOrigins([Origin(name)], to: value)
  }

  func add(_ op: any Operator, _ inputs: [ValueID?], name: String) throws(KerasError) -> [ValueID] {
    do throws(GraphError) {
      if let tensors = try graph.evaluateAtImport(op, inputs, name: name, budget: &evaluationBudget) {
        return tensors.map { graph.addConstant(name, $0) }
      }
      return try graph.add(op, name: name, inputs: inputs)
    } catch {
      throw KerasError(.invalid, error.message)
    }
  }

  var weightsBackend: String? { source.weights.backend }

  func addConstant(_ tensor: Tensor, name: String) -> ValueID { graph.addConstant(name, tensor) }

  /// The variables of a layer: float32 where they are of floating point, of the shapes asked for.
  func variables(_ specs: [VariableSpec], at location: LayerLocation) throws(KerasError) -> [Tensor] {
    let datasets = try source.weights.variables(specs, at: location)
    var tensors: [Tensor] = []
    for (spec, dataset) in zip(specs, datasets) {
      guard dataset.shape == spec.shape || dataset.shape == spec.alternative else {
        throw KerasError(
          .invalid, "is \(dataset.shape) in the file, expected \(spec.shape)", layer: location.path,
          field: spec.names[0])
      }
      let tensor = try reading(layer: location.path) { () throws(HDF5Error) in try dataset.tensor() }
      if tensor.element == .float64 {
        noteFirst(
          "float64",
          "weights are float64 in the file and were rounded to float32, from '\(location.path)' on")
      }
      tensors.append(tensor.element.isFloat ? tensor.converted(to: .float32) : tensor)
    }
    parameterCounts[location] = tensors.reduce(0) { $0 + $1.count }
    return tensors
  }

  /// A constant that stands for a variable, made once however often the layer is called.
  func parameter(
    _ name: String, at location: LayerLocation, _ make: () throws(KerasError) -> Tensor
  ) throws(KerasError) -> ValueID {
    let path = "\(location.path)/\(name)"
    if let known = parameters[path] { return known }
    let value = graph.addConstant(path, try make(), origins: [Origin(path)])
    parameters[path] = value
    return value
  }
}
