import CSepalKernels
import SepalGraph
import SepalTensor

/// Scale and shift per channel of channels-last images: what is left of a batch normalisation.
struct ScaleShiftKernel: Kernel {
  static let operators = [ScaleShift.schema.name, BatchNorm.schema.name]

  private let scale, shift: WeightStore.Slice
  private let activation: Activation
  private let rows, columns, blockRows: Int
  let summary = "scale and shift, rows"
  var units: Int { (rows + blockRows - 1) / blockRows }
  var work: Int { 2 * rows * columns }
  var inPlaceOperands: [Int] { [0] }

  init?(_ site: Site) {
    guard site.isFloat32, let parameters = Self.parameters(site) else { return nil }
    let shape = site.outputs[0].shape
    // A channels-first matrix has its channels last as well.
    guard parameters.layout == .channelsLast || shape.count == 2, let columns = shape.last else { return nil }
    self.columns = columns
    rows = site.outputs[0].count / columns
    blockRows = max(1, 4096 / columns)
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
    var rows, columns, blockRows: Int
    var activation: sepal_activation
  }

  func bind(_ memory: Operands) -> BoundStep {
    let context = Context(
      functions: memory.functions.table, input: memory.floats(0), scale: memory.weights(scale),
      shift: memory.weights(shift), output: memory.outputFloats(), rows: rows, columns: columns,
      blockRows: blockRows, activation: sepal_activation(activation))
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
