// Pooling over blocked images.

// What an average divides by: row_cells[row] times the window columns inside the image, or inside the padded image.
typedef struct {
  const size_t *row_cells;
  bool include_pad;
  size_t padded_w;
} pool_divisor;

INLINE size_t cells_under(const sepal_strip *s, const pool_divisor *d, size_t r, size_t x, tap_range taps) {
  if (d->include_pad) {
    taps = taps_inside((ptrdiff_t)(x * s->stride_w), s->kernel_w, s->dilation_w, d->padded_w);
  }
  return d->row_cells[r] * (taps.end - taps.begin);
}

// `count` neighbouring outputs, which count equally many cells: the maximum without a divisor.
INLINE void pool_outputs(
    const sepal_strip *s, size_t block, size_t r, size_t x, const pool_divisor *divisor, const size_t count) {
  const tap_range all = {0, s->kernel_w}, taps = count > 1 ? all : window_taps(s, x);
  vf acc[NEIGHBOURS];
  UNROLL for (size_t o = 0; o < count; o++) acc[o] = splat(divisor ? 0.0f : -__builtin_inff());
  fold_window(s, block, r, x, taps, acc, count, divisor ? FOLD_SUM : FOLD_MAX);
  if (divisor) {
    const size_t cells = cells_under(s, divisor, r, x, taps);
    UNROLL for (size_t o = 0; o < count; o++) acc[o] = cells ? acc[o] / splat((float)cells) : splat(0.0f);
  }
  float *out = s->out[r] + block * s->out_block + x * VW;
  UNROLL for (size_t o = 0; o < count; o++) store(out + o * VW, acc[o]);
}

INLINE void pool(const sepal_strip *s, const pool_divisor *divisor, size_t begin, size_t end) {
  const output_range inside = outputs_inside(s);
  for (size_t b = begin; b < end; b++) {
    for (size_t r = 0; r < s->row_count; r++) {
      for (size_t x = 0, count; x < s->out_w; x += count) {
        count = neighbours_from(inside, x);
        switch (count) {
        case NEIGHBOURS: pool_outputs(s, b, r, x, divisor, NEIGHBOURS); break;
        case FEW_NEIGHBOURS: pool_outputs(s, b, r, x, divisor, FEW_NEIGHBOURS); break;
        default: pool_outputs(s, b, r, x, divisor, 1);
        }
      }
    }
  }
}

static void max_pool(const sepal_strip *s, size_t block_begin, size_t block_end) {
  pool(s, NULL, block_begin, block_end);
}

static void average_pool(
    const sepal_strip *s, const size_t *row_cells, bool include_pad, size_t pad_right, size_t block_begin,
    size_t block_end) {
  const pool_divisor divisor = {row_cells, include_pad, s->pad_left + s->in_w + pad_right};
  pool(s, &divisor, block_begin, block_end);
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
