// Pooling, vectorised over channels.

typedef struct {
  size_t begin, end;  // kernel positions whose tap is inside the image
} tap_range;

// Positions i of `kernel` with 0 ≤ origin + i·dilation < extent.
INLINE tap_range taps_inside(ptrdiff_t origin, size_t kernel, size_t dilation, size_t extent) {
  const size_t begin = origin < 0 ? ceil_divide((size_t)-origin, dilation) : 0;
  const ptrdiff_t room = (ptrdiff_t)extent - origin;
  const size_t end = room > 0 ? ceil_divide((size_t)room, dilation) : 0;
  tap_range range = {begin < kernel ? begin : kernel, end < kernel ? end : kernel};
  if (range.end < range.begin) range.end = range.begin;
  return range;
}

INLINE void pool_row(
    const sepal_window *w, size_t row, const bool average, bool include_pad, size_t pad_bottom,
    size_t pad_right) {
  const float *image = w->input + row / w->out_h * w->in_h * w->in_w * w->in_stride;
  const ptrdiff_t top = (ptrdiff_t)(row % w->out_h * w->stride_h) - (ptrdiff_t)w->pad_top;
  const tap_range rows = taps_inside(top, w->kernel_h, w->dilation_h, w->in_h);
  const tap_range padded_rows = taps_inside(
      top + (ptrdiff_t)w->pad_top, w->kernel_h, w->dilation_h, w->pad_top + w->in_h + pad_bottom);
  for (size_t x = 0; x < w->out_w; x++) {
    const ptrdiff_t left = (ptrdiff_t)(x * w->stride_w) - (ptrdiff_t)w->pad_left;
    const tap_range columns = taps_inside(left, w->kernel_w, w->dilation_w, w->in_w);
    const tap_range padded_columns = taps_inside(
        left + (ptrdiff_t)w->pad_left, w->kernel_w, w->dilation_w, w->pad_left + w->in_w + pad_right);
    const size_t cells = include_pad
        ? (padded_rows.end - padded_rows.begin) * (padded_columns.end - padded_columns.begin)
        : (rows.end - rows.begin) * (columns.end - columns.begin);
    float *out = w->output + (row * w->out_w + x) * w->out_stride;
    for (size_t c = 0; c < w->in_c; c += VW) {
      const size_t count = w->in_c - c < VW ? w->in_c - c : VW;
      vf acc = splat(average ? 0.0f : -__builtin_inff());
      for (size_t ky = rows.begin; ky < rows.end; ky++) {
        const size_t y = (size_t)(top + (ptrdiff_t)(ky * w->dilation_h));
        for (size_t kx = columns.begin; kx < columns.end; kx++) {
          const size_t at = (size_t)(left + (ptrdiff_t)(kx * w->dilation_w));
          const vf v = load_n(image + (y * w->in_w + at) * w->in_stride + c, count);
          // The comparison keeps a NaN that either side holds.
          acc = average ? acc + v : (acc >= v ? acc : acc != acc ? acc : v);
        }
      }
      if (average) acc = cells ? acc / splat((float)cells) : splat(0.0f);
      store_n(out + c, acc, count);
    }
    if (w->activation.kind != SEPAL_ACT_NONE) activate(out, out, w->in_c, w->activation);
  }
}

static void max_pool(const sepal_window *w, size_t begin, size_t end) {
  for (size_t row = begin; row < end; row++) pool_row(w, row, false, false, 0, 0);
}

static void average_pool(
    const sepal_window *w, bool include_pad, size_t pad_bottom, size_t pad_right, size_t begin, size_t end) {
  for (size_t row = begin; row < end; row++) pool_row(w, row, true, include_pad, pad_bottom, pad_right);
}

// Sums stretches of 64 pixels before adding them up: the error grows with the number of stretches, not of pixels.
static void global_average(float *dst, const float *src, size_t pixels, size_t channels, size_t stride) {
  enum { STRETCH = 64 };
  for (size_t c = 0; c < channels; c += VW) {
    const size_t count = channels - c < VW ? channels - c : VW;
    vf total = splat(0.0f);
    for (size_t p0 = 0; p0 < pixels; p0 += STRETCH) {
      const size_t end = pixels - p0 < STRETCH ? pixels : p0 + STRETCH;
      vf sum = splat(0.0f);
      for (size_t p = p0; p < end; p++) sum += load_n(src + p * stride + c, count);
      total += sum;
    }
    store_n(dst + c, total / splat((float)pixels), count);
  }
}
