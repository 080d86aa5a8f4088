// Access to the first n < 4 floats where the machine has no masked loads.

typedef float four __attribute__((ext_vector_type(4)));

static inline four load_some(const float *p, size_t n) {
  four v = {p[0], n > 1 ? p[1] : 0, n > 2 ? p[2] : 0, 0};
  return v;
}

static inline void store_some(float *p, four v, size_t n) {
  p[0] = v[0];
  if (n > 1) p[1] = v[1];
  if (n > 2) p[2] = v[2];
}
