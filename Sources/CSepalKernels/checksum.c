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

TARGET static __m128i folded_to_one(const __m128i *x, size_t count) {
  const __m128i by_128 = _mm_set_epi64x(0x0ccaa009e, 0x1751997d0);
  __m128i one = x[0];
  for (size_t i = 1; i < count; i++) one = fold(one, by_128, x[i]);
  return one;
}

// Of `count` bytes, a multiple of 64.
TARGET static __m128i fold_64(const uint8_t *bytes, size_t count) {
  const __m128i by_512 = _mm_set_epi64x(0x1c6e41596, 0x154442bd4);
  __m128i x[4] = {_mm_xor_si128(at(bytes), _mm_cvtsi32_si128(-1)), at(bytes + 16), at(bytes + 32), at(bytes + 48)};
  for (const uint8_t *p = bytes + 64, *end = bytes + count; p < end; p += 64) {
    for (size_t i = 0; i < 4; i++) x[i] = fold(x[i], by_512, at(p + 16 * i));
  }
  return folded_to_one(x, 4);
}

#define WIDE __attribute__((target("vpclmulqdq,avx2")))

WIDE static inline __m256i pair_at(const uint8_t *p) { return _mm256_loadu_si256((const __m256i *)p); }

// The same by pairs, of a multiple of 128 bytes.
WIDE static __m128i fold_128(const uint8_t *bytes, size_t count) {
  const __m256i by_1024 = _mm256_set_epi64x(0x14a7fe880, 0x1e88ef372, 0x14a7fe880, 0x1e88ef372);
  __m256i x[4] = {pair_at(bytes), pair_at(bytes + 32), pair_at(bytes + 64), pair_at(bytes + 96)};
  x[0] = _mm256_xor_si256(x[0], _mm256_zextsi128_si256(_mm_cvtsi32_si128(-1)));
  for (const uint8_t *p = bytes + 128, *end = bytes + count; p < end; p += 128) {
    for (size_t i = 0; i < 4; i++) {
      const __m256i low = _mm256_clmulepi64_epi128(x[i], by_1024, 0x00);
      const __m256i high = _mm256_clmulepi64_epi128(x[i], by_1024, 0x11);
      x[i] = _mm256_xor_si256(_mm256_xor_si256(low, high), pair_at(p + 32 * i));
    }
  }
  __m128i halves[8];
  for (size_t i = 0; i < 4; i++) {
    halves[2 * i] = _mm256_castsi256_si128(x[i]);
    halves[2 * i + 1] = _mm256_extracti128_si256(x[i], 1);
  }
  return folded_to_one(halves, 8);
}

size_t sepal_crc32_fold(uint8_t *remainder, const uint8_t *bytes, size_t count) {
  if (count < 64 || !__builtin_cpu_supports("pclmul") || !__builtin_cpu_supports("sse4.1")) return 0;
  const bool wide = count >= 128 && __builtin_cpu_supports("vpclmulqdq") && __builtin_cpu_supports("avx2");
  const size_t folded = count & ~(size_t)(wide ? 127 : 63);
  _mm_storeu_si128((__m128i *)remainder, wide ? fold_128(bytes, folded) : fold_64(bytes, folded));
  return folded;
}

#else

size_t sepal_crc32_fold(uint8_t *remainder, const uint8_t *bytes, size_t count) {
  (void)remainder, (void)bytes, (void)count;
  return 0;
}

#endif
