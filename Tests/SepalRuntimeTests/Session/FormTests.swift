import SepalGraph
import SepalRuntime
import SepalTensor
import Testing

/// Values pass between kernels plain, planar and blocked. Every way to make an image meets every way to read one.
@Suite struct FormTests {
  struct Producer: CustomTestStringConvertible, Sendable {
    let testDescription: String
    /// An image `[batch, 5, 6, channels]`.
    let make: @Sendable (_ m: inout GraphMaker, _ batch: Int, _ channels: Int) throws -> ValueID
  }

  struct Consumer: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let make: @Sendable (_ m: inout GraphMaker, _ x: ValueID, _ batch: Int, _ channels: Int) throws -> ValueID
  }

  static let producers = [
    Producer(testDescription: "plain input") { m, batch, channels in m.input([batch, 5, 6, channels]) },
    Producer(testDescription: "planar input") { m, batch, channels in
      try m.add(Transpose(permutation: [0, 2, 3, 1]), [m.input([batch, channels, 5, 6])])
    },
    Producer(testDescription: "blocked, of a plain input") { m, batch, channels in
      try m.add(
        Conv(layout: .channelsLast, activation: .relu),
        [m.input([batch, 5, 6, 3]), m.weight([channels, 3, 1, 1]), m.constant([channels])])
    },
    Producer(testDescription: "blocked, of a planar input") { m, batch, channels in
      let x = try m.add(Transpose(permutation: [0, 2, 3, 1]), [m.input([batch, 3, 5, 6])])
      return try m.add(
        Conv(padBegins: [1, 1], padEnds: [1, 1], layout: .channelsLast),
        [x, m.weight([channels, 3, 3, 3]), nil])
    },
    Producer(testDescription: "groups within blocks") { m, batch, channels in
      try m.add(
        Conv(groups: channels, layout: .channelsLast),
        [m.input([batch, 5, 6, 2 * channels]), m.constant([channels, 2, 1, 1]), nil])
    },
    Producer(testDescription: "reshaped") { m, batch, channels in
      try m.add(Reshape(shape: [batch, 5, 6, channels]), [m.input([batch, 5 * 6 * channels])])
    },
    Producer(testDescription: "activation of a blocked image") { m, batch, channels in
      let x = try m.add(
        Conv(layout: .channelsLast),
        [m.input([batch, 5, 6, channels]), m.weight([channels, channels, 1, 1]), nil])
      return try m.add(Tanh(), [x])
    },
  ]

  static let consumers = [
    Consumer(testDescription: "graph output") { m, x, _, _ in try m.add(Identity(), [x]) },
    Consumer(testDescription: "planar output") { m, x, _, _ in
      try m.add(Transpose(permutation: [0, 3, 1, 2]), [x])
    },
    Consumer(testDescription: "other transposition") { m, x, _, _ in
      try m.add(Transpose(permutation: [0, 2, 1, 3]), [x])
    },
    Consumer(testDescription: "pointwise with a residual") { m, x, _, channels in
      try m.add(Conv(layout: .channelsLast), [x, m.weight([channels, channels, 1, 1]), nil, x])
    },
    Consumer(testDescription: "convolution") { m, x, _, channels in
      try m.add(
        Conv(strides: [2, 1], padBegins: [1, 1], padEnds: [1, 0], layout: .channelsLast),
        [x, m.weight([7, channels, 3, 3]), nil])
    },
    Consumer(testDescription: "groups") { m, x, _, channels in
      try m.add(
        Conv(groups: channels, layout: .channelsLast), [x, m.constant([3 * channels, 1, 2, 2]), nil])
    },
    Consumer(testDescription: "depthwise") { m, x, _, channels in
      try m.add(
        Conv(padBegins: [1, 1], padEnds: [1, 1], groups: channels, layout: .channelsLast),
        [x, m.constant([channels, 1, 3, 3]), nil])
    },
    Consumer(testDescription: "pool") { m, x, _, _ in
      try m.add(
        MaxPool(
          kernel: [2, 3], strides: [2, 2], padBegins: [0, 1], padEnds: [1, 0], dilations: [1, 1],
          layout: .channelsLast), [x])
    },
    Consumer(testDescription: "global average, pixels kept") { m, x, _, channels in
      let mean = try m.add(GlobalAveragePool(layout: .channelsLast, keepDims: true), [x])
      return try m.add(Conv(layout: .channelsLast), [mean, m.weight([11, channels, 1, 1]), nil])
    },
    Consumer(testDescription: "global average, dense") { m, x, _, channels in
      let mean = try m.add(GlobalAveragePool(layout: .channelsLast, keepDims: false), [x])
      return try m.add(Gemm(), [mean, m.constant([channels, 10]), m.constant([10])])
    },
    Consumer(testDescription: "sum with a plain image") { m, x, batch, channels in
      try m.add(Add(activation: .relu), [x, m.input([batch, 5, 6, channels], name: "other")])
    },
    Consumer(testDescription: "sum with one plain image for the batch") { m, x, _, channels in
      try m.add(Sub(), [m.input([1, 5, 6, channels], name: "other"), x])
    },
    Consumer(testDescription: "product with a value for each channel") { m, x, batch, channels in
      try m.add(Mul(), [x, m.input([batch, 1, 1, channels], name: "gates")])
    },
    Consumer(testDescription: "product with a value for each row and channel") { m, x, _, channels in
      try m.add(Mul(), [x, m.input([5, 1, channels], name: "rows")])
    },
    Consumer(testDescription: "product with a value for each column") { m, x, _, _ in
      try m.add(Mul(), [x, m.input([6, 1], name: "columns")])
    },
    Consumer(testDescription: "product with a number") { m, x, _, _ in
      try m.add(Mul(), [m.input([], name: "number"), x])
    },
    Consumer(testDescription: "product with a constant for each channel") { m, x, _, channels in
      try m.add(Mul(), [x, m.constant([channels])])
    },
    Consumer(testDescription: "sum with itself") { m, x, _, _ in try m.add(Add(), [x, x]) },
    Consumer(testDescription: "scale and shift") { m, x, _, channels in
      try m.add(ScaleShift(layout: .channelsLast), [x, m.constant([channels]), m.constant([channels])])
    },
    Consumer(testDescription: "activation") { m, x, _, _ in try m.add(HardSwish(), [x]) },
    Consumer(testDescription: "softmax") { m, x, _, _ in try m.add(Softmax(axis: -1), [x]) },
    Consumer(testDescription: "squeeze-excite") { m, x, _, channels in
      try m.add(
        SqueezeExcite(layout: .channelsLast, inner: .relu, gate: .sigmoid),
        [x, m.constant([3, channels]), m.constant([3]), m.constant([channels, 3]), m.constant([channels])])
    },
    Consumer(testDescription: "concatenation") { m, x, _, _ in try m.add(Concat(axis: 3), [x, x]) },
    Consumer(testDescription: "concatenation with other images") { m, x, batch, _ in
      let others = [m.input([batch, 5, 6, 8], name: "a"), m.input([batch, 5, 6, 16], name: "b")]
      let joined = try m.add(Concat(axis: -1), [others[0], x, others[1]])
      return try m.add(Concat(axis: 3), [others[1], others[0], joined, x])
    },
    Consumer(testDescription: "channels parted and joined in another order") { m, x, _, channels in
      guard channels > 1 else { return try m.add(Identity(), [x]) }
      let sizes = channels > 8 ? [8, channels - 8] : [1, channels - 1]
      let parts = try m.addAll(Split(axis: 3, sizes: sizes), [x])
      m.output(try m.add(HardSwish(), [parts[1]]), name: "part")
      return try m.add(Concat(axis: 3), [parts[1], parts[0]])
    },
    Consumer(testDescription: "channels gathered, some of them twice") { m, x, _, channels in
      let indices = (0..<channels + 3).map { Int64($0 * 5 % channels) - ($0 % 2 == 0 ? 0 : Int64(channels)) }
      let list = m.graph.addConstant("channels", Tensor([indices.count], int64s: indices))
      return try m.add(HardSwish(), [try m.add(Gather(axis: 3), [x, list])])
    },
    Consumer(testDescription: "rows and columns gathered") { m, x, _, _ in
      let rows = m.graph.addConstant("rows", Tensor([6], int64s: [4, 0, 1, 2, 2, -1]))
      let columns = m.graph.addConstant("columns", Tensor([3], int64s: [5, 1, 2]))
      return try m.add(Gather(axis: -2), [try m.add(Gather(axis: 1), [x, rows]), columns])
    },
    Consumer(testDescription: "rows parted and joined in another order") { m, x, _, _ in
      let parts = try m.addAll(Split(axis: 1, sizes: [2, 3]), [x])
      return try m.add(Concat(axis: 1), [parts[1], parts[0]])
    },
    Consumer(testDescription: "slice and padding") { m, x, _, channels in
      let sliced = try m.add(
        Slice(axes: [1, 3], starts: [4, 0], ends: [0, channels], steps: [-2, 2]), [x])
      return try m.add(Pad(begins: [0, 1, 0, 2], ends: [0, 0, 2, 1], value: 0.5), [sliced])
    },
    Consumer(testDescription: "reshape") { m, x, batch, channels in
      try m.add(Reshape(shape: [batch, 30 * channels]), [x])
    },
    Consumer(testDescription: "reference") { m, x, _, _ in try m.add(Abs(), [x]) },
  ]

  @Test("every maker of images meets every reader", arguments: producers, consumers)
  func pairs(_ producer: Producer, _ consumer: Consumer) throws {
    for batch in 1...2 {
      for channels in [1, 3, 8, 16, 21] {
        var m = GraphMaker()
        let x = try producer.make(&m, batch, channels)
        m.output(try consumer.make(&m, x, batch, channels))
        // A second reader, of the same form or of another.
        m.output(try m.add(Neg(), [x]), name: "again")
        try expectSessionMatchesReference(
          &m, kernel: nil, tolerance: 4e-6,
          "\(producer.testDescription), \(consumer.testDescription), \(batch)×\(channels)")
      }
    }
  }

  @Test("a value per row of a batch is not taken for one per image")
  func rankBelowTheImages() throws {
    var m = GraphMaker()
    let x = try m.add(Conv(layout: .channelsLast), [m.input([3, 3, 4, 8]), m.weight([17, 8, 1, 1]), nil])
    m.output(try m.add(Mul(), [x, m.input([3, 1, 17], name: "rows")]))
    try expectSessionMatchesReference(&m, kernel: nil)
  }

  @Test("images of one pixel", arguments: [1, 3], [1, 8, 17])
  func singlePixels(batch: Int, channels: Int) throws {
    var m = GraphMaker()
    let x = m.input([batch, 3, 3, channels])
    let pixel = try m.add(
      Conv(layout: .channelsLast, activation: .hardSwish), [x, m.weight([19, channels, 3, 3]), nil])
    let wide = try m.add(
      Conv(layout: .channelsLast, activation: .silu), [pixel, m.weight([33, 19, 1, 1]), nil])
    m.output(try m.add(Reshape(shape: [batch, 33]), [wide]))
    m.output(try m.add(Mul(), [wide, m.input([batch, 1, 1, 33], name: "gate")]), name: "gated")
    m.output(try m.add(Tanh(), [pixel]), name: "pixel")
    try expectSessionMatchesReference(&m, kernel: "gemm")
  }
}
