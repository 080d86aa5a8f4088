#include "BenchPeak.h"

// More sums than multiply-adds are in flight, and no more than there are registers. The empty assembly keeps the
// compiler from knowing, and so from leaving out, what a sum is.
#define MULTIPLY_ADDS(NAME, WIDTH, SUMS, MULTIPLY_ADD) \
  typedef float NAME##_vector __attribute__((ext_vector_type(WIDTH))); \
  static double NAME(double operations) { \
    NAME##_vector sum[SUMS], factor = (NAME##_vector)(0.5f), term = (NAME##_vector)(1.0f); \
    __asm__ volatile("" : KEPT(factor), KEPT(term)); \
    _Pragma("clang loop unroll(full)") for (size_t i = 0; i < SUMS; i++) sum[i] = term; \
    double done = 0; \
    for (; done < operations; done += 2.0 * 16 * SUMS * WIDTH) { \
      _Pragma("clang loop unroll(full)") for (size_t round = 0; round < 16; round++) { \
        _Pragma("clang loop unroll(full)") for (size_t i = 0; i < SUMS; i++) { \
          sum[i] = MULTIPLY_ADD(sum[i], factor, term); \
          __asm__ volatile("" : KEPT(sum[i])); \
        } \
      } \
    } \
    return done; \
  }

#define FUSED(a, b, c) __builtin_elementwise_fma(a, b, c)
#define SEPARATE(a, b, c) ((a) * (b) + (c))

#if defined(__x86_64__)

#define KEPT(v) "+x"(v)
MULTIPLY_ADDS(portable, 4, 14, SEPARATE)
#undef KEPT
#define KEPT(v) "+v"(v)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
MULTIPLY_ADDS(avx2, 8, 12, FUSED)
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"))), apply_to = function)
MULTIPLY_ADDS(avx512, 16, 24, FUSED)
#pragma clang attribute pop

double bench_multiply_adds(size_t vector_width, double operations) {
  switch (vector_width) {
  case 16: return avx512(operations);
  case 8: return avx2(operations);
  default: return portable(operations);
  }
}

#else

#if defined(__aarch64__)
#define KEPT(v) "+w"(v)
MULTIPLY_ADDS(four, 4, 24, FUSED)
#else
#define KEPT(v) "+m"(v)
MULTIPLY_ADDS(four, 4, 8, SEPARATE)
#endif

double bench_multiply_adds(size_t vector_width, double operations) { return four(operations); }

#endif
