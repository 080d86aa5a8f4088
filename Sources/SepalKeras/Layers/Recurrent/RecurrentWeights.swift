import SepalGraph
import SepalTensor

/// A cell's variables as the graph's operators take them: rows by gate.
struct RecurrentWeights {
  /// `[gates·units, channels]`.
  let kernel: Tensor
  /// `[gates·units, units]`.
  let recurrent: Tensor
  /// `[gates·units]`, both; the second of cells that add a bias to the recurrent product as well.
  let bias: Tensor?
  let recurrentBias: Tensor?

  /// Reads kernel `[channels, gates·units]`, recurrent kernel `[units, gates·units]` and bias, gates in Keras's order.
  init(_ cell: RecurrentCell, channels: Int) throws(KerasError) {
    let units = try cell.units()
    let (columns, overflow) = units.multipliedReportingOverflow(by: cell.gateCount)
    guard !overflow else { throw cell.context.invalid("units", "is too large") }
    // Keras has input, forget, cell, output; the operator input, output, forget, cell.
    let order = cell.kind == .lstm ? [0, 3, 1, 2] : Array(0..<cell.gateCount)
    let hasBias = cell.isCuDNN ? true : try cell.context.bool("use_bias", default: true)
    if cell.kind != .simple, cell.context.version == .one {
      let (kernel, recurrent, bias) = try Self.separate(cell, channels: channels, units: units)
      self.kernel = try kernel.gates(order)
      self.recurrent = try recurrent.gates(order)
      self.bias = try bias.gates(order)
      recurrentBias = nil
      return
    }
    let isDouble = cell.isCuDNN ? true : try cell.resetsAfter()
    let biasShape = isDouble ? (cell.isCuDNN ? [2 * columns] : [2, columns]) : [columns]
    let variables = try cell.context.variables(
      [
        VariableSpec("kernel", "W", shape: [channels, columns]),
        VariableSpec("recurrent_kernel", "U", shape: [units, columns]),
      ] + (hasBias ? [VariableSpec("bias", "b", shape: biasShape)] : []))
    if cell.isCuDNN {
      kernel = try variables[0].cuDNNGates(cell.gateCount).gates(order)
      recurrent = try variables[1].cuDNNGates(cell.gateCount).gates(order)
    } else {
      kernel = try variables[0].transposed([1, 0]).gates(order)
      recurrent = try variables[1].transposed([1, 0]).gates(order)
    }
    guard hasBias else {
      (bias, recurrentBias) = (nil, nil)
      return
    }
    guard isDouble else {
      bias = try variables[2].gates(order)
      recurrentBias = nil
      return
    }
    let biases = variables[2].reshaped([2, columns])
    bias = try biases.rows([0]).reshaped([columns]).gates(order)
    recurrentBias = try biases.rows([1]).reshaped([columns]).gates(order)
  }

  /// Keras 1 stores each gate by itself. The gates, transposed and joined in Keras 2's order.
  private static func separate(
    _ cell: RecurrentCell, channels: Int, units: Int
  ) throws(KerasError) -> (kernel: Tensor, recurrent: Tensor, bias: Tensor) {
    let gates = cell.kind == .lstm ? ["i", "f", "c", "o"] : ["z", "r", "h"]
    var (kernels, recurrents, biases): ([Tensor], [Tensor], [Tensor]) = ([], [], [])
    let specs = gates.flatMap { gate in
      [
        VariableSpec("W_\(gate)", shape: [channels, units]),
        VariableSpec("U_\(gate)", shape: [units, units]),
        VariableSpec("b_\(gate)", shape: [units]),
      ]
    }
    let variables = try cell.context.variables(specs)
    for index in gates.indices {
      kernels.append(try variables[3 * index].transposed([1, 0]))
      recurrents.append(try variables[3 * index + 1].transposed([1, 0]))
      biases.append(variables[3 * index + 2])
    }
    return (try joined(kernels), try joined(recurrents), try joined(biases))
  }

  private static func joined(_ tensors: [Tensor]) throws(KerasError) -> Tensor {
    do throws(OperatorError) {
      return try Concat(axis: 0).evaluate(Inputs(tensors))[0]
    } catch {
      throw KerasError(.invalid, error.message)
    }
  }
}

extension Tensor {
  /// The rows at these positions.
  fileprivate func rows(_ positions: [Int]) throws(KerasError) -> Tensor {
    do throws(OperatorError) {
      let indices = Tensor([positions.count], int64s: positions.map(Int64.init))
      return try Gather(axis: 0).evaluate(Inputs([self, indices]))[0]
    } catch {
      throw KerasError(.invalid, error.message)
    }
  }

  /// Gates, which are equal numbers of rows, in another order.
  fileprivate func gates(_ order: [Int]) throws(KerasError) -> Tensor {
    guard order != Array(order.indices) else { return self }
    let units = shape[0] / order.count
    return try rows(order.flatMap { $0 * units..<($0 + 1) * units })
  }

  /// `[in, gates·units]` of which cuDNN reads each gate's memory as `[units, in]`, as `[gates·units, in]`.
  fileprivate func cuDNNGates(_ count: Int) throws(KerasError) -> Tensor {
    let (inputs, units) = (shape[0], shape[1] / count)
    // Each gate's columns together: [gates, in, units].
    let apart = try reshaped([inputs, count, units]).transposed([1, 0, 2])
    return apart.reshaped([count * units, inputs])
  }
}
