import CSepalKernels
import SepalGraph

/// Max and average pooling over blocked images.
struct PoolKernel: ImageKernel {
  static let operators = [MaxPool.schema.name, AveragePool.schema.name]

  private enum Kind { case max, average(includePad: Bool) }

  let window: ImageWindow
  private let kind: Kind
  private let strip: StripWindow
  private let padEnds: (h: Int, w: Int)
  let summary: String
  let work: Int
  let loads: [KernelLoad]
  let panels: Int
  let operandForm = Form.blocked
  let isChannelwise = true
  let residualOperand: Int? = nil
  let sharesPanels: Bool
  let weightBytes = 0

  init?(_ site: Site) {
    guard site.isFloat32, let op = site.node.op as? any PoolOperator,
      let geometry = WindowGeometry(
        input: site.inputs[0], output: site.outputs[0], layout: op.layout, kernel: op.kernel,
        strides: op.strides, dilations: op.dilations, padBegins: op.padBegins, padEnds: op.padEnds),
      let strip = StripWindow(geometry)
    else { return nil }
    self.strip = strip
    window = ImageWindow(geometry)
    padEnds = geometry.padEnds
    kind = site.op(AveragePool.self).map { .average(includePad: $0.countIncludePad) } ?? .max
    panels = geometry.input.blocks(site.functions.vectorWidth)
    site.weights.requireZeros(geometry.input.width * site.functions.vectorWidth)
    let name = site.op(MaxPool.self) != nil ? "max pool" : "average pool"
    summary = "\(name) \(geometry.kernel.h)x\(geometry.kernel.w)"
    sharesPanels = window.output.batch * window.output.height < 4 * panels
    loads = [.pool(geometry, site.functions)]
    work = saturatingProduct([
      window.output.batch, window.output.pixels, window.output.channels, geometry.kernel.h, geometry.kernel.w,
    ])
  }

  func firstBlock(ofPanel panel: Int) -> Int { panel }
  func scratchBytes(rows: Int) -> Int { strip.tableBytes(rows: rows) }

  private struct Context {
    var functions: UnsafePointer<sepal_kernels>
    var window: StripWindow
    var includePad = false
    var padEnds: (h: Int, w: Int)
  }

  func bindImage(_ memory: Operands) -> ImageStep {
    var strip = strip
    strip.strip.zeros = memory.session.weights.zeroFloats
    strip.strip.activation = sepal_activation(.identity)
    var context = Context(functions: memory.functions.table, window: strip, padEnds: padEnds)
    guard case .average(let includePad) = kind else {
      return ImageStep(
        body: { context, job in
          let job = job.assumingMemoryBound(to: ImageJob.self)
          let c = context.assumingMemoryBound(to: Context.self)
          var strip = c.pointee.window.strip(for: job)
          c.pointee.functions.pointee.max_pool(&strip, job.pointee.firstPanel, job.pointee.endPanel)
        }, context: memory.context(context))
    }
    context.includePad = includePad
    return ImageStep(
      body: { context, job in
        let job = job.assumingMemoryBound(to: ImageJob.self)
        let c = context.assumingMemoryBound(to: Context.self)
        let (include, pads) = (c.pointee.includePad, c.pointee.padEnds)
        var strip = c.pointee.window.strip(for: job)
        c.pointee.functions.pointee.average_pool(
          &strip, c.pointee.window.rowCells(for: job, padBottom: include ? pads.h : nil), include, pads.w,
          job.pointee.firstPanel, job.pointee.endPanel)
      }, context: memory.context(context))
  }
}
