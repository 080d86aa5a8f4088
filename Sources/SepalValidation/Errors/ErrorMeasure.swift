import SepalTensor

/// What is said about the error of a result in floating-point arithmetic.
///
/// Both obey the same rules of propagation with other norms: worst cases add by magnitude, variances of independent
/// errors add by square. An operator therefore states its errors once, in terms of the functions below.
enum ErrorMeasure: Sendable {
  /// The largest error that any order of operations can make. Sound, and far above what happens after a few layers.
  case bound
  /// The variance of the error, roundings taken for independent and free of bias.
  case variance

  /// The error of c·x for an error of x.
  func scaled(_ error: Double, by c: Double) -> Double {
    switch self {
    case .bound: c.magnitude * error
    case .variance: c * c * error
    }
  }

  /// The factor of an error that corresponds to the factor `c` of a value.
  func gain(_ c: Double) -> Double { scaled(1, by: c) }

  /// Where a function turns or is cut off, the derivative at one point says little about its neighbourhood. Deviations are
  /// therefore followed as far as verdicts reach, in standard deviations.
  private static let reach = 10.0

  /// The largest distance from the true value that is looked at.
  func radius(_ error: Double) -> Double { self == .bound ? error : Self.reach * error.squareRoot() }

  /// The error of results that stay within `radius` for arguments that do.
  func error(radius: Double) -> Double {
    self == .bound ? radius : radius * radius / (Self.reach * Self.reach)
  }

  /// The error of results that are known to be within `limit` of the true ones. Errors of functions are measured at their
  /// worst argument: their standard deviation is some quarter of that.
  func error(within limit: Double) -> Double { self == .bound ? limit : limit * limit / 12 }
}

/// Roundings to nearest of one type, of gradual underflow.
struct Rounding: Sendable {
  /// The unit roundoff: half the distance from 1 to the next number, with room for what the reference's own arithmetic
  /// in double precision, and that of the bound, loses.
  let unit: Double
  /// The largest error of a result below the normal numbers.
  let underflow: Double
  /// Beyond this everything is infinite.
  let largest: Double

  init(_ element: ElementType) {
    let slack = 1 + 0x1p-20
    switch element {
    case .float32: (unit, underflow, largest) = (0x1p-24 * slack, 0x1p-149, 0x1.fffffep127)
    case .float16: (unit, underflow, largest) = (0x1p-11 * slack, 0x1p-24, 65504)
    case .bfloat16: (unit, underflow, largest) = (0x1p-8 * slack, 0x1p-133, 0x1.fep127)
    default: (unit, underflow, largest) = (0x1p-52, 0x1p-1074, .greatestFiniteMagnitude)
    }
  }

  /// The relative error of a product of at most `count` roundings: n·u/(1 − n·u), infinite where nothing can be said.
  func gamma(_ count: Int) -> Double {
    let product = Double(count) * unit
    return product < 1 ? product / (1 - product) : .infinity
  }

  /// The variance of one rounding of a value 1: errors are even over an interval of one unit in the last place, and
  /// mantissas are as frequent as their logarithms are long, which makes ⅓·3/(8·ln 2) of u².
  var variance: Double { 0.18033688 * unit * unit }

  /// The error of rounding `value` `count` times.
  func error(_ measure: ErrorMeasure, of value: Double, count: Int = 1) -> Double {
    switch measure {
    case .bound: gamma(count) * value.magnitude + Double(count) * underflow
    case .variance: Double(count) * (variance * value * value + underflow * underflow)
    }
  }
}

/// How a step of the plan computes.
enum Arithmetic: Sendable, Hashable {
  /// Sums of products in any order, fused or not.
  case direct
  /// 3×3 convolutions by Winograd's algorithm in tiles of so many outputs a side.
  case winograd(tile: Int)
  /// In double precision, rounded at the end.
  case reference
}
