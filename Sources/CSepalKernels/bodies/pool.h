// Pooling over blocked images.

// Outputs that are computed together where all their taps are inside.
enum { POOLED_TOGETHER = 4 };

INLINE vf larger(vf acc, vf v) {
  // The comparison keeps a NaN that either side holds.
  return acc >= v ? acc : acc != acc ? acc : v;
}

// `count` neighbouring outputs over the taps of a row that are inside for all of them.
INLINE void pool_taps(
    const sepal_strip *s, size_t block, size_t r, size_t x, tap_range taps, vf *acc, const size_t count,
    const bool average) {
  const ptrdiff_t first = (ptrdiff_t)(x * s->stride_w) - (ptrdiff_t)s->pad_left;
  UNROLL for (size_t o = 0; o < count; o++) acc[o] = splat(average ? 0.0f : -__builtin_inff());
  for (size_t ky = 0; ky < s->kernel_h; ky++) {
    const float *row = s->rows[r * s->kernel_h + ky];
    if (!row) continue;
    row += block * s->in_block;
    for (size_t kx = taps.begin; kx < taps.end; kx++) {
      const float *pixel = row + (first + (ptrdiff_t)(kx * s->dilation_w)) * VW;
      UNROLL for (size_t o = 0; o < count; o++) {
        const vf v = load(pixel + o * s->stride_w * VW);
        acc[o] = average ? acc[o] + v : larger(acc[o], v);
      }
    }
  }
}

typedef struct {
  const size_t *row_cells;
  bool include_pad;
  size_t counted_w;  // columns of the image with its padding
} pool_divisor;

INLINE void pool_store(
    const sepal_strip *s, size_t r, size_t x, tap_range taps, float *out, vf *acc, const size_t count,
    const pool_divisor *divisor) {
  for (size_t o = 0; o < count; o++) {
    vf v = acc[o];
    if (divisor) {
      const tap_range counted = divisor->include_pad
          ? taps_inside((ptrdiff_t)((x + o) * s->stride_w), s->kernel_w, s->dilation_w, divisor->counted_w)
          : taps;
      const size_t cells = divisor->row_cells[r] * (counted.end - counted.begin);
      v = cells ? v / splat((float)cells) : splat(0.0f);
    }
    store(out + (x + o) * VW, v);
  }
}

INLINE void pool(const sepal_strip *s, size_t block_begin, size_t block_end, const pool_divisor *divisor) {
  const output_range whole = outputs_inside(s);
  const tap_range all = {0, s->kernel_w};
  for (size_t b = block_begin; b < block_end; b++) {
    for (size_t r = 0; r < s->row_count; r++) {
      float *out = s->out[r] + b * s->out_block;
      vf acc[POOLED_TOGETHER];
      for (size_t x = 0; x < s->out_w;) {
        if (x >= whole.begin && x + POOLED_TOGETHER <= whole.end) {
          pool_taps(s, b, r, x, all, acc, POOLED_TOGETHER, divisor != NULL);
          pool_store(s, r, x, all, out, acc, POOLED_TOGETHER, divisor);
          x += POOLED_TOGETHER;
        } else {
          const ptrdiff_t first = (ptrdiff_t)(x * s->stride_w) - (ptrdiff_t)s->pad_left;
          const tap_range taps = taps_inside(first, s->kernel_w, s->dilation_w, s->in_w);
          pool_taps(s, b, r, x, taps, acc, 1, divisor != NULL);
          pool_store(s, r, x, taps, out, acc, 1, divisor);
          x += 1;
        }
      }
    }
  }
}

static void max_pool(const sepal_strip *s, size_t block_begin, size_t block_end) {
  pool(s, block_begin, block_end, NULL);
}

static void average_pool(
    const sepal_strip *s, const size_t *row_cells, bool include_pad, size_t pad_right, size_t block_begin,
    size_t block_end) {
  const pool_divisor divisor = {row_cells, include_pad, s->pad_left + s->in_w + pad_right};
  pool(s, block_begin, block_end, &divisor);
}

// Sums stretches of 64 pixels before adding them up: the error grows with the number of stretches, not of pixels.
static void global_average(
    float *dst, const float *src, size_t pixels, size_t block_begin, size_t block_end, size_t src_block) {
  enum { STRETCH = 64 };
  for (size_t b = block_begin; b < block_end; b++) {
    const float *block = src + b * src_block;
    vf total = splat(0.0f);
    for (size_t p0 = 0; p0 < pixels; p0 += STRETCH) {
      const size_t end = pixels - p0 < STRETCH ? pixels : p0 + STRETCH;
      vf sum[4] = {splat(0.0f), splat(0.0f), splat(0.0f), splat(0.0f)};
      size_t p = p0;
      for (; p + 4 <= end; p += 4) {
        UNROLL for (size_t i = 0; i < 4; i++) sum[i] += load(block + (p + i) * VW);
      }
      for (; p < end; p++) sum[0] += load(block + p * VW);
      total += (sum[0] + sum[1]) + (sum[2] + sum[3]);
    }
    store(dst + b * VW, total / splat((float)pixels));
  }
}
