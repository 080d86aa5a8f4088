import SepalGraph
import SepalTensor

/// What a rule sees of the layer call that it imports.
struct LayerContext {
  let layer: LayerConfig
  let location: LayerLocation
  /// Of this call: `block/conv`, or `block/conv@1` when the layer is called a second time.
  let name: String
  let operands: Operands
  let importing: ModelImport
  private let readFields = ReadFields()

  private final class ReadFields {
    var names: Set<String> = []
  }

  init(
    _ layer: LayerConfig, at location: LayerLocation, name: String, _ operands: Operands,
    importing: ModelImport
  ) {
    self.layer = layer
    self.location = location
    self.name = name
    self.operands = operands
    self.importing = importing
  }

  var version: KerasVersion { importing.version }
  /// The backend of Keras that wrote the weights, where the file says.
  var weightsBackend: String? { importing.weightsBackend }

  /// The same call with other entries for its configuration and, where given, other operands.
  func reading(_ config: JSONObject, _ operands: Operands? = nil) -> LayerContext {
    var layer = layer
    layer.config = config
    return LayerContext(layer, at: location, name: name, operands ?? self.operands, importing: importing)
  }

  /// A layer inside this one, or a part of it, that has its own configuration and weights.
  func part(_ layer: LayerConfig, at location: LayerLocation, step: String? = nil) -> LayerContext {
    LayerContext(layer, at: location, name: label(step), operands, importing: importing)
  }

  func markRead(_ field: String) { readFields.names.insert(field) }
  /// Whether a rule has asked for an entry of the configuration.
  func hasRead(_ field: String) -> Bool { readFields.names.contains(field) }

  // MARK: Operands

  /// The only tensor that the layer takes.
  func input() throws(KerasError) -> ValueID {
    let inputs = try inputs()
    guard inputs.count == 1 else {
      throw KerasError(.invalid, "is called with \(inputs.count) tensors, expected one")
    }
    return inputs[0]
  }

  /// The tensors of the first argument.
  func inputs() throws(KerasError) -> [ValueID] {
    let values = operands.argument(0, "inputs", "sequences", "x")?.values ?? []
    guard !values.isEmpty else { throw KerasError(.invalid, "is called without a tensor") }
    return values
  }

  func type(of value: ValueID) -> TensorType { importing.graph.type(of: value) }
  func shape(of value: ValueID) -> [Int] { type(of: value).shape }
  /// The tensor of a value that is known at import.
  func constant(_ value: ValueID) -> Tensor? { importing.graph.constant(value) }

  /// The input of a layer that works on values of this rank.
  func input(rank: Int) throws(KerasError) -> ValueID {
    let input = try input()
    guard shape(of: input).count == rank else {
      throw KerasError(.invalid, "is called with \(type(of: input)), expected rank \(rank)")
    }
    return input
  }

  // MARK: Building

  /// Adds an operator with one output. A layer that becomes several operators tells them apart by `step`; the last one
  /// goes without.
  func add(_ op: any Operator, _ inputs: [ValueID?], step: String? = nil) throws(KerasError) -> ValueID {
    try addAll(op, inputs, step: step)[0]
  }

  /// Adds an operator; all its outputs.
  func addAll(_ op: any Operator, _ inputs: [ValueID?], step: String? = nil) throws(KerasError) -> [ValueID] {
    try importing.add(op, inputs, name: label(step))
  }

  /// A constant that the layer implies and the file does not store.
  func add(constant tensor: Tensor, step: String) -> ValueID {
    importing.addConstant(tensor, name: label(step))
  }

  func add(scalar value: Double, _ element: ElementType = .float32, step: String) -> ValueID {
    add(constant: Tensor(element, [], doubles: [value]), step: step)
  }

  /// `value` under another shape, or `value` itself where it has that shape already.
  func reshape(_ value: ValueID, to shape: [Int], step: String? = nil) throws(KerasError) -> ValueID {
    self.shape(of: value) == shape ? value : try add(Reshape(shape: shape), [value], step: step)
  }

  private func label(_ step: String?) -> String { step.map { "\(name)/\($0)" } ?? name }

  /// Tells the user something about the import. Of several notes of one `kind`, the first is enough.
  func noteFirst(_ kind: String, _ text: String) { importing.noteFirst(kind, text) }

  // MARK: Weights

  /// The layer's variables in the order in which Keras makes them, of exactly these shapes.
  ///
  /// - Parameter location: of the part of the layer that holds them; the layer itself by default.
  func variables(_ specs: [VariableSpec], at location: LayerLocation? = nil) throws(KerasError) -> [Tensor] {
    try importing.variables(specs, at: location ?? self.location)
  }

  /// A constant for a variable, shared by all calls of the layer.
  ///
  /// - Parameters:
  ///   - name: of the variable, such as `kernel`.
  ///   - permutation: the axes of the variable in the order in which the operator takes them; empty for as it is.
  func parameter(
    _ name: String, _ tensor: Tensor, permutation: [Int] = [], at location: LayerLocation? = nil
  ) throws(KerasError) -> ValueID {
    try importing.parameter(name, at: location ?? self.location) { () throws(KerasError) in
      try permutation.isEmpty ? tensor : tensor.transposed(permutation)
    }
  }

  // MARK: Layers inside layers

  /// Imports a layer that this one holds, such as the one a TimeDistributed applies.
  ///
  /// - Parameters:
  ///   - json: how the inner layer is written.
  ///   - attribute: the Python attribute that holds it.
  ///   - nameOf: makes the inner layer's name, for formats that change it, such as `forward_lstm`.
  func callInner(
    _ json: JSON, attribute: String, _ inputs: [ValueID], call: String? = nil
  ) throws(KerasError) -> [ValueID] {
    let inner = try LayerConfig(json, path: name)
    return try importing.run(
      inner, at: location.part(attribute, name: inner.name), name: "\(name)/\(call ?? inner.name)",
      Operands(inputs))
  }
}

extension Tensor {
  func transposed(_ permutation: [Int]) throws(KerasError) -> Tensor {
    do throws(OperatorError) {
      // The copy takes this tensor's place; a model's weights need not be in memory twice.
      defer { releasePages() }
      return try Transpose(permutation: permutation).evaluate(Inputs([self]))[0]
    } catch {
      throw KerasError(.invalid, error.message)
    }
  }
}
