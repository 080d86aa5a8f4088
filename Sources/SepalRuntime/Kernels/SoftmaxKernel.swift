import CSepalKernels
import SepalGraph

/// Softmax along the last axis.
struct SoftmaxKernel: Kernel {
  static let operators = [Softmax.schema.name]

  private let rows, columns: Int
  let summary = "softmax, rows"
  var units: Int { rows }
  var work: Int { 8 * rows * columns }
  var inPlaceOperands: [Int] { [0] }

  init?(_ site: Site) {
    guard site.isFloat32, let op = site.op(Softmax.self) else { return nil }
    let shape = site.inputs[0].shape
    let axis = op.axis < 0 ? op.axis + shape.count : op.axis
    // Axes of extent 1 behind it do not separate its elements.
    guard shape[(axis + 1)...].allSatisfy({ $0 == 1 }) else { return nil }
    columns = shape[axis]
    rows = site.inputs[0].count / columns
  }

  private struct Context {
    var functions: UnsafePointer<sepal_kernels>
    var input: UnsafePointer<Float>
    var output: UnsafeMutablePointer<Float>
    var columns: Int
  }

  func bind(_ memory: Operands) -> BoundStep {
    let context = Context(
      functions: memory.functions.table, input: memory.floats(0), output: memory.outputFloats(),
      columns: columns)
    return BoundStep(
      body: { context, begin, end, _ in
        let c = context.assumingMemoryBound(to: Context.self).pointee
        c.functions.pointee.softmax(
          c.output + begin * c.columns, c.input + begin * c.columns, end - begin, c.columns)
      }, context: memory.context(context))
  }
}
