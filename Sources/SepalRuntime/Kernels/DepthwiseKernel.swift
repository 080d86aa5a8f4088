import CSepalKernels
import SepalGraph

/// Depthwise convolution with one filter per channel, over blocked images.
struct DepthwiseKernel: ImageKernel {
  static let operators = [Conv.schema.name]

  let window: ImageWindow
  private let strip: StripWindow
  private let weights, bias: WeightStore.Slice
  private let activation: Activation
  let summary: String
  let work: Int
  let loads: [KernelLoad]
  let panels: Int
  let operandForm = Form.blocked
  let isChannelwise = true
  let packedOperands = [1, 2]
  let residualOperand: Int? = 3
  let sharesPanels: Bool
  var weightBytes: Int { weights.byteCount }

  init?(_ site: Site) {
    guard let conv = ConstantConvolution(site), conv.op.groups == conv.geometry.input.channels,
      conv.geometry.output.channels == conv.geometry.input.channels, conv.op.groups > 1,
      let strip = StripWindow(conv.geometry)
    else { return nil }
    let geometry = conv.geometry
    self.strip = strip
    window = ImageWindow(geometry)
    activation = conv.op.activation
    let (taps, channels) = (geometry.kernel.h * geometry.kernel.w, geometry.input.channels)
    let vector = site.functions.vectorWidth
    let blocks = geometry.input.blocks(vector)
    panels = blocks
    weights = site.packChannels(conv.weight, channels: channels, taps: taps)
    bias = site.packBias(conv.bias, columns: channels)
    site.weights.requireZeros(geometry.input.width * vector)
    summary = "depthwise \(geometry.kernel.h)x\(geometry.kernel.w)"
    sharesPanels = window.output.batch * window.output.height < 4 * blocks
    work = conv.multiplyAdds
    loads = [.depthwise(geometry, hasResidual: site.isPresent(3), site.functions)]
  }

  func firstBlock(ofPanel panel: Int) -> Int { panel }
  func scratchBytes(rows: Int) -> Int { strip.tableBytes(rows: rows) }

  func bindImage(_ memory: Operands) -> ImageStep {
    var strip = strip
    strip.strip.weights = memory.weights(weights)
    strip.strip.bias = memory.weights(bias)
    strip.strip.zeros = memory.session.weights.zeroFloats
    strip.strip.activation = sepal_activation(activation)
    let context = StripContext(functions: memory.functions.table, window: strip)
    return ImageStep(
      body: { context, job in
        let job = job.assumingMemoryBound(to: ImageJob.self)
        let c = context.assumingMemoryBound(to: StripContext.self)
        var strip = c.pointee.window.strip(for: job)
        c.pointee.functions.pointee.depthwise(&strip, job.pointee.firstPanel, job.pointee.endPanel)
      }, context: memory.context(context))
  }
}
