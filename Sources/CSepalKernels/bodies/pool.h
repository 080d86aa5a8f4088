static void max_pool(const sepal_strip *s, size_t block_begin, size_t block_end) {
  for (size_t b = block_begin; b < block_end; b++) {
    for (size_t r = 0; r < s->row_count; r++) {
      for (size_t x = 0; x < s->out_w; x++) {
        vf acc = splat(-__builtin_inff());
        for (size_t ky = 0; ky < s->kernel_h; ky++) {
          const float *row = s->rows[r * s->kernel_h + ky];
          if (!row) continue;
          for (size_t kx = 0; kx < s->kernel_w; kx++) {
            const ptrdiff_t at = (ptrdiff_t)(x * s->stride_w + kx * s->dilation_w) - (ptrdiff_t)s->pad_left;
            if (at < 0 || (size_t)at >= s->in_w) continue;
            const vf v = load(row + b * s->in_block + (size_t)at * VW);
            acc = acc >= v ? acc : acc != acc ? acc : v;
          }
        }
        store(s->out[r] + b * s->out_block + x * VW, acc);
      }
    }
  }
}
static void average_pool(const sepal_strip *s, const size_t *row_cells, bool include_pad, size_t pad_right, size_t block_begin, size_t block_end) {
  for (size_t b = block_begin; b < block_end; b++) {
    for (size_t r = 0; r < s->row_count; r++) {
      for (size_t x = 0; x < s->out_w; x++) {
        vf acc = splat(0);
        size_t columns = 0;
        for (size_t kx = 0; kx < s->kernel_w; kx++) {
          const ptrdiff_t at = (ptrdiff_t)(x * s->stride_w + kx * s->dilation_w) - (ptrdiff_t)s->pad_left;
          const bool inside = at >= 0 && (size_t)at < s->in_w;
          columns += inside || (include_pad && at < (ptrdiff_t)(s->in_w + pad_right));
          if (!inside) continue;
          for (size_t ky = 0; ky < s->kernel_h; ky++) {
            const float *row = s->rows[r * s->kernel_h + ky];
            if (row) acc += load(row + b * s->in_block + (size_t)at * VW);
          }
        }
        const size_t cells = columns * row_cells[r];
        store(s->out[r] + b * s->out_block + x * VW, cells ? acc / splat((float)cells) : splat(0));
      }
    }
  }
}
static void global_average(float *dst, const float *src, size_t pixels, size_t block_begin, size_t block_end, size_t src_block) {
  enum { STRETCH = 64 };
  for (size_t b = block_begin; b < block_end; b++) {
    vf total = splat(0.0f);
    for (size_t p0 = 0; p0 < pixels; p0 += STRETCH) {
      const size_t end = pixels - p0 < STRETCH ? pixels : p0 + STRETCH;
      vf sum = splat(0.0f);
      for (size_t p = p0; p < end; p++) sum += load(src + b * src_block + p * VW);
      total += sum;
    }
    store(dst + b * VW, total / splat((float)pixels));
  }
}
