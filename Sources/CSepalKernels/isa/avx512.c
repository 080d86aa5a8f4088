// AVX-512 F, BW, DQ and VL; emulated, the same arithmetic in the same order by AVX2 with FMA, bit for bit.
#include "tables.h"

#if defined(__x86_64__)

#define ISA_NAME "avx512"
#define VW 16
#define BY_LANE 0
#define MR1 14
#define MR2 12
#define MR3 8
#define FOR_EACH_TILE(T) UP_TO_14(T, 1) UP_TO_12(T, 2) UP_TO_8(T, 3)
#define PANELS(vectors) (((vectors) + 2) / 3)
#define MULTIPLY_ADD(a, b, c) __builtin_elementwise_fma(a, b, c)

#if defined(SEPAL_EMULATE)

#define LOAD_SOME load_some
#define STORE_SOME store_some
#define KEPT(v) "+m"(v)
#pragma clang diagnostic ignored "-Wpsabi"
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "../bodies/some_by_copy.h"

#else

#include <immintrin.h>
#define LOAD_SOME(p, n) ((vf)_mm512_maskz_loadu_ps((__mmask16)((1u << (n)) - 1), p))
#define STORE_SOME(p, v, n) _mm512_mask_storeu_ps(p, (__mmask16)((1u << (n)) - 1), v)
#define KEPT(v) "+v"(v)
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), \
    apply_to = function)

#endif

#include "../bodies/all.h"

#pragma clang attribute pop

const sepal_kernels sepal_kernels_avx512 = TABLE;

#endif
