// Access to the first n < VW floats where the machine has no masked loads.

typedef float lanes __attribute__((ext_vector_type(VW)));

static inline lanes load_some(const float *p, size_t n) {
  lanes v = 0;
  _Pragma("clang loop unroll(full)") for (size_t i = 0; i < VW - 1; i++) {
    if (i < n) v[i] = p[i];
  }
  return v;
}

static inline void store_some(float *p, lanes v, size_t n) {
  _Pragma("clang loop unroll(full)") for (size_t i = 0; i < VW - 1; i++) {
    if (i < n) p[i] = v[i];
  }
}
