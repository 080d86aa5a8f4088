// Depthwise convolution over blocked images. A few neighbouring outputs of one block are computed at a time, every tap
// being one multiply-add straight from memory; where the window leaves the image sideways, outputs are computed one by
// one over the taps inside. The order of additions is that of the taps in every case.

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

typedef struct {
  const float *const *rows;  // the window's rows of one block
  const float *weights, *residual;
  float *out;
  vf bias, low, high;
} depthwise_line;

// Outputs [x, x + count), all of whose taps are inside.
INLINE void depthwise_outputs(
    const sepal_strip *s, const depthwise_line *line, size_t x, const size_t count, const size_t kernel_h,
    const size_t kernel_w, const size_t stride, const size_t dilation) {
  vf acc[8];
  UNROLL for (size_t o = 0; o < count; o++) acc[o] = line->bias;
  const size_t first = (x * stride - s->pad_left) * VW;
  for (size_t ky = 0; ky < kernel_h; ky++) {
    const float *row = line->rows[ky] + first;
    for (size_t kx = 0; kx < kernel_w; kx++) {
      const vf weight = load(line->weights + (ky * kernel_w + kx) * VW);
      UNROLL for (size_t o = 0; o < count; o++) {
        acc[o] = madd(load(row + (o * stride + kx * dilation) * VW), weight, acc[o]);
      }
    }
  }
  if (line->residual) {
    UNROLL for (size_t o = 0; o < count; o++) acc[o] += load(line->residual + (x + o) * VW);
  }
  UNROLL for (size_t o = 0; o < count; o++) store(line->out + (x + o) * VW, clamp(acc[o], line->low, line->high));
}

// One output over the taps [begin, end) of each kernel row.
INLINE void depthwise_border(
    const sepal_strip *s, const depthwise_line *line, size_t x, size_t begin, size_t end, const size_t kernel_h,
    const size_t kernel_w, const size_t stride, const size_t dilation) {
  vf acc = line->bias;
  const ptrdiff_t first = (ptrdiff_t)(x * stride) - (ptrdiff_t)s->pad_left;
  for (size_t ky = 0; ky < kernel_h; ky++) {
    for (size_t kx = begin; kx < end; kx++) {
      const float *pixel = line->rows[ky] + (first + (ptrdiff_t)(kx * dilation)) * VW;
      acc = madd(load(pixel), load(line->weights + (ky * kernel_w + kx) * VW), acc);
    }
  }
  if (line->residual) acc += load(line->residual + x * VW);
  store(line->out + x * VW, clamp(acc, line->low, line->high));
}

INLINE void depthwise_line_of(
    const sepal_strip *s, const depthwise_line *line, const size_t kernel_h, const size_t kernel_w,
    const size_t stride, const size_t dilation) {
  // Outputs [left, right) have all their taps inside.
  const size_t reach = (kernel_w - 1) * dilation;
  size_t left = ceil_divide(s->pad_left, stride);
  size_t right = s->in_w + s->pad_left > reach ? (s->in_w + s->pad_left - reach - 1) / stride + 1 : 0;
  if (right > s->out_w) right = s->out_w;
  if (left > right) left = right;
  for (size_t x = 0; x < s->out_w; x++) {
    if (x == left) {
      for (; x + 8 <= right; x += 8) depthwise_outputs(s, line, x, 8, kernel_h, kernel_w, stride, dilation);
      if (x + 4 <= right) {
        depthwise_outputs(s, line, x, 4, kernel_h, kernel_w, stride, dilation);
        x += 4;
      }
      for (; x < right; x++) depthwise_outputs(s, line, x, 1, kernel_h, kernel_w, stride, dilation);
      if (x == s->out_w) break;
    }
    const tap_range taps =
        taps_inside((ptrdiff_t)(x * stride) - (ptrdiff_t)s->pad_left, kernel_w, dilation, s->in_w);
    depthwise_border(s, line, x, taps.begin, taps.end, kernel_h, kernel_w, stride, dilation);
  }
}

#define LINE(SIZE, STRIDE) \
  NOINLINE void depthwise_line_##SIZE##s##STRIDE(const sepal_strip *s, const depthwise_line *line) { \
    depthwise_line_of(s, line, SIZE, SIZE, STRIDE, 1); \
  }
LINE(3, 1)
LINE(3, 2)
LINE(5, 1)
LINE(5, 2)
#undef LINE

NOINLINE void depthwise_line_any(const sepal_strip *s, const depthwise_line *line) {
  depthwise_line_of(s, line, s->kernel_h, s->kernel_w, s->stride_w, s->dilation_w);
}

typedef void (*line_function)(const sepal_strip *, const depthwise_line *);

INLINE line_function depthwise_line_for(const sepal_strip *s) {
  const bool square = s->kernel_h == s->kernel_w && s->dilation_w == 1;
  if (square && s->kernel_w == 3 && s->stride_w == 1) return depthwise_line_3s1;
  if (square && s->kernel_w == 3 && s->stride_w == 2) return depthwise_line_3s2;
  if (square && s->kernel_w == 5 && s->stride_w == 1) return depthwise_line_5s1;
  if (square && s->kernel_w == 5 && s->stride_w == 2) return depthwise_line_5s2;
  return depthwise_line_any;
}

static void depthwise(const sepal_strip *s, size_t block_begin, size_t block_end) {
  const epilogue e = epilogue_of(s->activation);
  const line_function run = depthwise_line_for(s);
  for (size_t b = block_begin; b < block_end; b++) {
    for (size_t r = 0; r < s->row_count; r++) {
      const float *rows[SEPAL_KERNEL_ROWS];
      for (size_t ky = 0; ky < s->kernel_h; ky++) {
        const float *row = s->rows[r * s->kernel_h + ky];
        rows[ky] = row ? row + b * s->in_block : s->zeros;
      }
      const depthwise_line line = {
          .rows = rows, .weights = s->weights + b * s->kernel_h * s->kernel_w * VW,
          .residual = s->residual ? s->residual[r] + b * s->residual_block : NULL,
          .out = s->out[r] + b * s->out_block, .bias = load(s->bias + b * VW), .low = e.low, .high = e.high,
      };
      run(s, &line);
      if (e.stored) activate(line.out, line.out, s->out_w * VW, s->activation);
    }
  }
}
