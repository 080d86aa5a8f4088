// Depthwise convolution, vectorised over channels. For each output row a table holds, per kernel row, a pointer to
// every input pixel that the row's windows touch, or to zeros: padding and dilation cost nothing inside.
//
// The 3×3 and 5×5 kernels at stride 1 and 2 compute four neighbouring outputs at a time, so that one input load
// feeds all the windows it lies in; a row is cut into stretches whose inputs stay in L1 while the channels pass.
// Where a width or a channel count is not a multiple, the last step overlaps the one before it and computes the
// same values again.

enum { OUTPUTS = 4, STRETCH_FLOATS = 4096 };

INLINE size_t table_columns(const sepal_window *w) {
  return (w->out_w - 1) * w->stride_w + (w->kernel_w - 1) * w->dilation_w + 1;
}

static size_t depthwise_scratch(const sepal_window *w) {
  return w->kernel_h * table_columns(w) * sizeof(float *);
}

static void fill_table(const sepal_window *w, size_t row, const float **table) {
  const size_t columns = table_columns(w);
  const float *image = w->input + row / w->out_h * w->in_h * w->in_w * w->in_stride;
  const ptrdiff_t top = (ptrdiff_t)(row % w->out_h * w->stride_h) - (ptrdiff_t)w->pad_top;
  for (size_t ky = 0; ky < w->kernel_h; ky++) {
    const ptrdiff_t y = top + (ptrdiff_t)(ky * w->dilation_h);
    for (size_t i = 0; i < columns; i++) {
      const ptrdiff_t x = (ptrdiff_t)i - (ptrdiff_t)w->pad_left;
      table[ky * columns + i] = inside(y, w->in_h) && inside(x, w->in_w)
          ? image + ((size_t)y * w->in_w + (size_t)x) * w->in_stride
          : w->zeros;
    }
  }
}

// OUTPUTS neighbouring outputs of one vector of channels. `kernel` holds the weights of a 3×3 in registers; those
// of a larger kernel are loaded row by row.
INLINE void depthwise_outputs(
    const sepal_window *w, const float *const *table, size_t columns, float *out, const float *residual,
    size_t channel, const vf *kernel, vf bias, const epilogue *e, const size_t size, const size_t stride) {
  vf acc[OUTPUTS];
  UNROLL for (size_t o = 0; o < OUTPUTS; o++) acc[o] = bias;
  // Before the products: a branch after them makes the compiler split the four sums, and then latency rules.
  if (residual) {
    UNROLL for (size_t o = 0; o < OUTPUTS; o++) acc[o] += load(residual + o * w->residual_stride + channel);
  }
  UNROLL for (size_t ky = 0; ky < size; ky++) {
    vf weights[5];
    UNROLL for (size_t kx = 0; kx < size; kx++) {
      weights[kx] = size == 3 ? kernel[ky * size + kx]
                              : load(w->weights + (ky * size + kx) * w->in_c + channel);
    }
    UNROLL for (size_t i = 0; i < (OUTPUTS - 1) * stride + size; i++) {
      const vf x = load(table[ky * columns + i] + channel);
      UNROLL for (size_t o = 0; o < OUTPUTS; o++) {
        // i = o·stride + kx. Outside 0…size−1 the difference wraps to a huge number.
        if (i - o * stride < size) acc[o] = madd(x, weights[i - o * stride], acc[o]);
      }
    }
  }
  UNROLL for (size_t o = 0; o < OUTPUTS; o++) {
    store(out + o * w->out_stride + channel, clamp(acc[o], e->low, e->high));
  }
}

