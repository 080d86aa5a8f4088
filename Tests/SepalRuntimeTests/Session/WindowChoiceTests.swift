import SepalGraph
import SepalRuntime
import SepalTensor
import Testing

/// Each fast path of windows over images against the reference, at sizes around vectors and tiles.
@Suite struct WindowChoiceTests {
  @Test("convolution with kernels, strides, dilations, groups and asymmetric pads")
  func convolution() throws {
    for (kernel, stride, dilation, pads, groups) in [
      ([3, 3], 2, 1, [0, 1, 1, 0], 1), ([5, 5], 1, 2, [4, 4, 4, 4], 1), ([1, 1], 2, 1, [0, 0, 0, 0], 1),
      ([3, 3], 1, 1, [1, 1, 1, 1], 2), ([7, 1], 1, 1, [3, 0, 3, 0], 3), ([1, 1], 1, 1, [0, 0, 0, 0], 3),
    ] {
      for (input, output) in [(6, 12), (18, 6), (36, 30)] {
        var m = GraphMaker()
        let x = m.input([2, 9, 8, input])
        let weight = m.constant([output, input / groups] + kernel)
        let y = try m.add(
          Conv(
            strides: [stride, stride], padBegins: Array(pads[..<2]), padEnds: Array(pads[2...]),
            dilations: [dilation, dilation], groups: groups, layout: .channelsLast, activation: .relu),
          [x, weight, groups == 1 ? m.constant([output]) : nil])
        m.output(y)
        try expectSessionMatchesReference(
          &m, kernel: "convolution", "\(input)→\(output) k\(kernel) s\(stride) d\(dilation) g\(groups)")
      }
    }
  }

  @Test("first convolution of three channels, and convolution over one spatial axis")
  func specialConvolutions() throws {
    var m = GraphMaker()
    let image = m.input([1, 15, 17, 3])
    m.output(
      try m.add(
        Conv(
          strides: [2, 2], padBegins: [1, 1], padEnds: [0, 1], layout: .channelsLast, activation: .hardSwish),
        [image, m.constant([16, 3, 3, 3]), m.constant([16])]))
    try expectSessionMatchesReference(&m, kernel: "convolution")

    m = GraphMaker()
    let line = m.input([2, 11, 5])
    m.output(
      try m.add(
        Conv(strides: [2], padBegins: [1], padEnds: [2], dilations: [1], layout: .channelsLast),
        [line, m.constant([7, 5, 3]), nil]))
    try expectSessionMatchesReference(&m, kernel: "convolution")
  }

  @Test("depthwise convolution", arguments: [2, 3, 8, 17, 35])
  func depthwise(channels: Int) throws {
    for kernel in [3, 5, 7] {
      for stride in 1...3 {
        for dilation in 1...2 {
          var m = GraphMaker()
          let x = m.input([2, 9, 10, channels])
          let y = try m.add(
            Conv(
              strides: [stride, stride], padBegins: [kernel / 2, 1], padEnds: [1 + kernel, kernel],
              dilations: [dilation, dilation], groups: channels, layout: .channelsLast,
              activation: .clip(min: 0, max: 6)),
            [x, m.constant([channels, 1, kernel, kernel]), m.constant([channels])])
          m.output(y)
          try expectSessionMatchesReference(&m, kernel: "depthwise", "k\(kernel) s\(stride) d\(dilation)")
        }
      }
    }
  }

  @Test("windows over one spatial axis run on the kernels for two", arguments: KernelChoiceTests.channels)
  func oneSpatialAxis(channels: Int) throws {
    func window(stride: Int) -> Conv {
      Conv(
        strides: [stride], padBegins: [3], padEnds: [1], dilations: [2], groups: channels,
        layout: .channelsLast, activation: .relu)
    }
    for stride in 1...3 {
      var m = GraphMaker()
      let line = m.input([2, 13, channels])
      m.output(
        try m.add(window(stride: stride), [line, m.constant([channels, 1, 3]), m.constant([channels])]))
      try expectSessionMatchesReference(&m, kernel: channels > 1 ? "depthwise" : "convolution", "s\(stride)")

      m = GraphMaker()
      let doubled = m.input([2, 13, channels])
      m.output(try m.add(window(stride: stride), [doubled, m.constant([2 * channels, 1, 3]), nil]))
      try expectSessionMatchesReference(&m, kernel: "convolution", "two per channel, s\(stride)")

      m = GraphMaker()
      let x = m.input([2, 13, channels])
      m.output(
        try m.add(
          MaxPool(
            kernel: [3], strides: [stride], padBegins: [2], padEnds: [1], dilations: [2],
            layout: .channelsLast), [x]))
      for include in [false, true] {
        let average = AveragePool(
          kernel: [3], strides: [stride], padBegins: [0], padEnds: [2], dilations: [1],
          countIncludePad: include, layout: .channelsLast)
        m.output(try m.add(average, [x]), name: "average \(include)")
      }
      try expectSessionMatchesReference(&m, kernel: "max pool", "s\(stride)")
    }
  }

