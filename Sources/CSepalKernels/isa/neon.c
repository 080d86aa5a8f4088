// AArch64 Advanced SIMD; emulated, the same arithmetic in the same order by x86's FMA, bit for bit.
#include "tables.h"

#if defined(__aarch64__) || defined(SEPAL_EMULATE)

#define ISA_NAME "neon"
#define VW 4
#define BY_LANE 1
#define MR1 8
#define MR2 8
#define MR3 6
#define FOR_EACH_TILE(T) UP_TO_8(T, 1) UP_TO_8(T, 2) UP_TO_6(T, 3)
#define PANELS(vectors) (((vectors) + 2) / 3)
#define LOAD_SOME load_some
#define STORE_SOME store_some
#define MULTIPLY_ADD(a, b, c) __builtin_elementwise_fma(a, b, c)

#if defined(SEPAL_EMULATE)
#define KEPT(v) "+x"(v)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#define KEPT(v) "+w"(v)
#endif

#include "../bodies/some_by_copy.h"

#include "../bodies/all.h"

#if defined(SEPAL_EMULATE)
#pragma clang attribute pop
#endif

const sepal_kernels sepal_kernels_neon = TABLE;

#endif
