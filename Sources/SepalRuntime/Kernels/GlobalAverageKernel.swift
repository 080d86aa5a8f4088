import CSepalKernels
import SepalGraph

/// The mean over all pixels of blocked images; threads share channel blocks.
struct GlobalAverageKernel: Kernel {
  static let operators = [GlobalAveragePool.schema.name]

  private let shape: ImageShape
  private let blocks: Int
  let summary = "global average"
  var units: Int { shape.batch * blocks }
  var work: Int { shape.batch * shape.pixels * shape.channels }
  let outputForm: Form
  let scratchBytes: Int
  func inputForm(_ index: Int) -> Form { .blocked }

  init?(_ site: Site) {
    guard site.isFloat32, let op = site.op(GlobalAveragePool.self), op.layout == .channelsLast,
      let shape = ImageShape(site.inputs[0])
    else { return nil }
    self.shape = shape
    blocks = shape.blocks(site.functions.vectorWidth)
    outputForm = ImageShape(site.outputs[0]) == nil ? .plain : .blocked
    scratchBytes = outputForm == .plain ? site.functions.vectorWidth * MemoryLayout<Float>.size : 0
  }

  private struct Context {
    var functions: UnsafePointer<sepal_kernels>
    var input: UnsafePointer<Float>
    var output: UnsafeMutablePointer<Float>
    var pixels, blocks, channels, vector: Int
  }

  func bind(_ memory: Operands) -> BoundStep {
    let context = memory.context(
      Context(
        functions: memory.functions.table, input: memory.floats(0), output: memory.outputFloats(),
        pixels: shape.pixels, blocks: blocks, channels: shape.channels, vector: memory.functions.vectorWidth))
    if outputForm == .plain {
      // The means of an image end with its last channel, within a block.
      return BoundStep(
        body: { context, begin, end, scratch in
          let c = context.assumingMemoryBound(to: Context.self).pointee
          let means = scratch.assumingMemoryBound(to: Float.self)
          for unit in begin..<end {
            let first = unit % c.blocks * c.vector
            c.functions.pointee.global_average(
              means, c.input + unit * c.pixels * c.vector, c.pixels, 0, 1, 0)
            (c.output + unit / c.blocks * c.channels + first)
              .update(from: means, count: min(c.vector, c.channels - first))
          }
        }, context: context)
    }
    // The blocks of a batch follow each other, in the images as in the means.
    return BoundStep(
      body: { context, begin, end, _ in
        let c = context.assumingMemoryBound(to: Context.self).pointee
        c.functions.pointee.global_average(c.output, c.input, c.pixels, begin, end, c.pixels * c.vector)
      }, context: context)
  }
}
