#include "CSepalKernels.h"

extern const sepal_kernels sepal_kernels_portable;
#if defined(__aarch64__)
extern const sepal_kernels sepal_kernels_neon;
#endif
#if defined(__x86_64__)
extern const sepal_kernels sepal_kernels_avx2;
extern const sepal_kernels sepal_kernels_avx512;
#endif
