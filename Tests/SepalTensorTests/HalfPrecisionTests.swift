import SepalTensor
import Testing

/// Every binary16 and bfloat16 bit pattern, against the definition of the formats.
@Suite struct HalfPrecisionTests {
  /// (−1)^s · 2^(e−15) · (1 + m/1024), with gradual underflow below 2⁻¹⁴; nil for infinities and NaN.
  private static func valueOfHalf(_ bits: UInt16) -> Double? {
    let exponent = Int(bits >> 10 & 31)
    let mantissa = Double(bits & 1023)
    guard exponent < 31 else { return nil }
    let sign: Double = bits >> 15 == 1 ? -1 : 1
    let scale = Double(sign: .plus, exponent: max(exponent, 1) - 15, significand: 1)
    return sign * scale * ((exponent == 0 ? 0 : 1) + mantissa / 1024)
  }

  @Test func everyHalfWidensToItsValue() {
    let wrong = (0...UInt16.max).filter { bits in
      let value = Float(halfBits: bits)
      guard let expected = Self.valueOfHalf(bits) else {
        return bits & 1023 == 0 ? value != (bits >> 15 == 1 ? -.infinity : .infinity) : !value.isNaN
      }
      return Double(value) != expected || (value.sign == .minus) != (bits >> 15 == 1)
    }
    #expect(wrong.isEmpty)
  }

  @Test func everyHalfSurvivesTheRoundTrip() {
    let wrong = (0...UInt16.max).filter { bits in
      let value = Float(halfBits: bits)
      return value.isNaN
        ? value.halfBits & 0x7C00 != 0x7C00 || value.halfBits & 1023 == 0 : value.halfBits != bits
    }
    #expect(wrong.isEmpty)
  }

  /// Rounding changes at the midpoints of neighbours, the last of which lies between the largest half and 2¹⁶.
  @Test(arguments: [UInt16(0), 0x8000])
  func halfRoundsToNearestAndTiesToEven(sign: UInt16) {
    let wrong = (UInt16(0)..<0x7C00).filter { magnitude in
      let low = Float(halfBits: magnitude)
      let high = magnitude + 1 == 0x7C00 ? 0x1p16 : Float(halfBits: magnitude + 1)
      let middle = (low + high) / 2
      func rounded(_ value: Float) -> UInt16 { (sign == 0 ? value : -value).halfBits }
      let even = magnitude & 1 == 0 ? magnitude : magnitude + 1
      return rounded(middle) != sign | even || rounded(middle.nextDown) != sign | magnitude
        || rounded(middle.nextUp) != sign | (magnitude + 1)
    }
    #expect(wrong.isEmpty)
  }

  @Test func everyBFloat16SurvivesTheRoundTrip() {
    let wrong = (0...UInt16.max).filter { bits in
      let value = Float(bitPattern: UInt32(bits) << 16)
      return value.isNaN
        ? value.bfloat16Bits & 0x7F80 != 0x7F80 || value.bfloat16Bits & 127 == 0 : value.bfloat16Bits != bits
    }
    #expect(wrong.isEmpty)
  }

  @Test(arguments: [UInt16(0), 0x8000])
  func bfloat16RoundsToNearestAndTiesToEven(sign: UInt16) {
    let wrong = (UInt16(0)..<0x7F80).filter { magnitude in
      let middle = UInt32(sign | magnitude) << 16 | 0x8000
      let even = magnitude & 1 == 0 ? magnitude : magnitude + 1
      return Float(bitPattern: middle).bfloat16Bits != sign | even
        || Float(bitPattern: middle - 1).bfloat16Bits != sign | magnitude
        || Float(bitPattern: middle + 1).bfloat16Bits != sign | (magnitude + 1)
    }
    #expect(wrong.isEmpty)
  }

  /// A detour over binary32 would land on the midpoint and then on the even neighbour.
  @Test(arguments: [1.0, -1], [0x1p-40, -0x1p-40, 0x1p-52])
  func doublesAreRoundedOnce(sign: Double, offset: Double) {
    let half = Tensor(.float16, [1], doubles: [sign * (1 + 0x1p-11 + offset)])
    #expect(half.doubles() == [sign * (offset > 0 ? 1 + 0x1p-10 : 1)])
    let odd = Tensor(.float16, [1], doubles: [sign * (1 + 3 * 0x1p-11 + offset)])
    #expect(odd.doubles() == [sign * (offset > 0 ? 1 + 0x1p-9 : 1 + 0x1p-10)])
    let bfloat = Tensor(.bfloat16, [1], doubles: [sign * (1 + 0x1p-8 + offset)])
    #expect(bfloat.doubles() == [sign * (offset > 0 ? 1 + 0x1p-7 : 1)])
  }

  @Test func extremesOfDouble() {
    let values = [
      Double.greatestFiniteMagnitude, -.infinity, .leastNonzeroMagnitude, -0x1p-1074, 65519.999, 65520,
    ]
    let half = Tensor(.float16, [6], doubles: values).doubles()
    #expect(half == [.infinity, -.infinity, 0, 0, 65504, .infinity])
    #expect(half[3].sign == .minus)
    #expect(Tensor(.float16, [1], doubles: [.nan]).doubles()[0].isNaN)
  }
}
