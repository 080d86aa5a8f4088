import CSepalKernels
import SepalGraph

/// Max and average pooling over channels-last images.
struct PoolKernel: Kernel {
  static let operators = [MaxPool.schema.name, AveragePool.schema.name]

  private enum Kind { case max, average(includePad: Bool) }

  private let kind: Kind
  private let geometry: WindowGeometry
  let summary: String
  var units: Int { geometry.rows }
  var work: Int {
    saturatingProduct([geometry.pixels, geometry.output.c, geometry.kernel.h, geometry.kernel.w])
  }

  init?(_ site: Site) {
    guard site.isFloat32, let op = site.node.op as? any PoolOperator,
      let geometry = WindowGeometry(
        input: site.inputs[0].shape, output: site.outputs[0].shape, layout: op.layout, kernel: op.kernel,
        strides: op.strides, dilations: op.dilations, padBegins: op.padBegins, padEnds: op.padEnds)
    else { return nil }
    self.geometry = geometry
    kind = site.op(AveragePool.self).map { .average(includePad: $0.countIncludePad) } ?? .max
    let name = site.op(MaxPool.self) != nil ? "max pool" : "average pool"
    summary = "\(name) \(geometry.kernel.h)x\(geometry.kernel.w), rows"
  }

  private struct Context {
    var functions: UnsafePointer<sepal_kernels>
    var window: sepal_window
    var includePad = false
    var padBottom = 0
    var padRight = 0
  }

  func bind(_ memory: Operands) -> BoundStep {
    var window = geometry.window
    window.input = memory.floats(0)
    window.output = memory.outputFloats()
    window.activation = sepal_activation(.identity)
    var context = Context(functions: memory.functions.table, window: window)
    guard case .average(let includePad) = kind else {
      return BoundStep(
        body: { context, begin, end, _ in
          let context = context.assumingMemoryBound(to: Context.self)
          withUnsafePointer(to: context.pointee.window) {
            context.pointee.functions.pointee.max_pool($0, begin, end)
          }
        }, context: memory.context(context))
    }
    context.includePad = includePad
    (context.padBottom, context.padRight) = geometry.padEnds
    return BoundStep(
      body: { context, begin, end, _ in
        let context = context.assumingMemoryBound(to: Context.self)
        withUnsafePointer(to: context.pointee.window) {
          context.pointee.functions.pointee.average_pool(
            $0, context.pointee.includePad, context.pointee.padBottom, context.pointee.padRight, begin, end)
        }
      }, context: memory.context(context))
  }
}
