import CSepalKernels
import SepalGraph
import SepalTensor

/// A matrix of activations times a constant matrix: dense layers, products by a constant, 1×1 convolutions of single
/// pixels.
struct MatrixKernel: Kernel {
  static let operators = [Conv.schema.name, Gemm.schema.name, MatMul.schema.name]

  private let gemm: sepal_gemm
  private let weights, bias: WeightStore.Slice
  let packedOperands = [1, 2]
  private let residualOperand: Int?
  /// Threads share panels instead of rows.
  private let sharesPanels: Bool
  let summary: String
  let units: Int
  let work: Int
  let loads: [KernelLoad]
  var weightBytes: Int { weights.byteCount }

  init?(_ site: Site) {
    guard site.isFloat32, let problem = Problem(site) else { return nil }
    let (m, n, k) = (problem.rows, problem.view.columns, problem.view.depth)
    let functions = site.functions.table.pointee
    weights = site.pack(problem.weight, problem.view)
    bias = site.packBias(problem.bias, columns: n)
    residualOperand = problem.residualOperand
    var gemm = sepal_gemm()
    (gemm.m, gemm.n, gemm.k) = (m, n, k)
    let vector = site.functions.vectorWidth
    (gemm.a_pixel, gemm.c_pixel, gemm.residual_pixel) = (k, n, n)
    (gemm.a_block, gemm.c_block, gemm.residual_block) = (vector, vector, vector)
    // A block of rows stays in L2 while the panels pass over it.
    gemm.row_block = max(48, 128 * 1024 / (k * MemoryLayout<Float>.size))
    gemm.activation = sepal_activation(problem.activation)
    self.gemm = gemm
    // What is shared is read once; the other operand is read by every thread.
    sharesPanels = m < n
    units = sharesPanels ? functions.panel_count(n) : m
    work = m * n * k
    loads = [
      .product(
        pixels: m, depth: k, columns: n, rowBlock: gemm.row_block,
        hasResidual: residualOperand.map(site.isPresent) ?? false, site.functions)
    ]
    summary = "gemm \(m)x\(k)x\(n), \(sharesPanels ? "panels" : "rows")"
  }

  private struct Context {
    var functions: UnsafePointer<sepal_kernels>
    var gemm: sepal_gemm
    var panels: Int
  }

  func bind(_ memory: Operands) -> BoundStep {
    var gemm = gemm
    gemm.a = memory.floats(0)
    gemm.b = memory.weights(weights)
    gemm.bias = memory.weights(bias)
    gemm.residual = residualOperand.flatMap { memory.optionalFloats($0) }
    gemm.c = memory.outputFloats()
    let functions = memory.functions.table
    let context = memory.context(
      Context(functions: functions, gemm: gemm, panels: functions.pointee.panel_count(gemm.n)))
    let byPanels: BoundStep.Body = { context, begin, end, _ in
      let context = context.assumingMemoryBound(to: Context.self)
      withUnsafePointer(to: context.pointee.gemm) {
        context.pointee.functions.pointee.gemm($0, 0, $0.pointee.m, begin, end)
      }
    }
    let byRows: BoundStep.Body = { context, begin, end, _ in
      let context = context.assumingMemoryBound(to: Context.self)
      withUnsafePointer(to: context.pointee.gemm) {
        context.pointee.functions.pointee.gemm($0, begin, end, 0, context.pointee.panels)
      }
    }
    return BoundStep(body: sharesPanels ? byPanels : byRows, context: context)
  }
}

/// The three spellings of the product as one.
private struct Problem {
  var rows: Int
  var weight: Tensor
  var view: MatrixView
  var bias: Tensor?
  var residualOperand: Int?
  var activation: Activation

  init?(_ site: Site) {
    if let conv = ConstantConvolution(site) {
      self.init(conv)
    } else if let gemm = site.op(Gemm.self) {
      self.init(gemm, site)
    } else if site.op(MatMul.self) != nil {
      self.init(matMul: site)
    } else {
      return nil
    }
  }

  private init?(_ conv: ConstantConvolution) {
    let g = conv.geometry
    guard conv.op.groups == 1, g.isPointwise, g.output.pixels == 1 else { return nil }
    let depth = g.input.channels
    rows = g.output.batch
    weight = conv.weight
    view = MatrixView(columns: g.output.channels, depth: depth, columnStride: depth, depthStride: 1)
    bias = conv.bias
    residualOperand = 3
    activation = conv.op.activation
  }

  private init?(_ gemm: Gemm, _ site: Site) {
    guard let b = site.constant(1), !gemm.transA, gemm.alpha == 1, gemm.beta == 1 else { return nil }
    let (m, n) = (site.outputs[0].shape[0], site.outputs[0].shape[1])
    let k = site.inputs[0].shape[1]
    if let c = site.inputs.optional(2) {
      guard site.constant(2) != nil, c.count == n, c.shape.last == n else { return nil }
    }
    rows = m
    weight = b
    view =
      gemm.transB
      ? MatrixView(columns: n, depth: k, columnStride: k, depthStride: 1)
      : MatrixView(columns: n, depth: k, columnStride: 1, depthStride: n)
    bias = site.constant(2)
    activation = gemm.activation
  }

  private init?(matMul site: Site) {
    guard let b = site.constant(1), b.shape.count == 2, site.inputs[0].rank >= 2 else { return nil }
    let (k, n) = (b.shape[0], b.shape[1])
    rows = site.inputs[0].count / k
    weight = b
    view = MatrixView(columns: n, depth: k, columnStride: 1, depthStride: n)
    activation = .identity
  }
}
