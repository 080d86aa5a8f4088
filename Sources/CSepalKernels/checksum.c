// CRC-32 by carry-less products, after Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ".
#include "CSepalKernels.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("pclmul,sse4.1")))

// Multiplies x by x^(distance) and adds what is there; `by` holds x^(distance ± 32) mod P for its halves, bit-reversed.
TARGET static inline __m128i fold(__m128i x, __m128i by, __m128i there) {
  const __m128i low = _mm_clmulepi64_si128(x, by, 0x00), high = _mm_clmulepi64_si128(x, by, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), there);
}

TARGET static inline __m128i at(const uint8_t *p) { return _mm_loadu_si128((const __m128i *)p); }

TARGET static void fold_all(uint8_t remainder[16], const uint8_t *bytes, size_t count) {
  const __m128i by_512 = _mm_set_epi64x(0x1c6e41596, 0x154442bd4), by_128 = _mm_set_epi64x(0x0ccaa009e, 0x1751997d0);
  __m128i x0 = _mm_xor_si128(at(bytes), _mm_cvtsi32_si128(-1));
  __m128i x1 = at(bytes + 16), x2 = at(bytes + 32), x3 = at(bytes + 48);
  for (const uint8_t *p = bytes + 64, *end = bytes + count; p < end; p += 64) {
    x0 = fold(x0, by_512, at(p));
    x1 = fold(x1, by_512, at(p + 16));
    x2 = fold(x2, by_512, at(p + 32));
    x3 = fold(x3, by_512, at(p + 48));
  }
  _mm_storeu_si128((__m128i *)remainder, fold(fold(fold(x0, by_128, x1), by_128, x2), by_128, x3));
}

size_t sepal_crc32_fold(uint8_t *remainder, const uint8_t *bytes, size_t count) {
  const size_t folded = count & ~(size_t)63;
  if (folded == 0 || !__builtin_cpu_supports("pclmul") || !__builtin_cpu_supports("sse4.1")) return 0;
  fold_all(remainder, bytes, folded);
  return folded;
}

#else

size_t sepal_crc32_fold(uint8_t *remainder, const uint8_t *bytes, size_t count) {
  (void)remainder, (void)bytes, (void)count;
  return 0;
}

#endif
