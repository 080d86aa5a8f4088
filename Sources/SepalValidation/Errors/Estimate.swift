import SepalGraph
import SepalTensor

/// A value in double precision and what is known about the errors of others who compute it.
struct Estimate: Sendable {
  /// float64, or of the declared type where that is no floating-point type.
  var value: Tensor
  /// For each element, in the measure of the computation; nil where the value is exact.
  var error: [Double]?
  /// How many terms its elements are sums of, where something may still be added to them before the first: constants that
  /// follow a convolution are folded into its bias, where its sums begin.
  var terms = 0

  init(_ value: Tensor, error: [Double]? = nil, terms: Int = 0) {
    self.value = value.element.isFloat ? value.converted(to: .float64) : value
    self.error = error
    self.terms = terms
  }

  /// The error as a tensor; zeros where there is none.
  var errors: [Double] { error ?? [Double](repeating: 0, count: value.count) }
}

/// One node, its operands, and its results by the reference on them.
struct ErrorSite {
  let inputs: Inputs<Estimate>
  /// In double precision.
  let outputs: [Tensor]
  let measure: ErrorMeasure
  let arithmetic: Arithmetic
  /// Of the results' type.
  let rounding: Rounding
  /// Of the relative errors of weights; nothing to bounds, which judge arithmetic on the weights that are there.
  var weightVariance = 0.0

  /// Whether every operand is exact.
  var isExact: Bool { inputs.present.allSatisfy { $0.error == nil } }

  /// For each element of operand `index` the error that it contributes when it takes part in a product or sum of terms, of
  /// which each is rounded `count` times and, if so, multiplied by a weight or stored as one.
  func contribution(of index: Int, roundings count: Int, isWeighted: Bool = true) -> Tensor? {
    guard let operand = inputs.optional(index) else { return nil }
    let values = operand.value.doubles()
    let factor =
      measure == .bound
      ? rounding.gamma(count) : Double(count) * rounding.variance + (isWeighted ? weightVariance : 0)
    var result: [Double]
    switch measure {
    case .bound: result = values.map { factor * $0.magnitude }
    case .variance: result = values.map { factor * $0 * $0 }
    }
    if let error = operand.error {
      // What is rounded is the value with its error.
      let grown = 1 + factor
      for i in result.indices { result[i] += grown * error[i] }
    }
    return Tensor(.float64, operand.value.shape, doubles: result)
  }

  /// The factors of operand `index` as factors of errors.
  func gains(of index: Int) -> Tensor {
    let operand = inputs[index].value
    let measure = measure
    return Tensor(.float64, operand.shape, doubles: operand.doubles().map { measure.gain($0) })
  }
}

/// An operator that states its errors.
///
/// An operator that the runtime has kernels for must be one; the others run on their reference, whose result is rounded
/// once, and are sampled where errors have to pass through them.
protocol ErrorBounded: Operator {
  /// The errors of each output: those of the operands, passed on, and those of the operator's own arithmetic. Called on
  /// operators without a fused activation. Nil for exact outputs.
  func errors(_ site: ErrorSite) throws(OperatorError) -> [[Double]?]

  /// How many terms the results are sums of, if what is added to them next may be their first: see `Estimate.terms`.
  func terms(_ inputs: Inputs<Estimate>) -> Int
}

extension ErrorBounded {
  func terms(_ inputs: Inputs<Estimate>) -> Int { 0 }
}

/// Operators that only move, select or compare elements: they make no errors of their own.
protocol ExactOperator: Operator {}
