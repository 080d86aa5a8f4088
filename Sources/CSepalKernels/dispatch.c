#include "isa/tables.h"

// __builtin_cpu_supports also asks whether the operating system saves the registers.
static bool runs(sepal_isa isa) {
  switch (isa) {
  case SEPAL_ISA_PORTABLE: return true;
#if defined(__aarch64__)
  case SEPAL_ISA_NEON: return true;
#endif
#if defined(__x86_64__)
#if defined(SEPAL_EMULATE)
  case SEPAL_ISA_NEON:
  case SEPAL_ISA_AVX512:
#endif
  case SEPAL_ISA_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#if !defined(SEPAL_EMULATE)
  case SEPAL_ISA_AVX512:
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#endif
#endif
  default: return false;
  }
}

sepal_isa sepal_best_isa(void) {
  static const sepal_isa best_first[] = {SEPAL_ISA_AVX512, SEPAL_ISA_AVX2, SEPAL_ISA_NEON};
  for (size_t i = 0; i < sizeof best_first / sizeof *best_first; i++) {
    if (runs(best_first[i])) return best_first[i];
  }
  return SEPAL_ISA_PORTABLE;
}

const sepal_kernels *sepal_kernels_for(sepal_isa isa) {
  if (!runs(isa)) return NULL;
  switch (isa) {
#if defined(__aarch64__) || defined(SEPAL_EMULATE)
  case SEPAL_ISA_NEON: return &sepal_kernels_neon;
#endif
#if defined(__x86_64__)
  case SEPAL_ISA_AVX2: return &sepal_kernels_avx2;
  case SEPAL_ISA_AVX512: return &sepal_kernels_avx512;
#endif
  default: return &sepal_kernels_portable;
  }
}
