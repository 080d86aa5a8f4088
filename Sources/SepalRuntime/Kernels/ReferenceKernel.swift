import SepalGraph
import SepalTensor

/// Any operator, by its own reference evaluation: allocates, is slow, and is always right.
struct ReferenceKernel: Kernel {
  static let operators: [String] = []

  private let node: Node
  private let inputs: [TensorType?]
  private let constants: [Tensor?]
  private let outputs: [TensorType]
  let summary = "reference"
  var units: Int { 1 }
  var work: Int { 0 }
  let loads: [KernelLoad]

  init(_ site: Site) {
    node = site.node
    inputs = (0..<site.inputs.count).map { site.inputs.optional($0) }
    constants = site.constants
    outputs = site.outputs
    loads = [.reference(site.node.op, site.inputs, site.outputs)]
  }

  private final class Context {
    let kernel: ReferenceKernel
    let inputs: [UnsafeMutableRawPointer?]
    let outputs: [UnsafeMutableRawPointer]
    unowned let session: SessionMemory

    init(_ kernel: ReferenceKernel, _ memory: Operands) {
      self.kernel = kernel
      inputs = memory.inputs
      outputs = memory.outputs
      session = memory.session
    }

    func run() {
      let operands = kernel.inputs.indices.map { index -> Tensor? in
        if let constant = kernel.constants[index] { return constant }
        guard let type = kernel.inputs[index], let address = inputs[index] else { return nil }
        return Tensor(type, copying: UnsafeRawBufferPointer(start: address, count: type.byteCount))
      }
      do throws(OperatorError) {
        let results = try kernel.node.op.evaluate(Inputs(operands))
        guard results.map(\.type) == kernel.outputs else {
          throw OperatorError("evaluated to \(results.map(\.type)), expected \(kernel.outputs)")
        }
        for (result, address) in zip(results, outputs) {
          result.withUnsafeBytes { bytes in
            if let source = bytes.baseAddress { address.copyMemory(from: source, byteCount: bytes.count) }
          }
        }
      } catch {
        session.fail(
          RuntimeError(
            .operatorFailed, node: kernel.node.name, "(\(kernel.node.op.name)) \(error.message)"))
      }
    }
  }

  func bind(_ memory: Operands) -> BoundStep {
    let context = memory.session.keep(object: Context(self, memory))
    return BoundStep(
      body: { context, _, _, _ in
        Unmanaged<Context>.fromOpaque(context).takeUnretainedValue().run()
      }, context: context)
  }
}
