import SepalGraph
import SepalTensor

// Errors of neighbouring pixels go together: their weights are the same, and so are many of their operands. Taken for
// independent they would cancel in a mean of many, so their standard deviations are averaged instead.

extension ErrorSite {
  /// The errors of means of `count` elements, `mean` being the operator.
  func errors(ofMeans mean: some Operator, of count: Int) throws(OperatorError) -> [Double] {
    let values = outputs[0].doubles()
    switch measure {
    case .bound:
      guard let contribution = contribution(of: 0, roundings: count + 1) else { return [] }
      let least = Double(count + 1) * rounding.underflow
      return try mean.evaluate(Inputs([contribution]))[0].doubles().map { $0 + least }
    case .variance:
      // Partial sums as in sums of products: Σt² over the terms x/n is the mean of x² over n.
      let squares = Tensor(
        .float64, inputs[0].value.shape, doubles: inputs[0].value.doubles().map { $0 * $0 })
      let means = try mean.evaluate(Inputs([squares]))[0].doubles()
      let share = rounding.variance * (1.0 / 6 + 1 / Double(max(1, count)))
      var result = zip(values, means).map { value, mean in
        rounding.error(.variance, of: value, count: count / 3 + 1) + share * mean
      }
      if let error = inputs[0].error {
        let deviations = Tensor(.float64, inputs[0].value.shape, doubles: error.map { $0.squareRoot() })
        for (index, deviation) in try mean.evaluate(Inputs([deviations]))[0].doubles().enumerated() {
          result[index] += deviation * deviation
        }
      }
      return result
    }
  }

  /// The largest error of those among which one is selected, `maximum` being the operator.
  func errors(ofMaxima maximum: some Operator) throws(OperatorError) -> [Double]? {
    guard let error = inputs[0].error else { return nil }
    let errors = Tensor(.float64, inputs[0].value.shape, doubles: error)
    return try maximum.evaluate(Inputs([errors]))[0].doubles().map { max(0, $0) }
  }
}

extension AveragePool: ErrorBounded {
  func errors(_ site: ErrorSite) throws(OperatorError) -> [[Double]?] {
    [try site.errors(ofMeans: self, of: kernel.reduce(1, *))]
  }
}

extension GlobalAveragePool: ErrorBounded {
  func errors(_ site: ErrorSite) throws(OperatorError) -> [[Double]?] {
    [try site.errors(ofMeans: self, of: Channels(site.inputs[0].value.shape, layout).spatialCount)]
  }
}

extension ReduceMean: ErrorBounded {
  func errors(_ site: ErrorSite) throws(OperatorError) -> [[Double]?] {
    guard site.outputs[0].element.isFloat else { return [nil] }
    let shape = site.inputs[0].value.shape
    return [try site.errors(ofMeans: self, of: axes.reduce(1) { $0 * shape[$1] })]
  }
}

extension MaxPool: ErrorBounded {
  func errors(_ site: ErrorSite) throws(OperatorError) -> [[Double]?] {
    [try site.errors(ofMaxima: self)]
  }
}

extension GlobalMaxPool: ErrorBounded {
  func errors(_ site: ErrorSite) throws(OperatorError) -> [[Double]?] {
    [try site.errors(ofMaxima: self)]
  }
}
