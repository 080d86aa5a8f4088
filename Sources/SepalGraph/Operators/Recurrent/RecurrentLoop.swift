import SepalTensor

/// A layer that goes through a sequence and carries a state from step to step.
///
/// Operands of all of them, G the number of gates, H the size of the state: 0 x `[N, T, C]`; 1 weight `[G·H, C]`;
/// 2 recurrentWeight `[G·H, H]`; 3 bias and 4 recurrentBias `[G·H]`, optional; 5 initialState `[N, H]`, optional, else
/// zeros. Rows of one gate are consecutive.
public protocol RecurrentOperator: Operator {
  /// G.
  static var gateCount: Int { get }
  /// The function of the new state, or of the candidate for it.
  var activation: GateFunction { get set }
  /// From the last step to the first. `y[t]` belongs to step t of x all the same.
  var reverse: Bool { get set }
}

extension RecurrentOperator {
  /// The types of y and of the final state.
  func inferSequence(
    _ inputs: Inputs<TensorType>
  ) throws(OperatorError) -> (y: TensorType, state: TensorType) {
    let (x, recurrentWeight) = (inputs[0], inputs[2])
    try x.requireFloat("x")
    try x.requireRank(3...3, "x")
    try recurrentWeight.requireRank(2...2, "recurrentWeight")
    let hidden = recurrentWeight.shape[1]
    let (rows, overflow) = hidden.multipliedReportingOverflow(by: Self.gateCount)
    guard !overflow else { throw OperatorError("recurrentWeight is \(recurrentWeight), which is too large") }
    try inputs[1].require(x.element, [rows, x.shape[2]], "weight")
    try recurrentWeight.require(x.element, [rows, hidden], "recurrentWeight")
    try inputs.optional(3)?.require(x.element, [rows], "bias")
    try inputs.optional(4)?.require(x.element, [rows], "recurrentBias")
    let state = TensorType(x.element, [x.shape[0], hidden])
    try inputs.optional(5)?.require(state.element, state.shape, "initialState")
    return (try checkedType(x.element, [x.shape[0], x.shape[1], hidden]), state)
  }

  public func macs(_ inputs: Inputs<TensorType>, outputs: [TensorType]) -> Int {
    let (perStep, overflow) = saturatingProduct(inputs[1].shape).addingReportingOverflow(
      saturatingProduct(inputs[2].shape))
    return saturatingProduct(inputs[0].shape.prefix(2) + [overflow ? Int.max : perStep])
  }
}

/// The walk through the sequences of a batch, one sample after the other.
struct RecurrentLoop {
  private let x, weight, recurrentWeight: [Double]
  private let bias, recurrentBias, initialState: [Double]?
  private let batch, steps, channels, rows: Int
  private let reverse: Bool
  let hidden: Int

  /// The operands have passed `inferSequence`.
  init(_ op: some RecurrentOperator, _ inputs: Inputs<Tensor>) {
    let (shape, weightShape) = (inputs[0].shape, inputs[2].shape)
    (batch, steps, channels) = (shape[0], shape[1], shape[2])
    (rows, hidden) = (weightShape[0], weightShape[1])
    reverse = op.reverse
    x = inputs[0].doubles()
    weight = inputs[1].doubles()
    recurrentWeight = inputs[2].doubles()
    bias = inputs.optional(3)?.doubles()
    recurrentBias = inputs.optional(4)?.doubles()
    initialState = inputs.optional(5)?.doubles()
  }

  /// Calls `cell` for each step of each sample with weight·x + bias of all gates and the state, and takes what it
  /// returns as the next state. All states `[N, T, H]` at their steps, and the last of each sample `[N, H]`.
  func run(
    _ cell: (_ sample: Int, _ input: [Double], _ state: [Double]) -> [Double]
  ) -> (y: [Double], state: [Double]) {
    var y = [Double](repeating: 0, count: batch * steps * hidden)
    guard hidden > 0 else { return (y, []) }
    var final = initialState ?? [Double](repeating: 0, count: batch * hidden)
    let product = MatrixProduct(rows: 1, inner: channels, columns: rows, transB: true)
    for sample in 0..<batch {
      let units = sample * hidden..<(sample + 1) * hidden
      var state = Array(final[units])
      for count in 0..<steps {
        let position = sample * steps + (reverse ? steps - 1 - count : count)
        let input = product.multiply(x, at: position * channels, weight)
        state = cell(sample, bias.map { zip(input, $0).map(+) } ?? input, state)
        y.replaceSubrange(position * hidden..<(position + 1) * hidden, with: state)
      }
      final.replaceSubrange(units, with: state)
    }
    return (y, final)
  }

  /// recurrentWeight·state + recurrentBias for `count` gates from `gate` on.
  func recurrent(_ state: [Double], gate: Int = 0, count: Int) -> [Double] {
    let product = MatrixProduct(rows: 1, inner: hidden, columns: count * hidden, transB: true)
    let result = product.multiply(state, at: 0, recurrentWeight, at: gate * hidden * hidden)
    return recurrentBias.map { zip(result, $0[(gate * hidden)...]).map(+) } ?? result
  }
}
