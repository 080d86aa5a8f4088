extension Model {
  /// For each step of the plan whether it copies an input or an output of the model into another form: what a part of a
  /// network would not do where it stands.
  package var copiesBorder: [Bool] {
    let borders = Set(graph.inputs + graph.outputs.map(\.value))
    return steps.map { step in
      step.nodes.isEmpty && (step.results.first.map { borders.contains($0.value) } ?? false)
    }
  }
}
