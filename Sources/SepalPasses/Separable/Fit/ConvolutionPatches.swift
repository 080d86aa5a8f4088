import SepalGraph
import SepalTensor

/// What a dense convolution over a channels-last image of one or two spatial axes computes and reads.
struct ConvolutionPatches: Sendable {
  let inputs, outputs: Int
  /// Taps of the kernel, all axes.
  let taps: Int
  let kernelShape: [Int]
  /// Places of one output, whole batch.
  let positions: Int
  /// Row after row of `[outputs][inputs][taps]`, and one number per output.
  let weight, bias: [Double]
  private let input, output, kernel, strides, dilations, padBegins: (h: Int, w: Int)

  /// Nil unless `node` is such a convolution, in float32, with one group, several taps, and constant parameters.
  init?(_ node: Node, in graph: Graph) {
    guard let conv = node.op(as: Conv.self), conv.layout == .channelsLast, conv.groups == 1,
      let x = node.input(0).map({ graph.type(of: $0) }), x.rank == 3 || x.rank == 4, x.element == .float32,
      let weight = graph.constant(node.input(1)), weight.element == .float32,
      node.input(2) == nil || graph.constant(node.input(2)) != nil
    else { return nil }
    func pair(_ list: [Int], _ missing: Int) -> (h: Int, w: Int) {
      list.count == 1 ? (missing, list[0]) : (list[0], list[1])
    }
    let y = graph.type(of: node.output)
    (outputs, inputs) = (weight.shape[0], weight.shape[1])
    kernelShape = Array(weight.shape.dropFirst(2))
    kernel = pair(kernelShape, 1)
    taps = kernel.h * kernel.w
    input = pair(Array(x.shape.dropFirst().dropLast()), 1)
    output = pair(Array(y.shape.dropFirst().dropLast()), 1)
    strides = pair(conv.strides, 1)
    dilations = pair(conv.dilations, 1)
    padBegins = pair(conv.padBegins, 0)
    positions = x.shape[0] * output.h * output.w
    guard taps > 1, inputs > 1, positions > 0, outputs > 0 else { return nil }
    self.weight = weight.doubles()
    bias = graph.constant(node.input(2))?.doubles() ?? [Double](repeating: 0, count: outputs)
  }

  /// Writes the input that output place `position` is computed from as `[inputs][taps]`; zero outside the image.
  func copyPatch(_ position: Int, of image: [Float], to patch: UnsafeMutableBufferPointer<Float>) {
    let pixels = output.h * output.w
    let (batch, y, x) = (position / pixels, position % pixels / output.w, position % output.w)
    for row in 0..<kernel.h {
      let sourceRow = y * strides.h + row * dilations.h - padBegins.h
      for column in 0..<kernel.w {
        let sourceColumn = x * strides.w + column * dilations.w - padBegins.w
        let tap = row * kernel.w + column
        guard sourceRow >= 0, sourceRow < input.h, sourceColumn >= 0, sourceColumn < input.w else {
          for channel in 0..<inputs { patch[channel * taps + tap] = 0 }
          continue
        }
        let pixel = ((batch * input.h + sourceRow) * input.w + sourceColumn) * inputs
        for channel in 0..<inputs { patch[channel * taps + tap] = image[pixel + channel] }
      }
    }
  }

  /// The convolution of one patch, bias included, before residual and activation.
  func output(of patch: [Float]) -> [Double] {
    let depth = inputs * taps
    var sums = bias
    weight.withUnsafeBufferPointer { weight in
      patch.map(Double.init).withUnsafeBufferPointer { patch in
        guard let rows = weight.baseAddress, let values = patch.baseAddress else { return }
        for row in 0..<outputs { sums[row] += VectorProducts.dot(rows + row * depth, values, depth) }
      }
    }
    return sums
  }

  /// `count` places of a sample, ascending, all different: the same for the same seed.
  func sampledPositions(_ count: Int, seed: UInt64) -> [Int] {
    guard count < positions else { return Array(0..<positions) }
    // Floyd's: no list of all places.
    var random = SplitMix64(seed: seed)
    var chosen: Set<Int> = []
    for last in positions - count..<positions {
      let place = Int(random.next() % UInt64(last + 1))
      if !chosen.insert(place).inserted { chosen.insert(last) }
    }
    return chosen.sorted()
  }
}

/// Steele, Lea and Flood's generator: the same sequence on every machine.
struct SplitMix64 {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
