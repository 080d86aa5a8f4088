// Four-wide vectors in plain C: whatever the compiler's base target makes of them.
#include "tables.h"

#define ISA_NAME "portable"
#define VW 4
#define BY_LANE 0
#define MR1 4
#define MR2 4
#define MR3 2
#define FOR_EACH_TILE(T) UP_TO_4(T, 1) UP_TO_4(T, 2) UP_TO_2(T, 3)
#define PANELS(vectors) (((vectors) + 1) / 2)
#define LOAD_SOME load_some
#define STORE_SOME store_some
#if defined(__x86_64__)
#define KEPT(v) "+x"(v)
#elif defined(__aarch64__)
#define KEPT(v) "+w"(v)
#else
#define KEPT(v) "+m"(v)
#endif
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))

#include "../bodies/some_by_copy.h"

#include "../bodies/all.h"

const sepal_kernels sepal_kernels_portable = TABLE;
