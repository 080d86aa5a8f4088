// Four-wide vectors in plain C: whatever the compiler's base target makes of them.
#include "tables.h"

#define ISA_NAME "portable"
#define VW 4
#define VK 1
#define MR1 4
#define MR2 4
#define MR3 0
#define LOAD_SOME load_some
#define STORE_SOME store_some
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))

#include "../bodies/some_by_copy.h"

#include "../bodies/all.h"

const sepal_kernels sepal_kernels_portable = TABLE;
