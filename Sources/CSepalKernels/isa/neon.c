// AArch64 Advanced SIMD.
#include "tables.h"

#if defined(__aarch64__)

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
#define KEPT(v) "+w"(v)
#define MULTIPLY_ADD(a, b, c) __builtin_elementwise_fma(a, b, c)

#include "../bodies/some_by_copy.h"

#include "../bodies/all.h"

const sepal_kernels sepal_kernels_neon = TABLE;

#endif
