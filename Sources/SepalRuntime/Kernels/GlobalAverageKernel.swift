import CSepalKernels
import SepalGraph

/// The mean over all pixels of channels-last images; threads share blocks of channels.
struct GlobalAverageKernel: Kernel {
  static let operators = [GlobalAveragePool.schema.name]

  private static let channelBlock = 64
  private let batch, pixels, channels: Int
  private var blocks: Int { (channels + Self.channelBlock - 1) / Self.channelBlock }
  let summary = "global average, channels"
  var units: Int { batch * blocks }
  var work: Int { batch * pixels * channels }

  init?(_ site: Site) {
    guard site.isFloat32, let op = site.op(GlobalAveragePool.self), op.layout == .channelsLast else {
      return nil
    }
    let shape = site.inputs[0].shape
    batch = shape[0]
    channels = shape[shape.count - 1]
    pixels = shape[1..<shape.count - 1].reduce(1, *)
  }

  private struct Context {
    var functions: UnsafePointer<sepal_kernels>
    var input: UnsafePointer<Float>
    var output: UnsafeMutablePointer<Float>
    var pixels, channels, blocks: Int
  }

  func bind(_ memory: Operands) -> BoundStep {
    let context = Context(
      functions: memory.functions.table, input: memory.floats(0), output: memory.outputFloats(),
      pixels: pixels, channels: channels, blocks: blocks)
    return BoundStep(
      body: { context, begin, end, _ in
        let c = context.assumingMemoryBound(to: Context.self).pointee
        for unit in begin..<end {
          let (image, first) = (unit / c.blocks, unit % c.blocks * Self.channelBlock)
          c.functions.pointee.global_average(
            c.output + image * c.channels + first, c.input + image * c.pixels * c.channels + first, c.pixels,
            min(Self.channelBlock, c.channels - first), c.channels)
        }
      }, context: memory.context(context))
  }
}
