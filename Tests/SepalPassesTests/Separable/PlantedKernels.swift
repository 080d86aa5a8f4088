import SepalGraph
import SepalPasses
import SepalTensor

/// A convolution whose weights were made separable, or were not.
struct PlantedConvolution {
  var inputs = 12
  var outputs = 40
  var kernel = [3, 3]
  var strides = [1, 1]
  var dilations = [1, 1]
  var padBegins = [1, 1]
  var padEnds = [1, 1]
  var groups = 1
  var size = 13
  var hasResidual = false
  var activation = Activation.relu
  var layout = Layout.channelsLast
  /// `[outputs][inputs of a group][taps]`.
  var weight: [Double] = []

  private var random: SeededGenerator

  init(seed: Int) { random = SeededGenerator(UInt64(seed)) }

  var taps: Int { kernel.reduce(1, *) }
  var inputsPerGroup: Int { inputs / groups }

  mutating func numbers(_ count: Int) -> [Double] {
    (0..<count).map { _ in
      (0..<6).reduce(-3.0) { sum, _ in sum + Double.random(in: 0..<1, using: &random) }
    }
  }

  /// Full rank.
  mutating func fillDense(scale: Double = 1) {
    weight = numbers(outputs * inputsPerGroup * taps).map { $0 * scale }
  }

  /// Of each input channel, or of each output channel, `rank` kernels.
  mutating func plant(_ structure: SeparableStructure, rank: Int) {
    weight = [Double](repeating: 0, count: outputs * inputsPerGroup * taps)
    let byInput = structure == .depthwisePointwise
    for _ in 0..<rank {
      let filters = numbers((byInput ? inputs : outputs) * taps)
      let factors = numbers(outputs * inputsPerGroup)
      for output in 0..<outputs {
        for input in 0..<inputsPerGroup {
          let own = output / (outputs / groups) * inputsPerGroup + input
          for tap in 0..<taps {
            weight[(output * inputsPerGroup + input) * taps + tap] +=
              factors[output * inputsPerGroup + input] * filters[(byInput ? own : output) * taps + tap]
          }
        }
      }
    }
  }

  /// Of each input channel as many kernels as are asked for.
  mutating func plant(ranks: [Int]) {
    weight = [Double](repeating: 0, count: outputs * inputs * taps)
    for (input, rank) in ranks.enumerated() {
      for _ in 0..<rank {
        let (filter, factors) = (numbers(taps), numbers(outputs))
        for output in 0..<outputs {
          for tap in 0..<taps {
            weight[(output * inputs + input) * taps + tap] += factors[output] * filter[tap]
          }
        }
      }
    }
  }

  /// `rank` channels between a column and a row.
  mutating func plantSpatial(rank: Int) {
    let (first, others) = (kernel[0], taps / kernel[0])
    let columns = numbers(rank * inputs * first)
    let rows = numbers(outputs * rank * others)
    weight = [Double](repeating: 0, count: outputs * inputs * taps)
    for output in 0..<outputs {
      for middle in 0..<rank {
        for input in 0..<inputs {
          for y in 0..<first {
            for x in 0..<others {
              weight[((output * inputs + input) * first + y) * others + x] +=
                columns[(middle * inputs + input) * first + y] * rows[(output * rank + middle) * others + x]
            }
          }
        }
      }
    }
  }

  var tensor: Tensor { Tensor(.float32, [outputs, inputsPerGroup] + kernel, doubles: weight) }

  var op: Conv {
    Conv(
      strides: strides, padBegins: padBegins, padEnds: padEnds, dilations: dilations, groups: groups,
      layout: layout, activation: activation)
  }

  /// x → Conv.
  mutating func graph() throws -> Graph {
    var graph = Graph(name: "planted")
    let x = graph.addInput(
      "x",
      TensorType(
        .float32, layout.shape(batch: 1, channels: inputs, spatial: kernel.map { _ in size })))
    let w = graph.addConstant("w", tensor)
    let b = graph.addConstant("b", Tensor(.float32, [outputs], doubles: numbers(outputs)))
    var operands: [ValueID?] = [x, w, b]
    if hasResidual {
      let plain = try graph.add(op, name: "shape", inputs: [x, w, b])[0]
      let type = graph.type(of: plain)
      if let producer = graph.producer(of: plain) { graph.remove(producer.id) }
      operands.append(graph.addInput("r", type))
    }
    let y = try graph.add(op, name: "conv", inputs: operands)[0]
    graph.addOrigins([Origin("conv")], to: y)
    graph.addOutput("y", y)
    return graph
  }
}

extension Graph {
  /// After the whole pipeline.
  func separated(_ separation: Separation = .exact, cost: any CostModel = MACCost()) throws -> Graph {
    var options = Optimizer.Options()
    options.separation = separation
    options.cost = cost
    options.verifyEachRewrite = true
    var graph = self
    try Optimizer(options).run(&graph)
    return graph
  }
}
