#include "CSepalKernels.h"

// SEPAL_EMULATE makes the bodies of other machines run here, so that they can be tested. x86-64 only.
#if defined(SEPAL_EMULATE) && !defined(__x86_64__)
#error "emulation needs x86-64 with AVX2 and FMA"
#endif

extern const sepal_kernels sepal_kernels_portable;
#if defined(__aarch64__) || defined(SEPAL_EMULATE)
extern const sepal_kernels sepal_kernels_neon;
#endif
#if defined(__x86_64__)
extern const sepal_kernels sepal_kernels_avx2;
extern const sepal_kernels sepal_kernels_avx512;
#endif
