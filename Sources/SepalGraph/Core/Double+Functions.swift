#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The C library's functions, under names that operators' own members do not shadow.
extension Double {
  package var exponential: Double { exp(self) }
  package var exponentialMinusOne: Double { expm1(self) }
  package var naturalLogarithm: Double { log(self) }
  package var logarithmOfOnePlus: Double { log1p(self) }
  package var errorFunction: Double { erf(self) }
  package var sine: Double { sin(self) }
  package var cosine: Double { cos(self) }
  package var hyperbolicTangent: Double { tanh(self) }
  package func raised(to exponent: Double) -> Double { pow(self, exponent) }
}
