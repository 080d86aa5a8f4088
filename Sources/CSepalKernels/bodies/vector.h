// The vector primitives that every body is written in. An isa/*.c file defines, before including this:
//   VW                    floats in a vector
//   BY_LANE               whether multiply-by-lane exists: the GEMM then loads vectors along k instead of broadcasting
//   MR1, MR2, MR3         pixels of the GEMM tiles that are 1, 2 and 3 vectors wide
//   FOR_EACH_TILE(T)      T(pixels, vectors) for every tile up to those
//   PANELS(vectors)       the number of panels, of 1 to 3 vectors, that so many vectors are divided into
//   LOAD_SOME, STORE_SOME masked access to the first n floats, 1 ≤ n < VW; lanes beyond read as zero
//   KEPT(v)               an assembly operand that holds v in a register
//   MULTIPLY_ADD(a, b, c) a·b + c in one rounding where the machine has it
#include "CSepalKernels.h"

#define INLINE static inline __attribute__((always_inline))
#define NOINLINE static __attribute__((noinline))
#define UNROLL _Pragma("clang loop unroll(full)")

#define UP_TO_2(T, NV) T(1, NV) T(2, NV)
#define UP_TO_3(T, NV) UP_TO_2(T, NV) T(3, NV)
#define UP_TO_4(T, NV) UP_TO_3(T, NV) T(4, NV)
#define UP_TO_6(T, NV) UP_TO_4(T, NV) T(5, NV) T(6, NV)
#define UP_TO_8(T, NV) UP_TO_6(T, NV) T(7, NV) T(8, NV)
#define UP_TO_12(T, NV) UP_TO_8(T, NV) T(9, NV) T(10, NV) T(11, NV) T(12, NV)
#define UP_TO_14(T, NV) UP_TO_12(T, NV) T(13, NV) T(14, NV)

typedef float vf __attribute__((ext_vector_type(VW)));
typedef int32_t vi __attribute__((ext_vector_type(VW)));

INLINE vf load(const float *p) {
  vf v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

INLINE void store(float *p, vf v) { __builtin_memcpy(p, &v, sizeof v); }

INLINE vf splat(float x) { return (vf)x; }

// 1 ≤ n ≤ VW.
INLINE vf load_n(const float *p, size_t n) { return n == VW ? load(p) : LOAD_SOME(p, n); }

INLINE void store_n(float *p, vf v, size_t n) {
  if (n == VW) {
    store(p, v);
  } else {
    STORE_SOME(p, v, n);
  }
}

INLINE vf madd(vf a, vf b, vf c) { return MULTIPLY_ADD(a, b, c); }

// Both keep a NaN in x: a comparison with NaN is false. They compile to one max or min on x86.
INLINE vf at_least(vf x, vf low) { return x < low ? low : x; }
INLINE vf at_most(vf x, vf high) { return high < x ? high : x; }
INLINE vf clamp(vf x, vf low, vf high) { return at_most(at_least(x, low), high); }

INLINE vf magnitude(vf x) { return (vf)((vi)x & 0x7fffffff); }
INLINE vf with_sign_of(vf x, vf sign) { return (vf)((vi)x | ((vi)sign & (vi)(0x80000000u))); }
