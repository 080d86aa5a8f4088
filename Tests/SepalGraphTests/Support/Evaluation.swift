import SepalGraph
import SepalTensor
import Testing

/// A fixed pattern of eleven values from −1.25 to 1.25, exact in every float type. `seed` rotates it.
func pattern(_ shape: [Int], seed: Int = 0) -> Tensor {
  let count = shape.reduce(1, *)
  return Tensor(.float32, shape, doubles: (0..<count).map { Double(($0 + seed) * 7 % 11 - 5) / 4 })
}

func vector(_ values: [Double], _ element: ElementType = .float32) -> Tensor {
  Tensor(element, [values.count], doubles: values)
}

func integers(_ values: [Int64], _ element: ElementType = .int64) -> Tensor {
  Tensor(element, [values.count], integers: values)
}

/// Infers, evaluates, and insists that both agree on the output types.
func evaluate(
  _ op: some Operator, _ inputs: [Tensor?], sourceLocation: SourceLocation = #_sourceLocation
) throws -> [Tensor] {
  let operands = Inputs(inputs)
  try type(of: op).schema.checkArity(inputs.map { $0 != nil })
  let inferred = try op.inferOutputs(operands.types)
  let outputs = try op.evaluate(operands)
  #expect(outputs.map(\.type) == inferred, "\(op)", sourceLocation: sourceLocation)
  return outputs
}

/// Evaluates an operator with one output and compares it with recorded numbers of six significant digits.
func expect(
  _ op: some Operator, _ inputs: [Tensor?], shape: [Int], gives expected: [Double],
  tolerance: Double = 1e-5, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let y = try #require(evaluate(op, inputs, sourceLocation: sourceLocation).first)
  #expect(y.shape == shape, "\(op)", sourceLocation: sourceLocation)
  let values = y.doubles()
  #expect(values.count == expected.count, "\(op)", sourceLocation: sourceLocation)
  for (index, pair) in zip(values, expected).enumerated() {
    let agrees =
      pair.0 == pair.1 || (pair.0.isNaN && pair.1.isNaN)
      || (pair.0 - pair.1).magnitude <= tolerance * max(1, pair.1.magnitude)
    #expect(agrees, "\(op) at \(index): \(pair.0), expected \(pair.1)", sourceLocation: sourceLocation)
  }
}

/// The message with which `op` refuses `types`, or nil when it takes them.
func refusal(_ op: some Operator, _ types: [TensorType?]) -> String? {
  do throws(OperatorError) {
    try type(of: op).schema.checkArity(types.map { $0 != nil })
    _ = try op.inferOutputs(Inputs(types))
    return nil
  } catch {
    return error.message
  }
}

/// A small reproducible generator (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
