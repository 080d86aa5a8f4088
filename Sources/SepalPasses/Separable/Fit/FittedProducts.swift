/// A convolution as a sum of products, each of filters for input channels and a matrix over them, and a bias.
struct FittedProducts: Sendable {
  private(set) var products: [KernelProduct]
  private(set) var bias: [Double]

  init(_ products: [KernelProduct], bias: [Double]) { (self.products, self.bias) = (products, bias) }

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
    let (outputs, places) = (patches.outputs, samples.inputs.count / (patches.inputs * patches.taps))
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

    let start = products.flatMap { product in
      (0..<product.second.inputs).map { feature in
        (0..<outputs).map { product.second.values[$0 * product.second.inputs + feature] }
      }
    }
    let full = (0..<count).map { row in
      (0..<count).map { $0 <= row ? gram[row][$0] : gram[$0][row] }
    }
    let solved = parallelMap(outputs) { output -> (row: [Double], error: Double) in
      // The samples are read once: what rests of the targets is known by its products.
      let own = rows.map { Self.product($0, goals[output]) }
      var row = start.map { $0[output] }
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
      bias[output] = zip(result.row, featureMeans).reduce(targetMeans[output]) { $0 - $1.0 * $1.1 }
    }
    var first = 0
    for index in products.indices {
      let second = products[index].second
      let own = first..<first + second.inputs
      products[index].second = second.holding(solved.flatMap { $0.row[own] })
      first = own.upperBound
    }
    return power > 0 ? solved.reduce(0) { $0 + $1.error } / power : 0
  }

  /// The share of the mean square of the features that keeps the matrices near where they were.
  private static let ridge = 1e-4

  /// For each filter, product by product, what it makes of each place.
  private func features(_ samples: LayerSamples, _ count: Int) -> [[Double]] {
    let (inputs, taps) = (samples.patches.inputs, samples.patches.taps)
    let data = samples.inputs
    let units = products.flatMap { product in
      (0..<product.first.outputs).map { unit in
        (
          channel: product.channels?[unit] ?? unit,
          filter: Array(product.first.values[unit * taps..<(unit + 1) * taps])
        )
      }
    }
    return parallelMap(units.count) { feature in
      let (channel, filter) = units[feature]
      return data.withUnsafeBufferPointer { data in
        (0..<count).map { place in
          let first = (place * inputs + channel) * taps
          var sum = 0.0
          for tap in 0..<taps { sum += filter[tap] * Double(data[first + tap]) }
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
