import CSepalKernels
import Foundation
import Testing

@Suite struct ElementwiseKernelTests {
  struct Unary: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let kind: sepal_activation_kind
    var a: Float = 0
    var b: Float = 0
    /// Units in the last place of the result, plus what rounding the argument of a steep function costs.
    var ulps = 1.0
    let exact: @Sendable (Double) -> Double
  }

  static let sigmoid: @Sendable (Double) -> Double = { 1 / (1 + exp(-$0)) }
  static let unaries = [
    Unary(testDescription: "none", kind: SEPAL_ACT_NONE) { $0 },
    Unary(testDescription: "relu", kind: SEPAL_ACT_CLAMP, b: .infinity) { max(0, $0) },
    Unary(testDescription: "clip", kind: SEPAL_ACT_CLAMP, a: -1.5, b: 6) { min(6, max(-1.5, $0)) },
    Unary(testDescription: "leaky", kind: SEPAL_ACT_LEAKY_RELU, a: 0.125) { $0 < 0 ? $0 * 0.125 : $0 },
    Unary(testDescription: "hard sigmoid", kind: SEPAL_ACT_HARD_SIGMOID, a: 0.25, b: 0.5, ulps: 2) {
      min(1, max(0, $0 * 0.25 + 0.5))
    },
    Unary(testDescription: "hard swish", kind: SEPAL_ACT_HARD_SWISH, ulps: 3) {
      $0 * min(1, max(0, $0 / 6 + 0.5))
    },
    Unary(testDescription: "sigmoid", kind: SEPAL_ACT_SIGMOID, ulps: 4) { sigmoid($0) },
    Unary(testDescription: "silu", kind: SEPAL_ACT_SILU, ulps: 5) { $0 * sigmoid($0) },
    Unary(testDescription: "tanh", kind: SEPAL_ACT_TANH, ulps: 4) { tanh($0) },
    Unary(testDescription: "gelu", kind: SEPAL_ACT_GELU, ulps: 8) { $0 * 0.5 * erfc(-$0 * 0.5.squareRoot()) },
    Unary(testDescription: "gelu, tanh form", kind: SEPAL_ACT_GELU_TANH, ulps: 8) {
      $0 * sigmoid(2 * (2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0))
    },
    Unary(testDescription: "elu", kind: SEPAL_ACT_ELU, a: 0.75, ulps: 3) { $0 < 0 ? 0.75 * expm1($0) : $0 },
  ]

  static func apply(_ kernels: Kernels, _ u: Unary, _ input: [Float]) -> [Float] {
    var output = GuardedOutput(input.count)
    kernels.table.activate(&output.storage, input, input.count, activation(u.kind, u.a, u.b))
    #expect(output.marginIsIntact)
    return Array(output.values)
  }

  @Test("activations are within their stated error over the whole range", arguments: runnableKernels, unaries)
  func accuracy(_ kernels: Kernels, _ u: Unary) {
    // Every 2¹³-th float between −100 and 100.
    let positive = stride(from: UInt32(0), through: Float(100).bitPattern, by: 1 << 13)
    let input = positive.flatMap { [Float(bitPattern: $0), -Float(bitPattern: $0)] }
    var worst = (ulps: 0.0, at: Float(0))
    for (x, y) in zip(input, Self.apply(kernels, u, input)) {
      let exact = u.exact(Double(x))
      var unit = Double(Float(abs(exact)).ulp)
      // e^(−x²/2) magnifies the rounding of its argument.
      if [SEPAL_ACT_GELU, SEPAL_ACT_GELU_TANH].contains(u.kind), x < -1 { unit *= 1 + Double(x * x) }
      // ½ + x/6 and its like cancel near the knee: the unit is that of the terms.
      if u.kind == SEPAL_ACT_HARD_SIGMOID { unit = max(unit, 0x1p-24) }
      if u.kind == SEPAL_ACT_HARD_SWISH { unit = max(unit, 0x1p-24 * Double(abs(x))) }
      let error = abs(Double(y) - exact)
      let ulps = error <= 0x1p-125 ? 0 : error / unit
      if ulps > worst.ulps { worst = (ulps, x) }
    }
    #expect(worst.ulps <= u.ulps, "\(worst.ulps) ulp at \(worst.at)")
  }

  @Test("infinities and NaN", arguments: runnableKernels, unaries)
  func specials(_ kernels: Kernels, _ u: Unary) {
    let y = Self.apply(kernels, u, [.nan, .infinity, -.infinity, 0, 1000, -1000])
    #expect(y[0].isNaN)
    #expect(y[1] == Float(u.exact(.infinity)) && y[4] == Float(u.exact(1000)))
    #expect(y[3] == Float(u.exact(0)))
    let low = u.exact(-1000)
    #expect(abs(Double(y[5]) - low) <= 1e-30 + abs(low) * 1e-6)
  }

  @Test("activations work at every length and in place", arguments: runnableKernels)
  func lengths(_ kernels: Kernels) {
    var random = SplitMix(5)
    for n in 0...40 {
      let input = random.floats(n, in: -4...4)
      for u in Self.unaries {
        let once = Self.apply(kernels, u, input)
        var inPlace = input
        inPlace.withUnsafeMutableBufferPointer { p in
          guard let p = p.baseAddress else { return }
          kernels.table.activate(p, p, n, activation(u.kind, u.a, u.b))
        }
        #expect(inPlace == once, "\(u.testDescription), \(n) values")
      }
    }
  }

  @Test("binary operators broadcast rows, columns and scalars", arguments: runnableKernels)
  func binary(_ kernels: Kernels) {
    var random = SplitMix(6)
    let operators: [(sepal_binary_op, (Float, Float) -> Float)] = [
      (SEPAL_ADD, { $0 + $1 }), (SEPAL_SUB, { $0 - $1 }), (SEPAL_MUL, { $0 * $1 }),
      (SEPAL_DIV, { $0 / $1 }), (SEPAL_MIN, { min($0, $1) }), (SEPAL_MAX, { max($0, $1) }),
    ]
    let shapes: [(stride: Int, step: Int)] = [(1, 1), (0, 1), (1, 0), (0, 0)]
    for columns in kernels.awkwardSizes {
      let x = random.floats(3 * columns)
      let y = random.floats(3 * columns, in: 0.5...2)
      for (op, function) in operators {
        for sx in shapes {
          for sy in shapes {
            var output = GuardedOutput(3 * columns)
            x.withUnsafeBufferPointer { x in
              y.withUnsafeBufferPointer { y in
                output.storage.withUnsafeMutableBufferPointer { out in
                  guard let x = x.baseAddress, let y = y.baseAddress, let out = out.baseAddress else {
                    return
                  }
                  var b = sepal_binary(
                    op: op, rows: 3, columns: columns, x: x, y: y, x_stride: sx.stride * columns,
                    y_stride: sy.stride * columns, x_step: sx.step == 1, y_step: sy.step == 1, dst: out,
                    dst_stride: columns, activation: activation(SEPAL_ACT_CLAMP, -0.5, 0.75))
                  kernels.table.binary(&b)
                }
              }
            }
            let expected = (0..<3 * columns).map { i -> Float in
              let (r, c) = (i / columns, i % columns)
              let value = function(
                x[r * sx.stride * columns + c * sx.step], y[r * sy.stride * columns + c * sy.step])
              return min(0.75, max(-0.5, value))
            }
            #expect(Array(output.values) == expected, "\(op) \(columns) \(sx) \(sy)")
            #expect(output.marginIsIntact)
          }
        }
      }
    }
  }

  @Test("scale and shift per channel", arguments: runnableKernels)
  func scaleShift(_ kernels: Kernels) {
    var random = SplitMix(8)
    for columns in kernels.awkwardSizes {
      let (x, scale, shift) = (random.floats(4 * columns), random.floats(columns), random.floats(columns))
      var output = GuardedOutput(4 * columns)
      kernels.table.scale_shift(&output.storage, x, scale, shift, 4, columns, activation(SEPAL_ACT_TANH))
      for i in 0..<4 * columns {
        let exact = tanh(Double(x[i]) * Double(scale[i % columns]) + Double(shift[i % columns]))
        #expect(abs(Double(output.storage[i]) - exact) < 0x1p-21)
      }
      #expect(output.marginIsIntact)
    }
  }

  @Test("softmax sums to one and survives huge logits", arguments: runnableKernels)
  func softmax(_ kernels: Kernels) {
    var random = SplitMix(4)
    for columns in kernels.awkwardSizes + [1000] {
      let x = random.floats(2 * columns, in: -500...500)
      var output = GuardedOutput(2 * columns)
      kernels.table.softmax(&output.storage, x, 2, columns)
      #expect(output.marginIsIntact)
      for r in 0..<2 {
        let row = x[r * columns..<(r + 1) * columns].map(Double.init)
        let top = row.max() ?? 0
        let sum = row.reduce(0) { $0 + exp($1 - top) }
        for (c, v) in row.enumerated() {
          let exact = exp(v - top) / sum
          #expect(abs(Double(output.storage[r * columns + c]) - exact) <= 4 * 0x1p-23 * exact + 1e-37)
        }
      }
    }
  }
}
