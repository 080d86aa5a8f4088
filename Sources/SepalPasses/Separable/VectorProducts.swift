/// Sums over vectors in `Double`, in an order of their own: four at a time, so that no addition waits for another.
enum VectorProducts {
  /// Σ x·y.
  static func dot(_ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, _ count: Int) -> Double {
    var sums = SIMD4<Double>.zero
    var index = 0
    while index + 4 <= count {
      sums += four(x + index) * four(y + index)
      index += 4
    }
    var sum = (sums[0] + sums[1]) + (sums[2] + sums[3])
    while index < count {
      sum += x[index] * y[index]
      index += 1
    }
    return sum
  }

  /// y += factor · x.
  static func add(
    _ factor: Double, _ x: UnsafePointer<Double>, to y: UnsafeMutablePointer<Double>, _ count: Int
  ) {
    for index in 0..<count { y[index] += factor * x[index] }
  }

  /// (x, y) = (cosine·x − sine·y, sine·x + cosine·y), of vectors that do not overlap.
  static func rotate(
    _ x: UnsafeMutablePointer<Double>, _ y: UnsafeMutablePointer<Double>, _ count: Int, cosine: Double,
    sine: Double
  ) {
    var index = 0
    while index + 4 <= count {
      let (a, b) = (four(x + index), four(y + index))
      UnsafeMutableRawPointer(x + index).storeBytes(of: cosine * a - sine * b, as: SIMD4<Double>.self)
      UnsafeMutableRawPointer(y + index).storeBytes(of: sine * a + cosine * b, as: SIMD4<Double>.self)
      index += 4
    }
    while index < count {
      let (a, b) = (x[index], y[index])
      x[index] = cosine * a - sine * b
      y[index] = sine * a + cosine * b
      index += 1
    }
  }

  /// Σ x².
  static func energy(_ x: [Float]) -> Double {
    x.withUnsafeBufferPointer { x in
      var sums = SIMD4<Double>.zero
      let whole = x.count / 4 * 4
      for index in stride(from: 0, to: whole, by: 4) {
        let four = SIMD4(Double(x[index]), Double(x[index + 1]), Double(x[index + 2]), Double(x[index + 3]))
        sums += four * four
      }
      return x[whole...].reduce((sums[0] + sums[1]) + (sums[2] + sums[3])) { $0 + Double($1) * Double($1) }
    }
  }

  private static func four(_ pointer: UnsafePointer<Double>) -> SIMD4<Double> {
    UnsafeRawPointer(pointer).loadUnaligned(as: SIMD4<Double>.self)
  }
}
