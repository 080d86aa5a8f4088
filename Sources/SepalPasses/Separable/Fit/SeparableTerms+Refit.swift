extension SeparableTerms {
  /// The matrices and the bias that reproduce what the original made of the same places best, by least squares; filters
  /// stay. The network's input to this layer may be that of layers approximated before it: what they lost is made up for
  /// as far as this layer can.
  ///
  /// With features h of a patch (one per filter) and targets y: (G + λI)·ΔX = C − G·X₀ for G = Σh·hᵀ and C = Σh·yᵀ
  /// about their means, so that directions that the samples do not show stay as they are; the bias then makes the mean
  /// error zero.
  ///
  /// - Returns: the mean of ‖Δy‖² over the places as a share of that of the targets without bias.
  mutating func refit(to samples: LayerSamples) -> Double {
    let patches = samples.patches
    let (outputs, inputs, places) = (
      patches.outputs, patches.inputs, samples.inputs.count / (patches.inputs * patches.taps)
    )
    guard places > 1 else { return 0 }
    precondition(samples.targets.count == places * outputs)
    var features = features(samples, places)
    var targets = (0..<outputs).map { row in
      (0..<places).map { Double(samples.targets[$0 * outputs + row]) }
    }
    let power = zip(targets, patches.bias).reduce(0) { sum, row in
      sum + row.0.reduce(0) { $0 + ($1 - row.1) * ($1 - row.1) }
    }
    let featureMeans = features.indices.map { Self.centre(&features[$0]) }
    let targetMeans = targets.indices.map { Self.centre(&targets[$0]) }

    let (count, rows, goals) = (features.count, features, targets)
    var gram = parallelMap(count) { row in
      (0...row).map { Self.product(rows[row], rows[$0]) }
    }
    var trace = 0.0
    for row in 0..<count { trace += gram[row][row] }
    let ridge = Self.ridge * trace / Double(count)
    for row in 0..<count { gram[row][row] += ridge }
    let square = (0..<count).flatMap { row in gram[row] + [Double](repeating: 0, count: count - row - 1) }
    guard trace > 0, let factor = CholeskyFactor(square, count: count) else { return 0 }

    let start = matrices
    let full = (0..<count).map { row in
      (0..<count).map { $0 <= row ? gram[row][$0] : gram[$0][row] }
    }
    let solved = parallelMap(outputs) { output -> (row: [Double], error: Double) in
      // The samples are read once: what rests of the targets is known by its products.
      let own = rows.map { Self.product($0, goals[output]) }
      var row = (0..<count).map { start[$0 / inputs][output * inputs + $0 % inputs] }
      let now = full.map { Self.product($0, row) }
      let change = factor.solve((0..<count).map { own[$0] - now[$0] + ridge * row[$0] })
      for feature in 0..<count { row[feature] += change[feature] }
      let power = Self.product(goals[output], goals[output])
      let error = zip(row, full).enumerated().reduce(power) { sum, term in
        let (weight, products) = term.element
        return sum + weight * (Self.product(products, row) - ridge * weight - 2 * own[term.offset])
      }
      return (row, max(0, error))
    }
    for (output, result) in solved.enumerated() {
      var mean = targetMeans[output]
      for feature in 0..<count {
        matrices[feature / inputs][output * inputs + feature % inputs] = result.row[feature]
        mean -= result.row[feature] * featureMeans[feature]
      }
      bias[output] = mean
    }
    return power > 0 ? solved.reduce(0) { $0 + $1.error } / power : 0
  }

  /// The share of the mean square of the features that keeps the matrices near where they were.
  private static let ridge = 1e-4

  /// For each filter, term by term, what it makes of each place.
  private func features(_ samples: LayerSamples, _ count: Int) -> [[Double]] {
    let (inputs, taps) = (samples.patches.inputs, samples.patches.taps)
    let (data, filters) = (samples.inputs, filters)
    return parallelMap(filters.count * inputs) { feature in
      let (filter, first) = (filters[feature / inputs], feature % inputs * taps)
      return data.withUnsafeBufferPointer { data in
        (0..<count).map { place in
          var sum = 0.0
          for tap in 0..<taps {
            sum += filter[first + tap] * Double(data[place * inputs * taps + first + tap])
          }
          return sum
        }
      }
    }
  }

  /// Subtracts the mean, and returns it.
  private static func centre(_ values: inout [Double]) -> Double {
    let mean = values.reduce(0, +) / Double(values.count)
    for index in values.indices { values[index] -= mean }
    return mean
  }

  private static func product(_ a: [Double], _ b: [Double]) -> Double {
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        guard let x = a.baseAddress, let y = b.baseAddress else { return 0 }
        return VectorProducts.dot(x, y, a.count)
      }
    }
  }
}
