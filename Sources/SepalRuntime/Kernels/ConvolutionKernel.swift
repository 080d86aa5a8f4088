import CSepalKernels
import SepalGraph

/// Any convolution over channels-last images: a GEMM over pointers to the pixels under the window.
struct ConvolutionKernel: Kernel {
  static let operators = [Conv.schema.name]

  private let window: sepal_window
  private let weights, bias: WeightStore.Slice
  let summary: String
  let units: Int
  let work: Int
  let scratchBytes: Int

  init?(_ site: Site) {
    guard let conv = ConstantConvolution(site) else { return nil }
    let (geometry, groups) = (conv.geometry, conv.op.groups)
    let (taps, depth) = (geometry.kernel.h * geometry.kernel.w, conv.weight.shape[1])
    let columns = geometry.output.c / groups
    var window = geometry.window
    window.groups = groups
    window.activation = sepal_activation(conv.op.activation)
    self.window = window
    weights = site.pack(
      conv.weight,
      MatrixView(
        groups: groups, columns: columns, taps: taps, depth: depth, columnStride: depth * taps, tapStride: 1,
        depthStride: taps))
    bias = site.packBias(conv.bias, groups: groups, columns: columns)
    site.weights.requireZeros(geometry.input.c + 16)
    summary = "convolution \(geometry.kernel.h)x\(geometry.kernel.w), pixels"
    units = geometry.pixels
    work = conv.multiplyAdds
    scratchBytes = site.functions.table.pointee.convolve_scratch(&window)
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
          context.pointee.functions.pointee.convolve($0, begin, end, scratch)
        }
      }, context: context)
  }
}