  @Test("windows over three spatial axes are not taken for images", arguments: [1, 8])
  func threeSpatialAxes(channels: Int) throws {
    var m = GraphMaker()
    let x = m.input([2, 4, 5, 3, channels])
    let (ones, zeros) = ([1, 1, 1], [0, 0, 0])
    let operators: [(any Operator, [ValueID?])] = [
      (
        Conv(strides: ones, padBegins: zeros, padEnds: zeros, dilations: ones, layout: .channelsLast),
        [x, m.constant([3, channels, 1, 1, 1])]
      ),
      (
        Conv(
          strides: [2, 1, 1], padBegins: [1, 0, 2], padEnds: [0, 1, 0], dilations: [1, 2, 1],
          groups: channels, layout: .channelsLast),
        [x, m.constant([channels, 1, 3, 2, 2]), m.constant([channels])]
      ),
      (
        ConvTranspose(
          strides: [2, 1, 3], padBegins: [1, 0, 0], padEnds: [0, 0, 2], dilations: [1, 2, 1],
          outputPadding: [1, 0, 2], layout: .channelsLast), [x, m.constant([channels, 4, 2, 3, 2])]
      ),
      (
        MaxPool(
          kernel: [2, 3, 1], strides: [2, 1, 2], padBegins: [1, 1, 0], padEnds: zeros, dilations: ones,
          layout: .channelsLast), [x]
      ),
      (
        AveragePool(
          kernel: [2, 3, 1], strides: ones, padBegins: zeros, padEnds: [1, 2, 0], dilations: ones,
          layout: .channelsLast), [x]
      ),
    ]
    for (index, (op, operands)) in operators.enumerated() {
      m.output(try m.add(op, operands), name: "\(index) \(op.name)")
    }
    try expectSessionMatchesReference(&m, kernel: nil)
  }

  @Test("max and average pooling", arguments: KernelChoiceTests.channels)
  func pooling(channels: Int) throws {
    for (kernel, stride, ceil) in [(2, 2, false), (3, 2, true), (3, 1, false)] {
      var m = GraphMaker()
      let x = m.input([2, 8, 9, channels])
      let pads = kernel == 3 ? [1, 1] : [0, 0]
      m.output(
        try m.add(
          MaxPool(
            kernel: [kernel, kernel], strides: [stride, stride], padBegins: pads, padEnds: pads,
            ceilMode: ceil,
            layout: .channelsLast), [x]))
      for include in [false, true] {
        let y = try m.add(
          AveragePool(
            kernel: [kernel, kernel], strides: [stride, stride], padBegins: pads, padEnds: pads,
            ceilMode: ceil,
            countIncludePad: include, layout: .channelsLast), [x])
        m.output(y, name: "average \(include)")
      }
      for keep in [false, true] {
        let y = try m.add(GlobalAveragePool(layout: .channelsLast, keepDims: keep), [x])
        m.output(y, name: "global \(keep)")
      }
      try expectSessionMatchesReference(&m, kernel: "max pool", "k\(kernel) s\(stride) ceil \(ceil)")
    }
  }

  @Test("kernels higher than tables of rows")
  func highKernels() throws {
    let (height, channels) = (70, 5)
    var m = GraphMaker()
    let x = m.input([1, height, 3, channels])
    m.output(
      try m.add(
        Conv(padBegins: [1, 0], padEnds: [0, 0], groups: channels, layout: .channelsLast),
        [x, m.weight([channels, 1, 40, 1]), nil]), name: "depthwise")
    m.output(
      try m.add(
        Conv(padBegins: [1, 0], padEnds: [0, 0], layout: .channelsLast),
        [x, m.weight([3, channels, 40, 2]), nil]), name: "convolution")
    m.output(
      try m.add(
        MaxPool(
          kernel: [height, 2], strides: [1, 1], padBegins: [3, 0], padEnds: [0, 1], dilations: [1, 1],
          layout: .channelsLast), [x]), name: "max")
    m.output(
      try m.add(
        AveragePool(
          kernel: [height, 3], strides: [1, 1], padBegins: [0, 0], padEnds: [2, 0], dilations: [1, 1],
          layout: .channelsLast), [x]), name: "average")
    try expectSessionMatchesReference(&m, kernel: nil)
  }

  @Test("windows that lie in the padding altogether", arguments: KernelChoiceTests.channels)
  func hugePads(channels: Int) throws {
    var m = GraphMaker()
    let x = m.input([2, 3, 4, channels])
    let (begins, ends) = ([7, 5], [4, 9])
    for stride in 1...3 {
      m.output(
        try m.add(
          Conv(
            strides: [stride, stride], padBegins: begins, padEnds: ends, groups: channels,
            layout: .channelsLast),
          [x, m.constant([channels, 1, 3, 3]), m.constant([channels])]), name: "depthwise \(stride)")
      m.output(
        try m.add(
          Conv(strides: [stride, stride], padBegins: begins, padEnds: ends, layout: .channelsLast),
          [x, m.weight([9, channels, 3, 3]), m.constant([9])]), name: "convolution \(stride)")
    }
    try expectSessionMatchesReference(&m, kernel: "convolution")
  }

  @Test("a planar picture's convolution, whatever keeps it from being read as it is", arguments: [1, 3, 7])
  func planar(channels: Int) throws {
    for (kernel, stride, dilation) in [([3, 3], 2, 1), ([11, 5], 4, 1), ([3, 3], 1, 2), ([40, 3], 1, 1)] {
      for pads in [0, 2] {
        var m = GraphMaker()
        let x = try m.add(Transpose(permutation: [0, 2, 3, 1]), [m.input([2, channels, 41, 13])])
        m.output(
          try m.add(
            Conv(
              strides: [stride, stride], padBegins: [pads, pads], padEnds: [0, pads],
              dilations: [1, dilation], layout: .channelsLast, activation: .relu),
            [x, m.weight([10, channels] + kernel), m.constant([10])]))
        try expectSessionMatchesReference(
          &m, kernel: kernel[0] > 32 ? nil : "convolution",
          "\(channels) channels, kernel \(kernel), stride \(stride), dilation \(dilation), pads \(pads)")
      }
    }
  }
}
