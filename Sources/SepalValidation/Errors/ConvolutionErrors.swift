import SepalGraph
import SepalTensor

// Sums of products. With n terms t, in whatever order and with or without fused multiply-adds, each term is rounded at
// most n + 1 times, and the error is at most γₙ₊₁·Σ|t|. Rounding by rounding, a partial sum of k terms in no particular
// order has the mean square (k/n)·(1 − k/n)·Σt² + (k/n)²·(Σt)², which over all k makes n·Σt²/6 + n·(Σt)²/3. In a window of T taps with neighbours that are alike, halves of
// which the weights cancel each other, it makes n·T·Σt²/12 instead of n·Σt²/6. A bias is part of every partial sum.
//
// Errors of one channel go together from pixel to pixel, more or less: their weights are the same, and in flat parts of an
// image so is everything. With a correlation ρ between them the taps w of a window pass on a variance (1 − ρ)·Σw² + ρ·(Σw)².

/// The errors of sums of `count` products, from the same sums over errors and squares.
struct ProductSums {
  let count: Int
  /// Of a window: neighbours are alike, so that where weights cancel the sum of half a window does not.
  var taps = 1
  let measure: ErrorMeasure

  /// How often each factor of a term is rounded, as `ErrorSite.contribution` counts: in the variance its weight counts
  /// too, which was rounded once when it was stored or folded.
  var roundings: Int { measure == .bound ? count + 3 : 2 + count * max(2, taps) / 12 }

  /// Adds what grows with the sums themselves.
  func add(sums: Tensor, to errors: inout [Double], _ rounding: Rounding) {
    switch measure {
    case .bound:
      let least = Double(count + 3) * rounding.underflow
      for index in errors.indices { errors[index] += least }
    case .variance:
      let factor = rounding.variance * (Double(count) / 3 + 1)
      let least = Double(count) * rounding.underflow * rounding.underflow
      for (index, sum) in sums.doubles().enumerated() { errors[index] += factor * sum * sum + least }
    }
  }
}

extension Conv: ErrorBounded {
  func errors(_ site: ErrorSite) throws(OperatorError) -> [[Double]?] {
    let weight = site.inputs[1].value
    let taps = weight.shape.dropFirst(2).reduce(1, *)
    let sums = ProductSums(count: weight.shape[1] * taps, taps: taps, measure: site.measure)
    if site.measure == .bound, case .winograd(let tile) = site.arithmetic {
      return [try WinogradErrors(tile: tile).errors(of: self, site)]
    }
    var errors = try evaluate(site.magnitudes(sums, addends: [2, 3]))[0].doubles()
    sums.add(sums: site.outputs[0], to: &errors, site.rounding)
    return [try site.adding(uncertaintyOf: 1, to: errors, by: self)]
  }

  func terms(_ inputs: Inputs<Estimate>) -> Int { inputs[1].value.shape.dropFirst().reduce(1, *) }
}

extension ConvTranspose: ErrorBounded {
  func errors(_ site: ErrorSite) throws(OperatorError) -> [[Double]?] {
    let shape = site.inputs[1].value.shape
    let taps = shape.dropFirst(2).reduce(1, *)
    let sums = ProductSums(count: shape[0] / groups * taps, taps: taps, measure: site.measure)
    var errors = try evaluate(site.magnitudes(sums, addends: [2]))[0].doubles()
    sums.add(sums: site.outputs[0], to: &errors, site.rounding)
    return [try site.adding(uncertaintyOf: 1, to: errors, by: self)]
  }

  func terms(_ inputs: Inputs<Estimate>) -> Int {
    let shape = inputs[1].value.shape
    return shape[0] / groups * shape.dropFirst(2).reduce(1, *)
  }
}

extension Gemm: ErrorBounded {
  func errors(_ site: ErrorSite) throws(OperatorError) -> [[Double]?] {
    let inner = site.inputs[0].value.shape[transA ? 0 : 1]
    let sums = ProductSums(count: inner + 2, measure: site.measure)
    var op = self
    op.alpha = site.measure.gain(alpha)
    op.beta = site.measure.gain(beta)
    var errors = try op.evaluate(site.magnitudes(sums, addends: [2]))[0].doubles()
    sums.add(sums: site.outputs[0], to: &errors, site.rounding)
    return [try site.adding(uncertaintyOf: 1, to: errors, by: op)]
  }

  func terms(_ inputs: Inputs<Estimate>) -> Int { inputs[0].value.shape[transA ? 0 : 1] }
}

extension MatMul: ErrorBounded {
  func errors(_ site: ErrorSite) throws(OperatorError) -> [[Double]?] {
    guard site.outputs[0].element.isFloat else { return [nil] }
    let sums = ProductSums(count: site.inputs[0].value.shape.last ?? 1, measure: site.measure)
    var errors = try evaluate(site.magnitudes(sums, addends: []))[0].doubles()
    sums.add(sums: site.outputs[0], to: &errors, site.rounding)
    return [try site.adding(uncertaintyOf: 1, to: errors, by: self)]
  }

  func terms(_ inputs: Inputs<Estimate>) -> Int { inputs[0].value.shape.last ?? 0 }
}

extension ErrorSite {
  /// Operands for the evaluation of the error of a sum of products: the errors of the first operand, the gains of the
  /// second, the errors of those that are added.
  fileprivate func magnitudes(_ sums: ProductSums, addends: [Int]) -> Inputs<Tensor> {
    Inputs(
      (0..<inputs.count).map { index in
        switch index {
        case 0: return contribution(of: 0, roundings: sums.roundings)
        case 1: return measure == .variance && sums.taps > 1 ? gains(ofWindows: sums.taps) : gains(of: 1)
        case _ where !addends.contains(index): return nil
        case 2: return contribution(of: 2, roundings: measure == .bound ? sums.roundings : sums.count + 1)
        default:
          let count = measure == .bound ? sums.roundings : 1
          return contribution(of: index, roundings: count, isWeighted: false)
        }
      })
  }

  /// The correlation of errors of one channel from pixel to pixel: between the 0 of noise and the 1 of flat images.
  private static var correlation: Double { 0.5 }

  /// The gains of windows of so many taps, which follow each other in operand 1.
  private func gains(ofWindows taps: Int) -> Tensor {
    let operand = inputs[1].value
    var weights = operand.doubles()
    for start in stride(from: 0, to: weights.count, by: taps) {
      var (sum, squares) = (0.0, 0.0)
      for index in start..<start + taps {
        sum += weights[index]
        squares += weights[index] * weights[index]
      }
      let together = squares > 0 ? 1 - Self.correlation + Self.correlation * sum * sum / squares : 1
      for index in start..<start + taps { weights[index] *= weights[index] * together }
    }
    return Tensor(.float64, operand.shape, doubles: weights)
  }

  /// Adds the error that comes in by operand `index`, whose values multiply those of operand 0, where it has any.
  fileprivate func adding(
    uncertaintyOf index: Int, to errors: [Double], by op: some Operator
  ) throws(OperatorError) -> [Double] {
    guard let uncertain = inputs[index].error else { return errors }
    var other = inputs[0].value.doubles().map { measure.gain($0) }
    if let error = inputs[0].error {
      for position in other.indices { other[position] += error[position] }
    }
    let operands = Inputs<Tensor>(
      [
        Tensor(.float64, inputs[0].value.shape, doubles: other),
        Tensor(.float64, inputs[index].value.shape, doubles: uncertain),
      ])
    return zip(errors, try op.evaluate(operands)[0].doubles()).map { $0 + $1 }
  }
}
