// Binary operators with broadcasting along rows or columns, scale and shift per channel, softmax.

INLINE vf binary_value(const sepal_binary_op op, vf x, vf y) {
  switch (op) {
  case SEPAL_ADD: return x + y;
  case SEPAL_SUB: return x - y;
  case SEPAL_MUL: return x * y;
  case SEPAL_DIV: return x / y;
  // NaN on either side stays NaN.
  case SEPAL_MIN: return x != x ? x : x < y ? x : y;
  case SEPAL_MAX: return x != x ? x : x > y ? x : y;
  }
  return x;
}

INLINE void binary_as(const sepal_binary *b, const sepal_binary_op op, const bool x_step, const bool y_step) {
  const epilogue e = epilogue_of(b->activation);
  for (size_t r = 0; r < b->rows; r++) {
    const float *x = b->x + r * b->x_stride, *y = b->y + r * b->y_stride;
    float *dst = b->dst + r * b->dst_stride;
    const vf x0 = splat(*x), y0 = splat(*y);
    size_t i = 0;
    for (; i + VW <= b->columns; i += VW) {
      const vf v = binary_value(op, x_step ? load(x + i) : x0, y_step ? load(y + i) : y0);
      store(dst + i, clamp(v, e.low, e.high));
    }
    if (i < b->columns) {
      const size_t n = b->columns - i;
      const vf v = binary_value(op, x_step ? LOAD_SOME(x + i, n) : x0, y_step ? LOAD_SOME(y + i, n) : y0);
      STORE_SOME(dst + i, clamp(v, e.low, e.high), n);
    }
    if (e.stored) activate(dst, dst, b->columns, b->activation);
  }
}

// One vector of y for all of x, as for a block of an image.
INLINE void binary_by_vector(const sepal_binary *b, const sepal_binary_op op) {
  const epilogue e = epilogue_of(b->activation);
  const size_t n = b->rows * VW;
  const float *x = b->x;
  float *dst = b->dst;
  const vf y = load(b->y);
  for (size_t i = 0; i < n; i += VW) store(dst + i, clamp(binary_value(op, load(x + i), y), e.low, e.high));
  if (e.stored) activate(dst, dst, n, b->activation);
}

INLINE bool is_by_vector(const sepal_binary *b) {
  const bool is_dense = b->x_step && b->x_stride == VW && b->dst_stride == VW;
  return b->columns == VW && is_dense && b->y_step && b->y_stride == 0;
}

INLINE void binary_steps(const sepal_binary *b, const sepal_binary_op op) {
  if (is_by_vector(b)) return binary_by_vector(b, op);
  if (b->x_step && b->y_step) return binary_as(b, op, true, true);
  if (b->x_step) return binary_as(b, op, true, false);
  if (b->y_step) return binary_as(b, op, false, true);
  return binary_as(b, op, false, false);
}

static void binary(const sepal_binary *b) {
  if (b->rows == 0 || b->columns == 0) return;
  switch (b->op) {
  case SEPAL_ADD: return binary_steps(b, SEPAL_ADD);
  case SEPAL_SUB: return binary_steps(b, SEPAL_SUB);
  case SEPAL_MUL: return binary_steps(b, SEPAL_MUL);
  case SEPAL_DIV: return binary_steps(b, SEPAL_DIV);
  case SEPAL_MIN: return binary_steps(b, SEPAL_MIN);
  case SEPAL_MAX: return binary_steps(b, SEPAL_MAX);
  }
}

static void scale_shift(
    float *dst, const float *src, const float *scale, const float *shift, size_t rows, size_t columns,
    sepal_activation act) {
  const epilogue e = epilogue_of(act);
  if (columns == VW) {
    const vf by = load(scale), plus = load(shift);
    const size_t n = rows * VW;
    for (size_t i = 0; i < n; i += VW) store(dst + i, clamp(madd(load(src + i), by, plus), e.low, e.high));
    if (e.stored) activate(dst, dst, n, act);
    return;
  }
  for (size_t r = 0; r < rows; r++, dst += columns, src += columns) {
    for (size_t i = 0; i < columns; i += VW) {
      const size_t n = columns - i < VW ? columns - i : VW;
      const vf v = madd(load_n(src + i, n), load_n(scale + i, n), load_n(shift + i, n));
      store_n(dst + i, clamp(v, e.low, e.high), n);
    }
    if (e.stored) activate(dst, dst, columns, act);
  }
}

// Subtracts the row's maximum first, so that nothing overflows; sums in double.
static void softmax(float *dst, const float *src, size_t rows, size_t columns) {
  for (size_t r = 0; r < rows; r++, dst += columns, src += columns) {
    float top = -__builtin_inff();
    for (size_t i = 0; i < columns; i++) top = src[i] > top ? src[i] : top;
    double sum = 0;
    for (size_t i = 0; i < columns; i += VW) {
      const size_t n = columns - i < VW ? columns - i : VW;
      const vf e = vexp(load_n(src + i, n) - splat(top));
      store_n(dst + i, e, n);
      for (size_t j = 0; j < n; j++) sum += dst[i + j];
    }
    const vf inverse = splat((float)(1 / sum));
    for (size_t i = 0; i < columns; i += VW) {
      const size_t n = columns - i < VW ? columns - i : VW;
      store_n(dst + i, load_n(dst + i, n) * inverse, n);
    }
  }
}
