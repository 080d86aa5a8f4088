import CSepalKernels
import SepalGraph
import SepalTensor

/// Scale and shift per channel of channels-last images: what is left of a batch normalisation.
struct ScaleShiftKernel: Kernel {
  static let operators = [ScaleShift.schema.name, BatchNorm.schema.name]

  private let scale, shift: WeightStore.Slice
  private let activation: Activation
  private let rows, columns, blockRows: Int
  /// Channel blocks of the batch; 1 where rows hold all channels.
  private let blocks, blocksOfImage: Int
  let outputForm: Form
  let summary = "scale and shift, rows"
  var units: Int { outputForm == .blocked ? blocks : (rows + blockRows - 1) / blockRows }
  var work: Int { 2 * rows * columns * blocks }
  let packedOperands = [1, 2, 3, 4]
  var inPlaceOperands: [Int] { [0] }
  func inputForm(_ index: Int) -> Form { outputForm }

  init?(_ site: Site) {
    guard site.isFloat32, let parameters = Self.parameters(site) else { return nil }
    let shape = site.outputs[0].shape
    // A channels-first matrix has its channels last as well.
    guard parameters.layout == .channelsLast || shape.count == 2, let columns = shape.last else { return nil }
    if site.form(0) == .blocked, let image = ImageShape(site.inputs[0]) {
      outputForm = .blocked
      self.columns = site.functions.vectorWidth
      rows = image.pixels
      blocksOfImage = image.blocks(self.columns)
      blocks = image.batch * blocksOfImage
    } else {
      outputForm = .plain
      self.columns = columns
      rows = site.outputs[0].count / columns
      (blocks, blocksOfImage) = (1, 1)
    }
    blockRows = max(1, 4096 / self.columns)
    scale = site.weights.reserve(parameters.scale.map { Float($0) }, paddedTo: site.functions.padded(columns))
    shift = site.weights.reserve(parameters.shift.map { Float($0) }, paddedTo: site.functions.padded(columns))
    activation = parameters.activation
  }

  private static func parameters(
    _ site: Site
  ) -> (scale: [Double], shift: [Double], layout: Layout, activation: Activation)? {
    if let op = site.op(ScaleShift.self), let scale = site.constant(1) {
      guard site.inputs.optional(2) == nil || site.constant(2) != nil else { return nil }
      let shift = site.constant(2)?.doubles() ?? [Double](repeating: 0, count: scale.count)
      return (scale.doubles(), shift, op.layout, op.activation)
    }
    if let op = site.op(BatchNorm.self), let gamma = site.constant(1)?.doubles(),
      let beta = site.constant(2)?.doubles(), let mean = site.constant(3)?.doubles(),
      let variance = site.constant(4)?.doubles()
    {
      let scale = gamma.indices.map { gamma[$0] / (variance[$0] + op.epsilon).squareRoot() }
      return (scale, scale.indices.map { beta[$0] - mean[$0] * scale[$0] }, op.layout, op.activation)
    }
    return nil
  }

  private struct Context {
    var functions: UnsafePointer<sepal_kernels>
    var input, scale, shift: UnsafePointer<Float>
    var output: UnsafeMutablePointer<Float>
    var rows, columns, blockRows, blocksOfImage: Int
    var activation: sepal_activation
  }

  func bind(_ memory: Operands) -> BoundStep {
    let context = Context(
      functions: memory.functions.table, input: memory.floats(0), scale: memory.weights(scale),
      shift: memory.weights(shift), output: memory.outputFloats(), rows: rows, columns: columns,
      blockRows: blockRows, blocksOfImage: blocksOfImage, activation: sepal_activation(activation))
    let byBlocks: BoundStep.Body = { context, begin, end, _ in
      let c = context.assumingMemoryBound(to: Context.self).pointee
      for block in begin..<end {
        let (first, channel) = (block * c.rows * c.columns, block % c.blocksOfImage * c.columns)
        c.functions.pointee.scale_shift(
          c.output + first, c.input + first, c.scale + channel, c.shift + channel, c.rows, c.columns,
          c.activation)
      }
    }
    if outputForm == .blocked { return BoundStep(body: byBlocks, context: memory.context(context)) }
    return BoundStep(
      body: { context, begin, end, _ in
        let c = context.assumingMemoryBound(to: Context.self).pointee
        let first = begin * c.blockRows
        c.functions.pointee.scale_shift(
          c.output + first * c.columns, c.input + first * c.columns, c.scale, c.shift,
          min(end * c.blockRows, c.rows) - first, c.columns, c.activation)
      }, context: memory.context(context))
  }
}
