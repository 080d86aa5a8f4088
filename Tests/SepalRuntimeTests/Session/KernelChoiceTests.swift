import SepalGraph
import SepalRuntime
import SepalTensor
import Testing

/// Each fast path against the reference, at sizes around vectors and tiles.
@Suite struct KernelChoiceTests {
  static let channels = [1, 3, 8, 17, 35]
  static let activations: [Activation] = [
    .identity, .relu, .clip(min: -0.5, max: 0.75), .leakyRelu(alpha: 0.1), .elu(alpha: 0.7),
    .hardSigmoid(alpha: 0.2, beta: 0.5), .hardSwish, .sigmoid, .silu, .tanh, .gelu, .geluTanh,
  ]

  @Test("pointwise convolution with bias, residual and activation", arguments: activations)
  func pointwise(_ activation: Activation) throws {
    for (input, output) in [(1, 1), (3, 17), (17, 3), (24, 64), (35, 50)] {
      var m = GraphMaker()
      let x = m.input([2, 5, 7, input])
      let residual = m.input([2, 5, 7, output], name: "r")
      let weight = m.constant([output, input, 1, 1])
      let bias = m.constant([output])
      let y = try m.add(
        Conv(layout: .channelsLast, activation: activation), [x, weight, bias, residual])
      m.output(y)
      try expectSessionMatchesReference(&m, kernel: "pointwise", "\(input)→\(output)")
    }
  }

  @Test("dense layers and constant products", arguments: [1, 5])
  func dense(rows: Int) throws {
    for columns in [1, 10, 33, 100] {
      for transB in [false, true] {
        var m = GraphMaker()
        let x = m.input([rows, 21])
        let b = m.constant(transB ? [columns, 21] : [21, columns])
        m.output(try m.add(Gemm(transB: transB, activation: .relu), [x, b, m.constant([columns])]))
        try expectSessionMatchesReference(&m, kernel: "gemm", "\(columns) transB \(transB)")
      }
      var m = GraphMaker()
      let x = m.input([2, rows, 21])
      m.output(try m.add(MatMul(), [x, m.constant([21, columns])]))
      try expectSessionMatchesReference(&m, kernel: "gemm", "matmul \(columns)")
    }
  }

  @Test("activations by themselves", arguments: activations)
  func activation(_ activation: Activation) throws {
    guard let op = activation.asOperator else { return }
    var m = GraphMaker()
    let x = m.input([3, 5, 701])
    m.output(try m.add(op, [x]))
    try expectSessionMatchesReference(&m, kernel: "activation")
  }

  @Test("arithmetic under every kind of broadcasting")
  func binary() throws {
    let shape = [2, 3, 4, 17]
    let operators: [any Operator] = [
      Add(activation: .relu), Sub(), Mul(activation: .hardSwish), Div(), Min(), Max(),
    ]
    for other in [[2, 3, 4, 17], [17], [1], [], [2, 1, 1, 17], [2, 3, 4, 1], [1, 3, 1, 1], [3, 4, 17]] {
      for op in operators {
        for swapped in [false, true] {
          var m = GraphMaker()
          let x = m.input(shape)
          let y = m.constant(other, in: 0.5...2)
          let a = try m.add(Add(), [x, m.constant([], in: 5...6)])
          m.output(try m.add(op, swapped ? [y, a] : [a, y]))
          try expectSessionMatchesReference(&m, kernel: "binary", "\(op.name) \(other) swapped \(swapped)")
        }
      }
    }
  }

  @Test("a long row shared by threads equals the reference")
  func longRows() throws {
    for count in [4096, 4112, 16 * 333, 100_000, 99_999] {
      var m = GraphMaker()
      let (x, y) = (m.input([count]), m.input([count], name: "z"))
      m.output(try m.add(Add(), [x, y]))
      try expectSessionMatchesReference(&m, kernel: "binary", "\(count)")
    }
  }

  @Test("scale and shift, batch normalisation, softmax", arguments: channels)
  func perChannel(channels: Int) throws {
    var m = GraphMaker()
    let x = m.input([2, 3, 5, channels])
    let scaled = try m.add(
      ScaleShift(layout: .channelsLast, activation: .relu),
      [x, m.constant([channels]), m.constant([channels])])
    let normal = try m.add(
      BatchNorm(epsilon: 1e-3, layout: .channelsLast),
      [
        scaled, m.constant([channels]), m.constant([channels]), m.constant([channels]),
        m.constant([channels], in: 0.5...2),
      ])
    m.output(try m.add(Softmax(axis: -1), [normal]))
    try expectSessionMatchesReference(&m, kernel: "scale and shift", tolerance: 1e-5)
  }

  @Test("squeeze-excite", arguments: channels)
  func squeezeExcite(channels: Int) throws {
    for bias in [false, true] {
      var m = GraphMaker()
      let x = m.input([2, 7, 7, channels])
      let reduced = max(1, channels / 4)
      let y = try m.add(
        SqueezeExcite(layout: .channelsLast, inner: .relu, gate: .hardSigmoid(alpha: 0.2, beta: 0.5)),
        [
          x, m.constant([reduced, channels]), bias ? m.constant([reduced]) : nil,
          m.constant([channels, reduced]), bias ? m.constant([channels]) : nil,
        ])
      m.output(y)
      try expectSessionMatchesReference(&m, kernel: "squeeze-excite", "bias \(bias)")
    }
  }

  @Test("moves: transpose, concat, split, slice, expand, pad, reshape")
  func moves() throws {
    var m = GraphMaker()
    let x = m.input([2, 3, 4, 5])
    let last = try m.add(Transpose(permutation: [0, 2, 3, 1]), [x])
    let joined = try m.add(Concat(axis: 3), [last, last, m.constant([2, 4, 5, 2])])
    let parts = try m.addAll(Split(axis: -1, sizes: [5, 1, 2]), [joined])
    let sliced = try m.add(Slice(axes: [1, 2], starts: [3, 0], ends: [-1, 5], steps: [-2, 2]), [parts[0]])
    let padded = try m.add(Pad(begins: [0, 1, -1, 2], ends: [0, 0, 1, -1], value: 2.5), [sliced])
    let wide = try m.add(
      Expand(shape: [3, 2, 4, 5, 1]), [try m.add(Reshape(shape: [2, 4, 5, 1]), [parts[1]])])
    m.output(padded)
    m.output(wide, name: "wide")
    m.output(parts[2], name: "part")
    try expectSessionMatchesReference(&m, kernel: "move")
  }

  @Test("operators without a fast kernel run on their reference, of any element type")
  func reference() throws {
    var m = GraphMaker()
    let x = m.input([3, 4])
    let positive = try m.add(Greater(), [x, m.constant([])])
    let chosen = try m.add(Where(), [positive, x, try m.add(Neg(), [x])])
    m.output(try m.add(Cast(to: .int64), [chosen]), name: "integers")
    m.output(try m.add(Sqrt(), [chosen]))
    try expectSessionMatchesReference(&m, kernel: nil)
  }
}
