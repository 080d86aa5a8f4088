import CSepalKernels
import SepalGraph
import SepalTensor

/// How one node is computed: chosen once when the model is planned, shared by all sessions.
///
/// A new kernel is a file in `Kernels/` with a type that conforms, and one line in `kernelTable`.
package protocol Kernel: Sendable {
  /// Names of the operators that this kernel may compute.
  static var operators: [String] { get }

  /// Takes the node, packing what it needs, or declines it with nil.
  init?(_ site: Site)

  /// What the plan prints: the kernel and its tile or path.
  var summary: String { get }
  /// Pieces that threads may share; results never depend on how they are shared out.
  var units: Int { get }
  /// About how many multiply-adds or moved elements the node costs: decides how many threads are worth waking.
  var work: Int { get }
  /// What a run does, as far as there is a better measure than the bytes that the step moves; empty where there is not.
  var loads: [KernelLoad] { get }
  /// Bytes of packed weights.
  var weightBytes: Int { get }
  /// Bytes that each thread needs while running.
  var scratchBytes: Int { get }
  /// Operands that were packed when the node was planned, and that sessions do not see.
  var packedOperands: [Int] { get }
  /// Operands whose memory the only output may take over, when nobody reads them afterwards.
  var inPlaceOperands: [Int] { get }

  /// The form in which an operand that is not constant must come, and that of the outputs.
  func inputForm(_ index: Int) -> Form
  var outputForm: Form { get }

  /// The kernel as a stage of segments, if it is one. Asking for it casts nothing, which would take longer than planning.
  var imageKernel: (any ImageKernel)? { get }

  /// Fixes the addresses.
  func bind(_ memory: Operands) -> BoundStep
  /// The same for a kernel whose threads meet on the way.
  func bindPhases(_ memory: Operands) -> [BoundPhase]
}

extension Kernel {
  package var loads: [KernelLoad] { [] }
  package var weightBytes: Int { 0 }
  package func inputForm(_ index: Int) -> Form { .plain }
  package var outputForm: Form { .plain }
  package var imageKernel: (any ImageKernel)? { nil }
  package func bindPhases(_ memory: Operands) -> [BoundPhase] {
    [BoundPhase(step: bind(memory), units: units)]
  }
  package var scratchBytes: Int { 0 }
  package var packedOperands: [Int] { [] }
  package var inPlaceOperands: [Int] { [] }
}

/// A step with every address in place. Running it touches no reference counts and allocates nothing.
package struct BoundStep {
  /// Runs units [begin, end); the context is what `bind` prepared.
  package typealias Body =
    @convention(c) (
      _ context: UnsafeRawPointer, _ begin: Int, _ end: Int, _ scratch: UnsafeMutableRawPointer
    ) -> Void

  package let body: Body
  package let context: UnsafeRawPointer
}

/// A part of a step that threads may share, after which they meet.
package struct BoundPhase {
  package let step: BoundStep
  package let units: Int
}

/// What a kernel may look at when it decides whether to take a node.
package struct Site {
  package let node: Node
  package let inputs: Inputs<TensorType>
  package let outputs: [TensorType]
  package let constants: [Tensor?]
  /// How the operands are arranged where they come from; another form costs a copy.
  package let forms: [Form]
  package let functions: KernelFunctions
  package let weights: WeightStore.Builder
  package let options: ModelOptions
  /// Whether every operand that is present, and every output, is a float32 tensor with at least one element.
  package let isFloat32: Bool

  init(
    _ node: Node, in graph: Graph, forms: [Form], functions: KernelFunctions, weights: WeightStore.Builder,
    options: ModelOptions
  ) {
    self.node = node
    (self.forms, self.functions, self.weights, self.options) = (forms, functions, weights, options)
    inputs = graph.inputTypes(of: node)
    outputs = node.outputs.map { graph.type(of: $0) }
    constants = node.inputs.map { graph.constant($0) }
    func isFloat32(_ id: ValueID) -> Bool {
      let type = graph.type(of: id)
      return type.element == .float32 && !type.shape.contains(0)
    }
    self.isFloat32 =
      node.inputs.allSatisfy { $0.map(isFloat32) ?? true } && node.outputs.allSatisfy(isFloat32)
  }

  /// The operator as `Op`.
  package func op<Op: Operator>(_: Op.Type) -> Op? { node.op as? Op }

  /// Operand `index` when it is constant.
  package func constant(_ index: Int) -> Tensor? { index < constants.count ? constants[index] : nil }

  /// Floats that a value takes in a form.
  package func floats(_ type: TensorType, in form: Form) -> Int {
    guard form == .blocked, let image = ImageShape(type) else { return type.count }
    return image.batch * image.floats(in: form, vector: functions.vectorWidth)
  }

  /// Whether the node has operand `index`.
  package func isPresent(_ index: Int) -> Bool { inputs.optional(index) != nil }

  /// How operand `index` is arranged where it comes from.
  package func form(_ index: Int) -> Form { index < forms.count ? forms[index] : .plain }

}

/// The addresses of one node's operands in one session.
package struct Operands {
  let inputs: [UnsafeMutableRawPointer?]
  let outputs: [UnsafeMutableRawPointer]
  let session: SessionMemory
  let functions: KernelFunctions

  /// An operand that is present.
  package func input(_ index: Int) -> UnsafeMutableRawPointer {
    guard let pointer = optional(index) else { preconditionFailure("operand \(index) is absent") }
    return pointer
  }

  package func optional(_ index: Int) -> UnsafeMutableRawPointer? {
    index < inputs.count ? inputs[index] : nil
  }

  package func floats(_ index: Int) -> UnsafePointer<Float> {
    UnsafePointer(input(index).assumingMemoryBound(to: Float.self))
  }

  package func optionalFloats(_ index: Int) -> UnsafePointer<Float>? {
    optional(index).map { UnsafePointer($0.assumingMemoryBound(to: Float.self)) }
  }

  package func outputFloats(_ index: Int = 0) -> UnsafeMutablePointer<Float> {
    outputs[index].assumingMemoryBound(to: Float.self)
  }

  package func weights(_ slice: WeightStore.Slice) -> UnsafePointer<Float> {
    session.weights.floats(slice)
  }

  /// Room for as many floats, for the session's life.
  package func room(_ values: [Float]) -> UnsafeMutablePointer<Float> {
    UnsafeMutablePointer(mutating: session.keep(values))
  }

  /// Keeps `value` at a fixed address for the session's life.
  package func context<T>(_ value: T) -> UnsafeRawPointer { session.keep(value) }
}
