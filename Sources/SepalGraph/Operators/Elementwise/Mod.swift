/// The remainder of a/b under numpy broadcasting.
///
/// The result has the sign of the divisor, or with `fmod`, of the dividend. Integer division by zero is refused.
/// - Inputs: a, b of one numeric type. Outputs: the broadcast shape. Source: ONNX Mod-13, which asks for `fmod` with
///   floating point; without it this is numpy's `mod`.
public struct Mod: BinaryOperator {
  public static let schema = OperatorSchema(
    "Mod", inputs: ["a", "b"], attributes: [AttributeField("fmod", \Mod.fmod)])
  public var fmod = false

  public init() {}
  public init(fmod: Bool) { self.fmod = fmod }

  public func apply(_ a: Double, _ b: Double) -> Double {
    let remainder = a.truncatingRemainder(dividingBy: b)
    if fmod || remainder.isNaN { return remainder }
    if remainder == 0 { return Double(signOf: b, magnitudeOf: 0) }
    return (remainder < 0) == (b < 0) ? remainder : remainder + b
  }

  public func apply(_ a: Int64, _ b: Int64) -> Int64? {
    guard b != 0 else { return nil }
    let remainder = a.remainderReportingOverflow(dividingBy: b).partialValue
    return fmod || remainder == 0 || (remainder < 0) == (b < 0) ? remainder : remainder + b
  }
}
