import CSepalKernels
import SepalGraph

/// Squeeze-excite over blocked images: mean, two dense layers, product. Threads meet between the four.
struct SqueezeExciteKernel: Kernel {
  static let operators = [SqueezeExcite.schema.name]

  private let op: SqueezeExcite
  private let shape: ImageShape
  private let blocks, reduced: Int
  private let w1, b1, w2, b2: WeightStore.Slice
  let summary = "squeeze-excite"
  var units: Int { shape.batch * blocks }
  var work: Int { shape.batch * shape.channels * (2 * shape.pixels + 2 * reduced) }
  var weightBytes: Int { w1.byteCount + w2.byteCount }
  let loads: [KernelLoad]
  let packedOperands = [1, 2, 3, 4]
  var inPlaceOperands: [Int] { [0] }
  let outputForm = Form.blocked
  func inputForm(_ index: Int) -> Form { index == 0 ? .blocked : .plain }

  init?(_ site: Site) {
    guard site.isFloat32, let op = site.op(SqueezeExcite.self), op.layout == .channelsLast,
      let w1 = site.constant(1), let w2 = site.constant(3),
      site.inputs.optional(2) == nil || site.constant(2) != nil,
      site.inputs.optional(4) == nil || site.constant(4) != nil, let shape = ImageShape(site.inputs[0])
    else { return nil }
    self.op = op
    self.shape = shape
    blocks = shape.blocks(site.functions.vectorWidth)
    reduced = w1.shape[0]
    let channels = shape.channels
    self.w1 = site.pack(
      w1, MatrixView(columns: reduced, depth: channels, columnStride: channels, depthStride: 1))
    b1 = site.packBias(site.constant(2), columns: reduced)
    self.w2 = site.pack(
      w2, MatrixView(columns: channels, depth: reduced, columnStride: reduced, depthStride: 1))
    b2 = site.packBias(site.constant(4), columns: channels)
    // The image is read twice and written once.
    let dense = [(channels, reduced), (reduced, channels)].map { depth, columns in
      KernelLoad.product(
        pixels: 1, depth: depth, columns: columns, rowBlock: 1, hasResidual: false, site.functions
      ).times(shape.batch)
    }
    let image = shape.floats(in: .blocked, vector: site.functions.vectorWidth) * MemoryLayout<Float>.size
    loads = dense + [.bytes(.stream, 3 * shape.batch * image)]
  }

  private struct Context {
    var functions: UnsafePointer<sepal_kernels>
    var input: UnsafePointer<Float>
    var output: UnsafeMutablePointer<Float>
    var means, hidden, gates: UnsafeMutablePointer<Float>
    var batch, pixels, blocks, vector: Int
    var inner, gate: sepal_gemm

    func computeHidden(_ begin: Int, _ end: Int) {
      var inner = inner
      for image in 0..<batch {
        (inner.a, inner.c) = (UnsafePointer(means + image * blocks * vector), hidden + image * inner.n)
        functions.pointee.gemm(&inner, 0, 1, begin, end)
      }
    }

    func computeGates(_ begin: Int, _ end: Int) {
      var gate = gate
      for image in 0..<batch {
        (gate.a, gate.c) = (UnsafePointer(hidden + image * gate.k), gates + image * blocks * vector)
        functions.pointee.gemm(&gate, 0, 1, begin, end)
      }
    }

    func scale(_ begin: Int, _ end: Int) {
      var product = sepal_binary()
      product.op = SEPAL_MUL
      (product.rows, product.columns) = (pixels, vector)
      (product.x_stride, product.x_step, product.y_step, product.dst_stride) = (vector, true, true, vector)
      product.activation = sepal_activation(.identity)
      for block in begin..<end {
        product.x = input + block * pixels * vector
        product.y = UnsafePointer(gates + block * vector)
        product.dst = output + block * pixels * vector
        functions.pointee.binary(&product)
      }
    }
  }

  private func dense(
    _ weights: UnsafePointer<Float>, _ bias: UnsafePointer<Float>, from k: Int, to n: Int, _ vector: Int,
    _ activation: Activation
  ) -> sepal_gemm {
    var gemm = sepal_gemm()
    (gemm.m, gemm.n, gemm.k) = (1, n, k)
    (gemm.a_pixel, gemm.a_block, gemm.c_pixel, gemm.c_block) = (k, vector, n, vector)
    (gemm.b, gemm.bias) = (weights, bias)
    gemm.row_block = 1
    gemm.activation = sepal_activation(activation)
    return gemm
  }

  func bind(_ memory: Operands) -> BoundStep { bindPhases(memory)[0].step }

  func bindPhases(_ memory: Operands) -> [BoundPhase] {
    let vector = memory.functions.vectorWidth
    let room = [Float](repeating: 0, count: units * vector)
    let context = memory.context(
      Context(
        functions: memory.functions.table, input: memory.floats(0), output: memory.outputFloats(),
        means: memory.room(room), hidden: memory.room([Float](repeating: 0, count: shape.batch * reduced)),
        gates: memory.room(room), batch: shape.batch, pixels: shape.pixels,
        blocks: blocks, vector: vector,
        inner: dense(
          memory.weights(w1), memory.weights(b1), from: shape.channels, to: reduced, vector, op.inner),
        gate: dense(
          memory.weights(w2), memory.weights(b2), from: reduced, to: shape.channels, vector, op.gate)))
    let pool: BoundStep.Body = { context, begin, end, _ in
      let c = context.assumingMemoryBound(to: Context.self)
      c.pointee.functions.pointee.global_average(
        c.pointee.means, c.pointee.input, c.pointee.pixels, begin, end, c.pointee.pixels * c.pointee.vector)
    }
    let hidden: BoundStep.Body = { context, begin, end, _ in
      context.assumingMemoryBound(to: Context.self).pointee.computeHidden(begin, end)
    }
    let gates: BoundStep.Body = { context, begin, end, _ in
      context.assumingMemoryBound(to: Context.self).pointee.computeGates(begin, end)
    }
    let scale: BoundStep.Body = { context, begin, end, _ in
      context.assumingMemoryBound(to: Context.self).pointee.scale(begin, end)
    }
    let panels = memory.functions.table.pointee.panel_count
    return [
      BoundPhase(step: BoundStep(body: pool, context: context), units: units),
      BoundPhase(step: BoundStep(body: hidden, context: context), units: panels(reduced)),
      BoundPhase(step: BoundStep(body: gates, context: context), units: panels(shape.channels)),
      BoundPhase(step: BoundStep(body: scale, context: context), units: units),
    ]
  }
}
