import SepalGraph
import SepalTensor

/// Evaluates nodes by their reference in double precision and follows the errors of other arithmetic through them.
struct ErrorAnalysis: Sendable {
  let measure: ErrorMeasure
  /// The variance of the relative errors of weights that are stored in less than single precision.
  var weightVariance = 0.0

  /// - Parameter types: what the graph declares for the outputs; their element types decide what is rounded.
  func evaluate(
    _ op: any Operator, _ inputs: Inputs<Estimate>, types: [TensorType], arithmetic: Arithmetic = .direct
  ) throws(OperatorError) -> [Estimate] {
    var linear = op
    var activation = Activation.identity
    if var activated = op as? any ActivatedOperator, activated.activation != .identity {
      activation = activated.activation
      activated.activation = .identity
      linear = activated
    }
    let rounding = Rounding(types.first?.element ?? .float32)
    var values = try linear.evaluate(inputs.values)
    if arithmetic == .reference, !(op is any ExactOperator) {
      if activation != .identity { values = values.map { activated($0, by: activation) } }
      return values.map { rounded($0, rounding) }
    }
    let site = ErrorSite(
      inputs: inputs, outputs: values, measure: measure, arithmetic: arithmetic, rounding: rounding,
      weightVariance: weightVariance)
    let terms = (linear as? any ErrorBounded)?.terms(inputs) ?? 0
    var results = try zip(values, errors(linear, site)).map { Estimate($0, error: $1, terms: terms) }
    if activation != .identity {
      results = results.map { result in
        let shape = activation.shape
        return shape.applied(to: result, measure, rounding)
      }
    }
    return results.map { stated($0) }
  }

  /// Without errors that are no numbers: they are unlimited, or are those of values that are not finite and have no more
  /// to lose.
  private func stated(_ estimate: Estimate) -> Estimate {
    guard let error = estimate.error, !error.allSatisfy({ $0 < .infinity }) else { return estimate }
    let values = estimate.value.doubles()
    return Estimate(
      estimate.value,
      error: error.indices.map { error[$0] < .infinity ? error[$0] : values[$0].isFinite ? .infinity : 0 },
      terms: estimate.terms)
  }

  private func activated(_ tensor: Tensor, by activation: Activation) -> Tensor {
    Tensor(tensor.element, tensor.shape, doubles: tensor.doubles().map { activation($0) })
  }

  private func rounded(_ value: Tensor, _ rounding: Rounding) -> Estimate {
    guard value.element.isFloat else { return Estimate(value) }
    let measure = measure
    return Estimate(value, error: value.doubles().map { rounding.error(measure, of: $0) })
  }

  private func errors(_ op: any Operator, _ site: ErrorSite) throws(OperatorError) -> [[Double]?] {
    if op is any ExactOperator, site.isExact { return site.outputs.map { _ in nil } }
    if let bounded = op as? any ErrorBounded { return try bounded.errors(site) }
    if let shape = (op as? any UnaryOperator)?.shape, site.outputs[0].element.isFloat {
      return [shape.applied(to: site.inputs[0], measure, site.rounding).error]
    }
    switch measure {
    case .bound:
      guard site.isExact else { throw OperatorError("has no bound on how it passes on errors") }
      let rounding = site.rounding
      return site.outputs.map { output in
        output.element.isFloat ? output.doubles().map { rounding.error(.bound, of: $0) } : nil
      }
    case .variance:
      return try ErrorSampling(isExact: op is any ExactOperator).errors(of: op, site)
    }
  }
}

extension Inputs<Estimate> {
  /// The operands without their errors.
  var values: Inputs<Tensor> { map(\.value) }
}

extension Inputs {
  func map<Result>(_ transform: (Element) -> Result) -> Inputs<Result> {
    Inputs<Result>((0..<count).map { optional($0).map(transform) })
  }
}

/// Variances by trial: operands are moved by their standard deviation, to either side at random, and the squares of what
/// that does to the results are averaged.
///
/// One trial is exact for operators that move elements: each result has the deviation of one operand. For others it takes
/// some, and the rounding of the result is added.
struct ErrorSampling {
  let isExact: Bool
  private static let trials = 16

  init(isExact: Bool) { self.isExact = isExact }

  func errors(of op: any Operator, _ site: ErrorSite) throws(OperatorError) -> [[Double]?] {
    let trials = isExact ? 1 : Self.trials
    let expected = site.outputs.map { $0.element.isFloat ? $0.doubles() : [] }
    var variances = expected.map { [Double](repeating: 0, count: $0.count) }
    if !site.isExact {
      var signs = SplitMix64(seed: 0x5EED)
      for _ in 0..<trials {
        let moved = site.inputs.map { operand in
          guard let error = operand.error else { return operand.value }
          var values = operand.value.doubles()
          for index in values.indices {
            let deviation = error[index].squareRoot()
            values[index] += signs.next() & 1 == 0 ? deviation : -deviation
          }
          return Tensor(operand.value.element, operand.value.shape, doubles: values)
        }
        for (output, result) in try op.evaluate(moved).enumerated() where !expected[output].isEmpty {
          for (index, value) in result.doubles().enumerated() {
            let difference = value - expected[output][index]
            if difference.isFinite { variances[output][index] += difference * difference / Double(trials) }
          }
        }
      }
    }
    if !isExact {
      for output in expected.indices {
        for (index, value) in expected[output].enumerated() {
          variances[output][index] += site.rounding.error(.variance, of: value)
        }
      }
    }
    return zip(site.outputs, variances).map { output, variance in output.element.isFloat ? variance : nil }
  }
}
