import SepalGraph
import SepalTensor

/// The activation functions that Keras knows by name.
enum ActivationRules {
  typealias Rule = @Sendable (LayerContext, ValueID) throws(KerasError) -> ValueID

  /// How a function is computed; nil for names that no Keras has.
  static func rule(_ name: String, _ version: KerasVersion) -> Rule? {
    if name == "linear" { return { _, x throws(KerasError) in x } }
    guard let op = elementwise(name, version) else { return composed[name] }
    return { context, x throws(KerasError) in try context.add(op, [x]) }
  }

  /// The function of single elements that one operator computes, as recurrent cells need it.
  static func elementwise(_ name: String, _ version: KerasVersion) -> (any Operator)? {
    operators[name]?(version)
  }

  /// All names, sorted.
  static var names: [String] { (Array(operators.keys) + composed.keys).sorted() }

  private static let operators: [String: @Sendable (KerasVersion) -> any Operator] = [
    "elu": { _ in Elu() },
    "exponential": { _ in Exp() },
    // The exact form, unlike that of `keras.ops.gelu`.
    "gelu": { _ in Gelu() },
    // Keras 3: relu6(x + 3)/6. Keras 1 and 2: clip(0.2·x + 0.5, 0, 1).
    "hard_sigmoid": { version in HardSigmoid(alpha: version == .three ? 1.0 / 6 : 0.2, beta: 0.5) },
    "hard_silu": { _ in HardSwish() },
    "hard_swish": { _ in HardSwish() },
    "hard_tanh": { _ in Clip(min: -1, max: 1) },
    "leaky_relu": { _ in LeakyRelu(alpha: 0.2) },
    "linear": { _ in Identity() },
    "mish": { _ in Mish() },
    "relu": { _ in Relu() },
    "relu6": { _ in Clip(min: 0, max: 6) },
    "selu": { _ in Selu() },
    "sigmoid": { _ in Sigmoid() },
    "silu": { _ in Silu() },
    "swish": { _ in Silu() },
    "softplus": { _ in Softplus() },
    "softsign": { _ in Softsign() },
    "sparse_sigmoid": { _ in HardSigmoid(alpha: 0.5, beta: 0.5) },
    "tanh": { _ in Tanh() },
  ]

  /// Functions that take several operators or know an axis.
  private static let composed: [String: Rule] = [
    "celu": { context, x throws(KerasError) in try context.celu(x, alpha: 1) },
    "glu": { context, x throws(KerasError) in try context.glu(x, axis: -1) },
    "hard_shrink": { context, x throws(KerasError) in try context.hardShrink(x, threshold: 0.5) },
    "log_sigmoid": { context, x throws(KerasError) in try context.logSigmoid(x) },
    "log_softmax": { context, x throws(KerasError) in try context.logSoftmax(x, axis: -1) },
    "soft_shrink": { context, x throws(KerasError) in try context.softShrink(x, threshold: 0.5) },
    "softmax": { context, x throws(KerasError) in try context.softmax(x, axis: -1) },
    // TensorFlow 1 called it so.
    "softmax_v2": { context, x throws(KerasError) in try context.softmax(x, axis: -1) },
    "sparse_plus": { context, x throws(KerasError) in try context.sparsePlus(x) },
    "sparsemax": { context, x throws(KerasError) in try context.sparsemax(x, axis: -1) },
    "squareplus": { context, x throws(KerasError) in try context.squareplus(x, b: 4) },
    "tanh_shrink": { context, x throws(KerasError) in try context.tanhShrink(x) },
  ]
}
