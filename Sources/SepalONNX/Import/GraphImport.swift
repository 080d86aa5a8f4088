import SepalGraph
import SepalTensor

/// An import under way. A class, so that every rule changes the one graph in place.
final class GraphImport {
  let source: ONNXGraph
  let options: ONNXImporter.Options
  var graph: Graph
  private(set) var notes: [String] = []
  /// What each ONNX tensor name stands for. Initializers enter the graph when they are first read.
  private var bindings: [String: Binding] = [:]
  /// Names that some node reads or that are graph outputs.
  private let readNames: Set<String>
  /// Bytes that constants computed at import may still take.
  private var evaluationBudget = 16 << 20
  private var annotations: AnnotationCheck
  /// Values that the current node has made and that do not have their final name yet.
  private var fresh: Set<ValueID> = []

  enum Binding {
    case value(ValueID)
    case initializer(Int)
  }

  init(_ model: ONNXModel, _ options: ONNXImporter.Options) {
    source = model.graph
    self.options = options
    graph = Graph(name: model.graph.name)
    graph.provenance.sourceFormat = "onnx"
    graph.provenance.producer = model.producer
    graph.provenance.sourceNodeCount = model.graph.nodes.count
    var readNames = Set(source.outputs.map(\.name))
    for node in source.nodes { readNames.formUnion(node.inputs) }
    self.readNames = readNames
    annotations = AnnotationCheck(source.valueInfo + source.outputs)
  }

  func declareInputs() throws(ONNXError) {
    for (index, initializer) in source.initializers.enumerated() {
      bindings[initializer.name] = .initializer(index)
    }
    var shapes = try InputShapes(source, options)
    for input in source.inputs {
      if let tensor = options.constants[input.name] {
        if case .tensor(let dataType, _) = input.kind, dataType.element != tensor.element {
          throw ONNXError(.invalid, "is an input of \(dataType), given as \(tensor.type)", tensor: input.name)
        }
        bind(input.name, to: graph.addConstant(input.name, tensor, origins: [Origin(input.name)]))
      } else if bindings[input.name] == nil {
        let type = try shapes.type(of: input)
        bind(input.name, to: graph.addInput(input.name, type))
        if type.element == .float16 || type.element == .bfloat16 {
          notes.append("input '\(input.name)' is \(type.element)")
        }
      }
    }
    notes += shapes.notes
  }

  func importNode(_ node: ONNXNode) throws(ONNXError) {
    var inputs: [ValueID?] = []
    inputs.reserveCapacity(node.inputs.count)
    for name in node.inputs { inputs.append(name.isEmpty ? nil : try value(of: name, for: node)) }
    fresh.removeAll(keepingCapacity: true)
    while let last = inputs.last, last == nil { inputs.removeLast() }
    guard let rule = ImportRules.rule(for: node) else { throw node.error(.unsupported, "is not supported") }
    let outputs = try rule(NodeContext(node, inputs: inputs, importing: self))
    for (index, name) in node.outputs.enumerated() where !name.isEmpty {
      if index < outputs.count, let output = outputs[index] {
        if fresh.remove(output) != nil {
          graph.rename(output, to: name)
          graph.addOrigins([Origin(name)], to: output)
        }
        bind(name, to: output)
        try annotations.check(name, graph.type(of: output), node)
      } else if readNames.contains(name) {
        throw node.error(
          .unsupported, "is output \(index) of this node, which is not supported", tensor: name)
      }
    }
  }

  func finish() throws(ONNXError) -> ImportedModel {
    var names: Set<String> = []
    for output in source.outputs {
      guard names.insert(output.name).inserted else {
        throw ONNXError(.invalid, "is an output of the graph twice", tensor: output.name)
      }
      graph.addOutput(output.name, try value(of: output.name, for: nil))
    }
    for value in graph.values where value.isConstant && value.useCount == 0 {
      graph.removeConstant(value.id)
    }
    if let note = annotations.note { notes.append(note) }
    return ImportedModel(graph: graph, notes: notes)
  }

  func isRead(_ name: String) -> Bool { !name.isEmpty && readNames.contains(name) }

  /// Adds an operator, or computes its outputs at once where that is cheap and all operands are constant.
  func add(
    _ op: any Operator, _ inputs: [ValueID?], name: String, for node: ONNXNode
  ) throws(ONNXError) -> [ValueID] {
    do throws(GraphError) {
      let outputs: [ValueID]
      if let tensors = try graph.evaluateAtImport(op, inputs, name: name, budget: &evaluationBudget) {
        outputs = tensors.map { graph.addConstant(name, $0) }
      } else {
        outputs = try graph.add(op, name: name, inputs: inputs)
      }
      for output in outputs {
        // More than a machine of today computes with; and code may add and multiply two dimensions without overflow.
        let type = graph.type(of: output)
        guard type.shape.allSatisfy({ $0 <= largestExtent }), type.count <= largestExtent else {
          throw GraphError(node: name, op: op.name, message: "the output \(type) is too large")
        }
      }
      fresh.formUnion(outputs)
      return outputs
    } catch {
      throw node.error(.invalid, error.message)
    }
  }

  func addConstant(_ tensor: Tensor, name: String) -> ValueID {
    let id = graph.addConstant(name, tensor)
    fresh.insert(id)
    return id
  }

  private func bind(_ name: String, to value: ValueID) { bindings[name] = .value(value) }

  private func value(of name: String, for node: ONNXNode?) throws(ONNXError) -> ValueID {
    switch bindings[name] {
    case .value(let id): return id
    case .initializer(let index):
      let tensor: Tensor
      do throws(ONNXError) {
        tensor = try source.initializers[index].tensor()
      } catch {
        throw node?.error(error.code, error.message, tensor: error.tensor) ?? error
      }
      let id = graph.addConstant(name, tensor, origins: [Origin(name)])
      bind(name, to: id)
      return id
    case nil:
      // `executionOrder` has found a definition for everything, so this is an output that a rule left out.
      let message = "is read, but nothing defines it"
      throw node?.error(.invalid, message, tensor: name) ?? ONNXError(.invalid, message, tensor: name)
    }
  }
}

/// The most elements that a value may have, and the largest dimension.
let largestExtent = Int(Int32.max)
