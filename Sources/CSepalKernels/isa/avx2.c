// AVX2 with FMA.
#include "tables.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define ISA_NAME "avx2"
#define VW 8
#define BY_LANE 0
#define MR1 12
#define MR2 6
#define MR3 3
#define FOR_EACH_TILE(T) UP_TO_12(T, 1) UP_TO_6(T, 2) UP_TO_3(T, 3)
#define PANELS(vectors) ((vectors) < 2 ? 1 : (vectors) / 2)
#define LOAD_SOME(p, n) ((vf)_mm256_maskload_ps(p, mask_of(n)))
#define STORE_SOME(p, v, n) _mm256_maskstore_ps(p, mask_of(n), v)
#define KEPT(v) "+x"(v)
#define MULTIPLY_ADD(a, b, c) __builtin_elementwise_fma(a, b, c)

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

static inline __m256i mask_of(size_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

#include "../bodies/all.h"

#pragma clang attribute pop

const sepal_kernels sepal_kernels_avx2 = TABLE;

#endif
