import SepalGraph
import SepalTensor

/// A recurrent layer: cells on top of each other that go through a sequence together.
struct RecurrentLayer {
  let context: LayerContext
  let cells: [RecurrentCell]
  let returnsSequences: Bool
  let returnsState: Bool
  /// Whether it starts at the last step. What it returns is in the order of its steps then, last to first.
  var goesBackwards: Bool

  static let classNames = ["CuDNNGRU", "CuDNNLSTM", "GRU", "LSTM", "RNN", "SimpleRNN"]

  init(_ context: LayerContext) throws(KerasError) {
    self.context = context
    let className = context.layer.className
    if className == "RNN" {
      guard let cell = context.config["cell"] else { throw context.invalid("cell", "is missing") }
      cells = try Self.cells(cell, of: context)
    } else {
      let name = ModelConfig.snakeCase(className) + "_cell"
      cells = [
        try RecurrentCell(
          className, context.part(context.layer, at: context.location.part("cell", name: name)))
      ]
    }
    guard try !context.bool("stateful", default: false) else {
      throw context.unsupported("stateful", "is true: a state that outlives a call is not supported")
    }
    guard try !context.bool("time_major", default: false) else {
      throw context.unsupported("time_major", "is true, expected sequences behind the batch")
    }
    returnsSequences = try context.bool("return_sequences", default: false)
    returnsState = try context.bool("return_state", default: false)
    goesBackwards = try context.bool("go_backwards", default: false)
  }

  /// The cells of an RNN layer, in the order in which they pass a step on.
  private static func cells(_ json: JSON, of context: LayerContext) throws(KerasError) -> [RecurrentCell] {
    let cell = try LayerConfig(json, path: context.name)
    let location = context.location.part("cell", name: cell.name)
    guard cell.className == "StackedRNNCells" else {
      return [try RecurrentCell(cell.className, context.part(cell, at: location))]
    }
    guard let list = cell.config["cells"]?.array, !list.isEmpty, list.count <= 256 else {
      throw context.invalid("cell", "is a stack without cells")
    }
    var cells: [RecurrentCell] = []
    var counts: [String: Int] = [:]
    for json in list {
      let inner = try LayerConfig(json, path: context.name)
      let container = ModelConfig.snakeCase(inner.className)
      let count = counts[container, default: 0]
      counts[container] = count + 1
      let place = location.inside(
        ["cells", count == 0 ? container : "\(container)_\(count)"], name: inner.name)
      cells.append(try RecurrentCell(inner.className, context.part(inner, at: place)))
    }
    return cells
  }

  var stateCount: Int { cells.reduce(0) { $0 + $1.stateCount } }

  /// What comes of a sequence: the outputs of its steps in their order, and the state after the last step taken.
  struct Result {
    var sequence: ValueID
    var last: ValueID
    var state: [ValueID]
  }

  /// - Parameter state: to start from; empty for zeros.
  func run(_ x: ValueID, from state: [ValueID]) throws(KerasError) -> Result {
    guard context.shape(of: x).count == 3 else {
      throw KerasError(.invalid, "is called with \(context.type(of: x)), expected rank 3")
    }
    guard state.isEmpty || state.count == stateCount else {
      throw KerasError(.invalid, "starts from a state of \(state.count) tensors, expected \(stateCount)")
    }
    var result = Result(sequence: x, last: x, state: [])
    for (index, cell) in cells.enumerated() {
      let initial =
        state.isEmpty ? [] : Array(state[result.state.count..<result.state.count + cell.stateCount])
      let (sequence, final) = try cell.run(
        result.sequence, from: initial, reverse: goesBackwards,
        step: cells.count == 1 ? "steps" : "cell\(index)")
      result = Result(sequence: sequence, last: final[0], state: result.state + final)
    }
    return result
  }

  /// The layer's outputs, apart from its state.
  func output(_ result: Result, inStepOrder: Bool = false) throws(KerasError) -> ValueID {
    guard returnsSequences else { return result.last }
    return goesBackwards && !inStepOrder ? try context.reverse(result.sequence, [1]) : result.sequence
  }
}

extension LayerRules {
  /// SimpleRNN, LSTM, GRU, and RNN around their cells.
  static func recurrent(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let layer = try RecurrentLayer(context)
    let (input, state) = try context.sequenceAndState()
    let result = try layer.run(input, from: state)
    return [try layer.output(result)] + (layer.returnsState ? result.state : [])
  }
}

extension LayerContext {
  /// The sequence and, where the call has it, the state to start from: behind the sequence, as Keras 2 writes it, or a
  /// keyword.
  func sequenceAndState() throws(KerasError) -> (sequence: ValueID, state: [ValueID]) {
    let inputs = try inputs()
    let state = operands.argument(1, "initial_state")?.values ?? []
    return (inputs[0], inputs.dropFirst() + state)
  }
}
