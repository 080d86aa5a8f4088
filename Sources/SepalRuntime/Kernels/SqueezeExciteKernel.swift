import CSepalKernels
import SepalGraph

/// Squeeze-excite over channels-last images as one step: mean, two dense layers, product. Threads share images.
struct SqueezeExciteKernel: Kernel {
  static let operators = [SqueezeExcite.schema.name]

  private let op: SqueezeExcite
  private let batch, pixels, channels, reduced: Int
  private let w1, b1, w2, b2: WeightStore.Slice
  let summary = "squeeze-excite, images"
  let scratchBytes: Int
  var units: Int { batch }
  var work: Int { batch * channels * (2 * pixels + 2 * reduced) }
  var inPlaceOperands: [Int] { [0] }

  init?(_ site: Site) {
    guard site.isFloat32, let op = site.op(SqueezeExcite.self), op.layout == .channelsLast,
      let w1 = site.constant(1), let w2 = site.constant(3),
      site.inputs.optional(2) == nil || site.constant(2) != nil,
      site.inputs.optional(4) == nil || site.constant(4) != nil
    else { return nil }
    let shape = site.inputs[0].shape
    self.op = op
    batch = shape[0]
    channels = shape[shape.count - 1]
    reduced = w1.shape[0]
    pixels = shape[1..<shape.count - 1].reduce(1, *)
    self.w1 = site.pack(
      w1, MatrixView(columns: reduced, depth: channels, columnStride: channels, depthStride: 1))
    b1 = site.packBias(site.constant(2), columns: reduced)
    self.w2 = site.pack(
      w2, MatrixView(columns: channels, depth: reduced, columnStride: reduced, depthStride: 1))
    b2 = site.packBias(site.constant(4), columns: channels)
    scratchBytes = (2 * channels + reduced) * MemoryLayout<Float>.size
  }

  private struct Context {
    var functions: UnsafePointer<sepal_kernels>
    var input: UnsafePointer<Float>
    var output: UnsafeMutablePointer<Float>
    var pixels, channels: Int
    var inner, gate: sepal_gemm

    /// Scratch: the means, the hidden layer, the gates.
    func run(image: Int, _ scratch: UnsafeMutablePointer<Float>) {
      let table = functions.pointee
      let source = input + image * pixels * channels
      let (means, hidden) = (scratch, scratch + channels)
      let gates = hidden + inner.n
      table.global_average(means, source, pixels, channels, channels)
      var (inner, gate) = (inner, gate)
      (inner.a, inner.c) = (UnsafePointer(means), hidden)
      table.gemm(&inner, 0, 1, 0, table.panel_count(inner.n))
      (gate.a, gate.c) = (UnsafePointer(hidden), gates)
      table.gemm(&gate, 0, 1, 0, table.panel_count(gate.n))
      var product = sepal_binary()
      product.op = SEPAL_MUL
      (product.rows, product.columns) = (pixels, channels)
      (product.x, product.x_stride, product.x_step) = (source, channels, true)
      (product.y, product.y_step) = (UnsafePointer(gates), true)
      (product.dst, product.dst_stride) = (output + image * pixels * channels, channels)
      product.activation = sepal_activation(.identity)
      table.binary(&product)
    }
  }

  private func dense(
    _ weights: UnsafePointer<Float>, _ bias: UnsafePointer<Float>, from k: Int, to n: Int,
    _ activation: Activation
  ) -> sepal_gemm {
    var gemm = sepal_gemm()
    (gemm.m, gemm.n, gemm.k) = (1, n, k)
    (gemm.b, gemm.bias) = (weights, bias)
    (gemm.row_block, gemm.k_block) = (1, k)
    gemm.activation = sepal_activation(activation)
    return gemm
  }

  func bind(_ memory: Operands) -> BoundStep {
    let context = Context(
      functions: memory.functions.table, input: memory.floats(0), output: memory.outputFloats(),
      pixels: pixels, channels: channels,
      inner: dense(memory.weights(w1), memory.weights(b1), from: channels, to: reduced, op.inner),
      gate: dense(memory.weights(w2), memory.weights(b2), from: reduced, to: channels, op.gate))
    return BoundStep(
      body: { context, begin, end, scratch in
        let context = context.assumingMemoryBound(to: Context.self)
        for image in begin..<end {
          context.pointee.run(image: image, scratch.assumingMemoryBound(to: Float.self))
        }
      }, context: memory.context(context))
  }
}
