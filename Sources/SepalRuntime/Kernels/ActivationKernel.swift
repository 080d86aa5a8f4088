import CSepalKernels
import SepalGraph

/// An activation by itself; threads share blocks of elements.
struct ActivationKernel: Kernel {
  /// Not looked up in the registry: asking every operator whether it is one costs more than planning a network.
  private static let activations: [any ActivationOperator.Type] = [
    Clip.self, Elu.self, Gelu.self, HardSigmoid.self, HardSwish.self, LeakyRelu.self, Relu.self, Sigmoid.self,
    Silu.self, Tanh.self,
  ]
  static let operators = activations.map { $0.schema.name }

  private static let block = 4096
  private let activation: Activation
  private let count: Int
  let outputForm: Form
  let summary: String
  func inputForm(_ index: Int) -> Form { outputForm }
  var units: Int { (count + Self.block - 1) / Self.block }
  var work: Int { 4 * count }
  var inPlaceOperands: [Int] { [0] }

  init?(_ site: Site) {
    guard site.isFloat32, let op = site.node.op as? any ActivationOperator else { return nil }
    activation = op.asActivation
    outputForm = site.form(0)
    count = site.floats(site.outputs[0], in: outputForm)
    summary = "activation \(activation)"
  }

  private struct Context {
    var functions: UnsafePointer<sepal_kernels>
    var input: UnsafePointer<Float>
    var output: UnsafeMutablePointer<Float>
    var count: Int
    var activation: sepal_activation
  }

  func bind(_ memory: Operands) -> BoundStep {
    let context = Context(
      functions: memory.functions.table, input: memory.floats(0), output: memory.outputFloats(), count: count,
      activation: sepal_activation(activation))
    return BoundStep(
      body: { context, begin, end, _ in
        let c = context.assumingMemoryBound(to: Context.self).pointee
        let first = begin * Self.block
        c.functions.pointee.activate(
          c.output + first, c.input + first, min(end * Self.block, c.count) - first, c.activation)
      }, context: memory.context(context))
  }
}
