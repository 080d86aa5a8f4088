// Pooling over blocked images.

INLINE vf larger(vf acc, vf v) {
  // The comparison keeps a NaN that either side holds.
  return acc >= v ? acc : acc != acc ? acc : v;
}

INLINE vf pooled(const sepal_strip *s, size_t block, size_t r, size_t x, tap_range taps, const bool average) {
  const ptrdiff_t first = (ptrdiff_t)(x * s->stride_w) - (ptrdiff_t)s->pad_left;
  vf acc = splat(average ? 0.0f : -__builtin_inff());
  for (size_t ky = 0; ky < s->kernel_h; ky++) {
    const float *row = s->rows[r * s->kernel_h + ky];
    if (!row) continue;
    row += block * s->in_block;
    for (size_t kx = taps.begin; kx < taps.end; kx++) {
      const vf v = load(row + (first + (ptrdiff_t)(kx * s->dilation_w)) * VW);
      acc = average ? acc + v : larger(acc, v);
    }
  }
  return acc;
}

static void max_pool(const sepal_strip *s, size_t block_begin, size_t block_end) {
  for (size_t b = block_begin; b < block_end; b++) {
    for (size_t r = 0; r < s->row_count; r++) {
      float *out = s->out[r] + b * s->out_block;
      for (size_t x = 0; x < s->out_w; x++) {
        const ptrdiff_t first = (ptrdiff_t)(x * s->stride_w) - (ptrdiff_t)s->pad_left;
        const tap_range taps = taps_inside(first, s->kernel_w, s->dilation_w, s->in_w);
        store(out + x * VW, pooled(s, b, r, x, taps, false));
      }
    }
  }
}

static void average_pool(
    const sepal_strip *s, const size_t *row_cells, bool include_pad, size_t pad_right, size_t block_begin,
    size_t block_end) {
  const size_t counted_w = s->pad_left + s->in_w + pad_right;
  for (size_t b = block_begin; b < block_end; b++) {
    for (size_t r = 0; r < s->row_count; r++) {
      float *out = s->out[r] + b * s->out_block;
      for (size_t x = 0; x < s->out_w; x++) {
        const ptrdiff_t first = (ptrdiff_t)(x * s->stride_w) - (ptrdiff_t)s->pad_left;
        const tap_range taps = taps_inside(first, s->kernel_w, s->dilation_w, s->in_w);
        const tap_range counted = include_pad
            ? taps_inside((ptrdiff_t)(x * s->stride_w), s->kernel_w, s->dilation_w, counted_w)
            : taps;
        const size_t cells = row_cells[r] * (counted.end - counted.begin);
        const vf sum = pooled(s, b, r, x, taps, true);
        store(out + x * VW, cells ? sum / splat((float)cells) : splat(0.0f));
      }
    }
  }
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
