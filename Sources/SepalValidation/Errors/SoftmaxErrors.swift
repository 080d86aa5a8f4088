import SepalGraph
import SepalTensor

extension Softmax: ErrorBounded {
  /// y = eᵈ/Σeᵈ with d = x − max: the rounding of d is a relative error of eᵈ, and an error of an argument changes its own
  /// term, and all results by the sum.
  func errors(_ site: ErrorSite) throws(OperatorError) -> [[Double]?] {
    let x = site.inputs[0].value.doubles()
    let y = site.outputs[0].doubles()
    let shape = site.outputs[0].shape
    let lanes = AxisLanes(shape: shape, axis: try normalizedAxis(axis, rank: shape.count))
    let (measure, rounding) = (site.measure, site.rounding)
    var result = y
    for lane in 0..<(y.isEmpty ? 0 : lanes.count) {
      let offsets = (0..<lanes.extent).map { lanes.offset(lane, $0) }
      let top = offsets.reduce(-Double.infinity) { max($0, x[$1]) }
      // The errors of the exponents, relative errors of the terms.
      let relative = offsets.map { offset in
        (site.inputs[0].error?[offset] ?? 0)
          + rounding.error(measure, of: min(104, (x[offset] - top).magnitude))
          + measure.error(within: 8 * rounding.unit)
      }
      let largest = relative.reduce(0, max)
      var common = 0.0
      for (index, offset) in offsets.enumerated() { common += measure.scaled(relative[index], by: y[offset]) }
      for (index, offset) in offsets.enumerated() {
        let own = relative[index]
        switch measure {
        case .bound:
          // Terms are off by factors of at most e to the power of their errors.
          let exponent = own + min(largest, common * largest.exponential) + 4 * rounding.unit
          result[offset] = y[offset] * exponent.exponentialMinusOne + 4 * rounding.underflow
        case .variance:
          let rounded = rounding.error(.variance, of: y[offset], count: 2)
          result[offset] = rounded + y[offset] * y[offset] * ((1 - 2 * y[offset]) * own + common)
        }
      }
    }
    return [result.map { $0.isNaN ? .infinity : max(0, $0) }]
  }
}

extension SqueezeExcite: ErrorBounded {
  /// Those of its parts, one after the other.
  func errors(_ site: ErrorSite) throws(OperatorError) -> [[Double]?] {
    let analysis = ErrorAnalysis(measure: site.measure, weightVariance: site.weightVariance)
    let x = site.inputs[0]
    let channels = Channels(x.value.shape, layout)
    func step(_ op: any Operator, _ operands: [Estimate?]) throws(OperatorError) -> Estimate {
      let element = site.inputs[0].value.element
      let type = TensorType(element == .float64 ? .float32 : element, [])
      return try analysis.evaluate(op, Inputs(operands), types: [type])[0]
    }
    let means = try step(GlobalAveragePool(layout: layout, keepDims: false), [x])
    let hidden = try step(
      Gemm(transB: true, activation: inner), [means, site.inputs[1], site.inputs.optional(2)])
    let gates = try step(
      Gemm(transB: true, activation: gate), [hidden, site.inputs[3], site.inputs.optional(4)])
    let (values, scale, outputs) = (x.value.doubles(), gates.value.doubles(), site.outputs[0].doubles())
    let gateErrors = gates.errors
    let (measure, rounding) = (site.measure, site.rounding)
    return [
      outputs.indices.map { index in
        let plane = channels.plane(index)
        let error = x.error?[index] ?? 0
        return measure.scaled(error, by: scale[plane]) + measure.scaled(gateErrors[plane], by: values[index])
          + error * gateErrors[plane] + rounding.error(measure, of: outputs[index])
      }
    ]
  }
}
