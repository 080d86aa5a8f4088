import CSepalKernels
import SepalGraph

/// Depthwise convolution with one filter per channel.
struct DepthwiseKernel: Kernel {
  static let operators = [Conv.schema.name]

  private let window: sepal_window
  private let weights, bias: WeightStore.Slice
  let summary: String
  let units: Int
  let work: Int
  let scratchBytes: Int

  init?(_ site: Site) {
    guard let conv = ConstantConvolution(site), conv.op.groups == conv.geometry.input.c,
      conv.geometry.output.c == conv.geometry.input.c, conv.op.groups > 1
    else { return nil }
    let geometry = conv.geometry
    let (taps, channels) = (geometry.kernel.h * geometry.kernel.w, geometry.input.c)
    var window = geometry.window
    // A dilation into a huge padding would need a huge table of pointers.
    scratchBytes = site.functions.table.pointee.depthwise_scratch(&window)
    guard scratchBytes <= 1 << 24 else { return nil }
    window.activation = sepal_activation(conv.op.activation)
    self.window = window
    let weight = conv.weight
    weights = site.weights.reserve(taps * channels) { destination in
      weight.withFloats { sepal_transpose(destination, $0, channels, taps) }
    }
    bias = site.packBias(conv.bias, columns: channels)
    site.weights.requireZeros(channels + 16)
    summary = "depthwise \(geometry.kernel.h)x\(geometry.kernel.w), rows"
    units = geometry.rows
    work = conv.multiplyAdds
  }

  func bind(_ memory: Operands) -> BoundStep {
    var window = window
    window.input = memory.floats(0)
    window.weights = memory.weights(weights)
    window.bias = memory.weights(bias)
    window.residual = memory.optionalFloats(3)
    window.output = memory.outputFloats()
    window.zeros = memory.session.weights.zeroFloats
    let context = memory.context(WindowContext(functions: memory.functions.table, window: window))
    return BoundStep(
      body: { context, begin, end, scratch in
        let context = context.assumingMemoryBound(to: WindowContext.self)
        withUnsafePointer(to: context.pointee.window) {
          context.pointee.functions.pointee.depthwise($0, begin, end, scratch)
        }
      }, context: context)
  }
}
