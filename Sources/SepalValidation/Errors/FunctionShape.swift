import SepalGraph
import SepalTensor

/// What error analysis knows of a function of one variable: where it turns, and how exactly it is computed.
struct FunctionShape: Sendable {
  let function: @Sendable (Double) -> Double
  /// Arguments at which it turns around: an interval around one has its extremum inside.
  var turns: [Double] = []
  /// The error of the computed f(x), given x and f(x), in units of the roundoff.
  var units: @Sendable (_ x: Double, _ y: Double) -> Double
  /// Where the function is the identity and exact.
  var identity: ClosedRange<Double>?
  /// Up to, and from, which argument it has always the same value and that exactly.
  var floor, ceiling: (argument: Double, value: Double)?

  init(
    _ function: @escaping @Sendable (Double) -> Double, turns: [Double] = [],
    units: @escaping @Sendable (_ x: Double, _ y: Double) -> Double
  ) {
    self.function = function
    self.turns = turns
    self.units = units
  }

  /// A function whose computed values are within so many units in the last place; a unit is at most twice the roundoff.
  init(
    _ function: @escaping @Sendable (Double) -> Double, turns: [Double] = [], lastPlaces: Double
  ) {
    self.init(function, turns: turns) { _, y in 2 * lastPlaces * y.magnitude }
  }

  func applied(to x: Estimate, _ measure: ErrorMeasure, _ rounding: Rounding) -> Estimate {
    let arguments = x.value.doubles()
    var values = arguments
    var errors = x.error ?? [Double](repeating: 0, count: arguments.count)
    let isGiven = x.error != nil
    arguments.withUnsafeBufferPointer { arguments in
      values.withUnsafeMutableBufferPointer { values in
        errors.withUnsafeMutableBufferPointer { errors in
          for index in arguments.indices {
            let (argument, incoming) = (arguments[index], errors[index])
            if isGiven {
              let radius = measure.radius(incoming)
              // What is passed on as it is keeps its error too.
              if let identity, argument - radius > identity.lowerBound,
                argument + radius < identity.upperBound
              {
                continue
              }
              if let floor, argument + radius <= floor.argument {
                (values[index], errors[index]) = (floor.value, 0)
                continue
              }
              if let ceiling, argument - radius >= ceiling.argument {
                (values[index], errors[index]) = (ceiling.value, 0)
                continue
              }
            }
            (values[index], errors[index]) = computed(argument, incoming, measure, rounding)
          }
        }
      }
    }
    return Estimate(Tensor(.float64, x.value.shape, doubles: values), error: errors)
  }

  /// f(x), and the error of computing it from an argument with an error.
  private func computed(
    _ argument: Double, _ incoming: Double, _ measure: ErrorMeasure, _ rounding: Rounding
  ) -> (value: Double, error: Double) {
    let value = function(argument)
    var limit = units(argument, value)
    var error = 0.0
    if incoming > 0 {
      error = measure.error(radius: deviation(argument, value, measure.radius(incoming), &limit))
    }
    limit *= rounding.unit
    if limit > 0 { error += measure.error(within: limit + 4 * rounding.underflow) }
    return (value, error)
  }

  /// The largest distance from f(x) on [x − radius, x + radius]; raises `limit` to what the ends lose.
  private func deviation(_ x: Double, _ y: Double, _ radius: Double, _ limit: inout Double) -> Double {
    guard radius < .infinity else { return .infinity }
    let (low, high) = (function(x - radius), function(x + radius))
    limit = max(limit, units(x - radius, low), units(x + radius, high))
    var result = max((low - y).magnitude, (high - y).magnitude)
    for turn in turns where (turn - x).magnitude < radius {
      result = max(result, (function(turn) - y).magnitude)
    }
    return result
  }
}

extension Activation {
  /// Errors of the kernels: `CSepalKernels/bodies/activation.h`, held by the tests of each kernel, and doubled here.
  /// Parameters are rounded to single precision.
  var shape: FunctionShape {
    let function: @Sendable (Double) -> Double = { self($0) }
    func lost(_ value: Double) -> Double {
      value.isFinite ? (Double(Float(value)) - value).magnitude * 0x1p24 : 0
    }
    // What the reference loses where it subtracts from 1 what is nearly 1, in double precision.
    @Sendable func tail(_ x: Double) -> Double { x.magnitude * 0x1p-27 }
    switch self {
    case .identity: return FunctionShape(function) { _, _ in 0 }
    case .relu:
      var shape = FunctionShape(function) { _, _ in 0 }
      shape.identity = 0...Double.infinity
      shape.floor = (0, 0)
      return shape
    case .clip(let low, let high):
      let (lostLow, lostHigh) = (lost(low), lost(high))
      // Just inside the bounds, as they may be rounded.
      let (first, last) = (low + low.magnitude * 0x1p-20, high - high.magnitude * 0x1p-20)
      var shape = FunctionShape(function) { x, _ in x < first ? lostLow : x > last ? lostHigh : 0 }
      if first < last { shape.identity = first...last }
      if lostLow == 0 { shape.floor = (low, low) }
      if lostHigh == 0 { shape.ceiling = (high, high) }
      return shape
    case .leakyRelu(let alpha):
      return FunctionShape(function, turns: alpha < 0 ? [0] : []) { x, y in x < 0 ? 3 * y.magnitude : 0 }
    case .elu(let alpha):
      return FunctionShape(function, turns: alpha < 0 ? [0] : []) { x, y in x < 0 ? 16 * y.magnitude : 0 }
    case .hardSigmoid(let alpha, let beta):
      return FunctionShape(function) { x, y in
        y == 0 || y == 1
          ? 4 * min(1, (alpha * x).magnitude + beta.magnitude) : 4 * ((alpha * x).magnitude + beta.magnitude)
      }
    case .hardSwish:
      return FunctionShape(function, turns: [-1.5]) { x, y in
        y.magnitude + (x.magnitude < 3.001 ? 4 * x.magnitude * (x.magnitude / 6 + 0.5) : 0)
      }
    case .sigmoid: return FunctionShape(function, lastPlaces: 8)
    case .silu: return FunctionShape(function, turns: [-1.278464542761074], lastPlaces: 10)
    case .tanh: return FunctionShape(function, lastPlaces: 8)
    case .gelu:
      return FunctionShape(function, turns: [-0.7517915246935645]) { x, y in
        (32 + (x < -1 ? 8 * x * x : 0)) * y.magnitude + tail(x)
      }
    case .geluTanh:
      return FunctionShape(function, turns: [-0.7524614220710163]) { x, y in
        (40 + (x < -1 ? 16 * x * x * (1 + 0.044715 * x * x) : 0)) * y.magnitude + tail(x)
      }
    }
  }
}

extension UnaryOperator {
  /// Nil where results are no numbers of the operand's kind.
  var shape: FunctionShape? {
    if let activation = (self as? any ActivationOperator)?.asActivation { return activation.shape }
    guard resultElement(.float32) == .float32 else { return nil }
    return FunctionShape({ self.apply($0) }, lastPlaces: 4)
  }
}
