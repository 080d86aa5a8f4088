import CSepalKernels
import SepalGraph

/// A 1×1 convolution over blocked images: pixels times a constant matrix.
struct PointwiseKernel: ImageKernel {
  static let operators = [Conv.schema.name]

  let window: ImageWindow
  private let gemm: sepal_gemm
  private let weights, bias: WeightStore.Slice
  private let starts: [Int]
  let summary: String
  let sharesPanels: Bool
  let work: Int
  let loads: [KernelLoad]
  let operandForm = Form.blocked
  let isChannelwise = false
  let packedOperands = [1, 2]
  let residualOperand: Int? = 3
  var panels: Int { starts.count - 1 }
  var weightBytes: Int { weights.byteCount }

  init?(_ site: Site) {
    guard let conv = ConstantConvolution(site), conv.op.groups == 1, conv.geometry.isPointwise,
      conv.geometry.output.pixels > 1
    else { return nil }
    window = ImageWindow(conv.geometry)
    let vector = site.functions.vectorWidth
    let (k, n, pixels) = (window.input.channels, window.output.channels, window.output.pixels)
    weights = site.pack(conv.weight, MatrixView(columns: n, depth: k, columnStride: k, depthStride: 1))
    bias = site.packBias(conv.bias, columns: n)
    var gemm = sepal_gemm()
    (gemm.n, gemm.k) = (n, k)
    (gemm.a_pixel, gemm.c_pixel, gemm.residual_pixel) = (vector, vector, vector)
    // A block of pixels stays in L2 while the panels pass over it.
    gemm.row_block = max(96, 192 * 1024 / (k * MemoryLayout<Float>.size))
    gemm.activation = sepal_activation(conv.op.activation)
    self.gemm = gemm
    starts = site.functions.panelStarts(n)
    // What is shared is read once; the other operand is read by every thread.
    sharesPanels = window.output.batch * pixels < n
    work = conv.multiplyAdds
    loads = [
      .product(
        pixels: window.output.batch * pixels, depth: k, columns: n, rowBlock: gemm.row_block,
        hasResidual: site.isPresent(3), site.functions)
    ]
    summary = "pointwise \(window.output.batch * pixels)x\(k)x\(n) by \(site.functions.tile(n))"
  }

  func firstBlock(ofPanel panel: Int) -> Int { starts[panel] }
  func scratchBytes(rows: Int) -> Int { 0 }

  private struct Context {
    var functions: UnsafePointer<sepal_kernels>
    var gemm: sepal_gemm
    var width: Int
  }

  func bindImage(_ memory: Operands) -> ImageStep {
    var gemm = gemm
    gemm.b = memory.weights(weights)
    gemm.bias = memory.weights(bias)
    let context = Context(functions: memory.functions.table, gemm: gemm, width: window.output.width)
    return ImageStep(
      body: { context, job in
        let job = job.assumingMemoryBound(to: ImageJob.self)
        let c = context.assumingMemoryBound(to: Context.self)
        let (input, output) = (job.pointee.input, job.pointee.output)
        var gemm = c.pointee.gemm
        (gemm.a_block, gemm.c_block) = (input.block, output.block)
        gemm.residual_block = job.pointee.residual?.block ?? 0
        var y = job.pointee.begin
        while y < job.pointee.end {
          // Rows that follow each other in every ring.
          var rows = min(job.pointee.end - y, input.count - y % input.count, output.count - y % output.count)
          if let residual = job.pointee.residual {
            rows = min(rows, residual.count - y % residual.count)
            gemm.residual = UnsafePointer(residual[y])
          }
          gemm.m = rows * c.pointee.width
          gemm.a = UnsafePointer(input[y])
          gemm.c = output[y]
          c.pointee.functions.pointee.gemm(&gemm, 0, gemm.m, job.pointee.firstPanel, job.pointee.endPanel)
          y += rows
        }
      }, context: memory.context(context))
  }
}