// Requires out_w ≥ OUTPUTS and in_c ≥ VW.
INLINE void depthwise_row(
    const sepal_window *w, const float *const *table, float *out, const float *residual,
    const epilogue *e, const size_t size, const size_t stride) {
  const size_t columns = table_columns(w);
  const size_t fit = STRETCH_FLOATS / (size * stride * w->in_c);
  const size_t stretch = fit < OUTPUTS ? OUTPUTS : fit;
  for (size_t x0 = 0; x0 < w->out_w; x0 += stretch) {
    const size_t end = w->out_w - x0 < stretch ? w->out_w : x0 + stretch;
    for (size_t c0 = 0; c0 < w->in_c; c0 += VW) {
      const size_t c = w->in_c - c0 < VW ? w->in_c - VW : c0;
      const vf bias = load(w->bias + c);
      vf kernel[9];
      if (size == 3) {
        UNROLL for (size_t t = 0; t < 9; t++) kernel[t] = load(w->weights + t * w->in_c + c);
      }
      for (size_t x1 = x0; x1 < end; x1 += OUTPUTS) {
        const size_t x = w->out_w - x1 < OUTPUTS ? w->out_w - OUTPUTS : x1;
        depthwise_outputs(
            w, table + x * stride, columns, out + x * w->out_stride,
            residual ? residual + x * w->residual_stride : NULL, c, kernel, bias, e, size, stride);
      }
    }
  }
}

NOINLINE void depthwise_row_any(
    const sepal_window *w, const float *const *table, float *out, const float *residual,
    const epilogue *e) {
  const size_t columns = table_columns(w);
  for (size_t x = 0; x < w->out_w; x++) {
    for (size_t c = 0; c < w->in_c; c += VW) {
      const size_t count = w->in_c - c < VW ? w->in_c - c : VW;
      vf acc = load_n(w->bias + c, count);
      for (size_t ky = 0; ky < w->kernel_h; ky++) {
        const float *const *row = table + ky * columns + x * w->stride_w;
        const float *weights = w->weights + ky * w->kernel_w * w->in_c + c;
        for (size_t kx = 0; kx < w->kernel_w; kx++) {
          acc = madd(
              load_n(row[kx * w->dilation_w] + c, count), load_n(weights + kx * w->in_c, count), acc);
        }
      }
      if (residual) acc += load_n(residual + x * w->residual_stride + c, count);
      store_n(out + x * w->out_stride + c, clamp(acc, e->low, e->high), count);
    }
  }
}

#define FAST(SIZE, STRIDE) \
  NOINLINE void depthwise_row_##SIZE##s##STRIDE( \
      const sepal_window *w, const float *const *table, float *out, const float *residual, \
      const epilogue *e) { \
    depthwise_row(w, table, out, residual, e, SIZE, STRIDE); \
  }
FAST(3, 1)
FAST(3, 2)
FAST(5, 1)
FAST(5, 2)
#undef FAST

typedef void (*row_function)(
    const sepal_window *, const float *const *, float *, const float *, const epilogue *);

INLINE row_function depthwise_row_for(const sepal_window *w) {
  const bool fast = w->kernel_h == w->kernel_w && w->dilation_w == 1 && w->out_w >= OUTPUTS && w->in_c >= VW;
  if (fast && w->kernel_w == 3 && w->stride_w == 1) return depthwise_row_3s1;
  if (fast && w->kernel_w == 3 && w->stride_w == 2) return depthwise_row_3s2;
  if (fast && w->kernel_w == 5 && w->stride_w == 1) return depthwise_row_5s1;
  if (fast && w->kernel_w == 5 && w->stride_w == 2) return depthwise_row_5s2;
  return depthwise_row_any;
}

static void depthwise(const sepal_window *w, size_t begin, size_t end, void *scratch) {
  const float **table = scratch;
  const epilogue e = epilogue_of(w->activation);
  const row_function run = depthwise_row_for(w);
  for (size_t row = begin; row < end; row++) {
    float *out = w->output + row * w->out_w * w->out_stride;
    fill_table(w, row, table);
    run(w, table, out, w->residual ? w->residual + row * w->out_w * w->residual_stride : NULL, &e);
    if (e.stored) activate_rows(out, w->out_stride, w->out_w, w->in_c, w->activation);
  }
}
