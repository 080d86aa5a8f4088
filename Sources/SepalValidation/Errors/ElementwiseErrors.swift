import SepalGraph
import SepalTensor

extension ErrorSite {
  /// The errors of an elementwise operator of two operands: `error` is given both values and errors and says what comes in
  /// by them, and the result's rounding is added where the operator `rounds`.
  fileprivate func pairwise(
    rounds: Bool = true,
    _ error: (_ a: Double, _ ea: Double, _ b: Double, _ eb: Double, _ y: Double) -> Double
  ) -> [Double]? {
    let output = outputs[0]
    guard output.element.isFloat, rounds || !isExact else { return nil }
    let (a, b) = (inputs[0], inputs[1])
    let (x, y, values) = (a.value.doubles(), b.value.doubles(), output.doubles())
    var result = [Double](repeating: 0, count: values.count)
    func set(_ index: Int, _ i: Int, _ j: Int) {
      let incoming = error(x[i], a.error?[i] ?? 0, y[j], b.error?[j] ?? 0, values[index])
      result[index] = incoming + (rounds ? rounding.error(measure, of: values[index]) : 0)
    }
    if a.value.shape == b.value.shape {
      for index in values.indices { set(index, index, index) }
    } else if b.value.count == 1, a.value.count == values.count {
      for index in values.indices { set(index, index, 0) }
    } else if a.value.count == 1, b.value.count == values.count {
      for index in values.indices { set(index, 0, index) }
    } else {
      let strides = [
        broadcastStrides(a.value.shape, to: output.shape), broadcastStrides(b.value.shape, to: output.shape),
      ]
      forEachOffset(output.shape, strides: strides) { flat, offsets in set(flat, offsets[0], offsets[1]) }
    }
    return result
  }
}

extension Add: ErrorBounded {
  func errors(_ site: ErrorSite) -> [[Double]?] { [site.sum()] }
  func terms(_ inputs: Inputs<Estimate>) -> Int { termsBeforeConstant(inputs) }
}

extension Sub: ErrorBounded {
  func errors(_ site: ErrorSite) -> [[Double]?] { [site.sum()] }
  func terms(_ inputs: Inputs<Estimate>) -> Int { termsBeforeConstant(inputs) }
}

/// Of a value with whose sums a constant goes.
private func termsBeforeConstant(_ inputs: Inputs<Estimate>) -> Int {
  let (a, b) = (inputs[0], inputs[1])
  return a.error == nil ? b.terms : b.error == nil ? a.terms : 0
}

extension ErrorSite {
  fileprivate func sum() -> [Double]? {
    let (a, b) = (inputs[0], inputs[1])
    guard measure == .variance, a.error == nil || b.error == nil else {
      return pairwise { _, ea, _, eb, _ in ea + eb }
    }
    // A constant goes with what surrounds it: it may be the bias of a sum, rounded with each of its terms, and a factor
    // that follows may be multiplied into both operands, which are then rounded by themselves.
    let first = rounding.variance * Double(a.error == nil ? 1 + b.terms : 1)
    let second = rounding.variance * Double(b.error == nil ? 1 + a.terms : 1)
    return pairwise { a, ea, b, eb, _ in ea + eb + first * a * a + second * b * b }
  }
}

extension Mul: ErrorBounded {
  func terms(_ inputs: Inputs<Estimate>) -> Int { termsBeforeConstant(inputs) }

  func errors(_ site: ErrorSite) -> [[Double]?] {
    let measure = site.measure
    return [
      site.pairwise { a, ea, b, eb, _ in measure.scaled(ea, by: b) + measure.scaled(eb, by: a) + ea * eb }
    ]
  }
}

extension Div: ErrorBounded {
  func terms(_ inputs: Inputs<Estimate>) -> Int { inputs[1].error == nil ? inputs[0].terms : 0 }

  func errors(_ site: ErrorSite) -> [[Double]?] {
    let measure = site.measure
    return [
      site.pairwise { _, ea, b, eb, y in
        // A divisor that may be zero makes anything.
        let least = b.magnitude - measure.radius(eb)
        if ea == 0 && eb == 0 { return 0 }
        return least > 0 ? measure.scaled(ea + measure.scaled(eb, by: y), by: 1 / least) : .infinity
      }
    ]
  }
}

extension Min: ErrorBounded {
  func errors(_ site: ErrorSite) throws(OperatorError) -> [[Double]?] { try site.errors(selectedBy: self) }
}

extension Max: ErrorBounded {
  func errors(_ site: ErrorSite) throws(OperatorError) -> [[Double]?] { try site.errors(selectedBy: self) }
}

extension ErrorSite {
  /// The errors of an operator that selects one of any number of operands.
  fileprivate func errors(selectedBy op: some Operator) throws(OperatorError) -> [[Double]?] {
    if isExact { return [nil] }
    return [pairwise(rounds: false) { _, ea, _, eb, _ in max(ea, eb) }]
  }
}

extension ScaleShift: ErrorBounded {
  func errors(_ site: ErrorSite) -> [[Double]?] {
    let channels = Channels(site.outputs[0].shape, layout)
    let scale = site.inputs[1].value.doubles()
    let shift = site.inputs.optional(2)?.value.doubles() ?? scale.map { _ in 0 }
    return [site.affine(channels, scale: scale, shift: shift)]
  }

  func terms(_ inputs: Inputs<Estimate>) -> Int { inputs[0].terms }
}

extension BatchNorm: ErrorBounded {
  func errors(_ site: ErrorSite) -> [[Double]?] {
    let channels = Channels(site.outputs[0].shape, layout)
    let parameters = (1...4).map { site.inputs[$0].value.doubles() }
    let scale = parameters[0].indices.map { parameters[0][$0] / (parameters[3][$0] + epsilon).squareRoot() }
    let shift = scale.indices.map { parameters[1][$0].magnitude + (parameters[2][$0] * scale[$0]).magnitude }
    return [site.affine(channels, scale: scale, shift: shift)]
  }

  func terms(_ inputs: Inputs<Estimate>) -> Int { inputs[0].terms }
}

extension ErrorSite {
  /// The errors of x·scale + shift per channel; scale and shift are themselves rounded.
  fileprivate func affine(_ channels: Channels, scale: [Double], shift: [Double]) -> [Double] {
    let error = inputs[0].error
    var result = inputs[0].value.doubles()
    for index in result.indices {
      let c = channels.channel(index)
      let (term, added) = (result[index] * scale[c], shift[c])
      result[index] =
        measure.scaled(error?[index] ?? 0, by: scale[c]) * (1 + 4 * rounding.unit)
        + rounding.error(measure, of: term, count: 3)
        + rounding.error(measure, of: added, count: 2 + (measure == .variance ? inputs[0].terms : 0))
        + weightVariance * (term * term + added * added)
    }
    return result
  }
}
