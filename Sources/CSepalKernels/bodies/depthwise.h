// Depthwise convolution over blocked images.
//
// The square kernels of networks roll along an output row. A step takes the next `stride` input columns, adds each to
// the sums of all outputs whose windows it lies in, and finishes one output. So an input is loaded once for all its
// windows, and the left and right border need nothing of their own: the sum of a window begins as the bias whether its
// first columns are inside or not. Two output rows may roll together over the input rows that they share, which halves
// the loads and doubles the sums under way.
//
// An output adds up the columns of its window from left to right, each from top to bottom; the second column of a step
// is added up by itself first, to keep chains of additions short. Any other kernel adds row by row.

enum { ROLLED_MOST = 7 };

// Outputs whose windows are open during a step. So many steps make a turn, after which the sums are in their first
// registers again.
INLINE size_t open_windows(const size_t size, const size_t stride) { return (size + stride - 1) / stride; }

// Where the steps of a row are, in floats from the beginning of a block's input and output rows.
typedef struct {
  ptrdiff_t column, x;  // input column of the first step and the output that it finishes; may be outside
  ptrdiff_t x_end;
  size_t width;    // of the input
  ptrdiff_t turn;  // a turn from any column of [turn, turn + turns) is inside and finishes outputs throughout
  size_t turns;
} roll_path;

INLINE roll_path roll_path_of(const sepal_strip *s, const size_t size, const size_t stride) {
  // Step j takes columns j·stride − pad_left, … and finishes output j − last.
  const size_t last = open_windows(size, stride) - 1, steps = s->out_w + last;
  const size_t touching = s->pad_left / stride, inside = ceil_divide(s->pad_left, stride);
  const size_t leaving = (s->pad_left + s->in_w) / stride;
  const size_t first = touching < last ? touching : last, turn = inside < last ? last : inside;
  const size_t turn_end = leaving < steps ? leaving : steps;
  const ptrdiff_t pad = (ptrdiff_t)s->pad_left;
  roll_path path = {
      .column = ((ptrdiff_t)(first * stride) - pad) * VW,
      .x = ((ptrdiff_t)first - (ptrdiff_t)last) * VW,
      .x_end = (ptrdiff_t)s->out_w * VW,
      .width = s->in_w * VW,
      .turn = ((ptrdiff_t)(turn * stride) - pad) * VW,
      .turns = turn + last < turn_end ? (turn_end - last - turn) * stride * VW : 0,
  };
  return path;
}

// Adds column c of a step to the sums of `rows` output rows. `kernel` is the weights, where registers hold them.
INLINE void roll_column(
    vf sums[2][ROLLED_MOST], const float *const *in, ptrdiff_t column, const float *weights, const vf *kernel,
    const size_t c, const size_t rows, const size_t size, const size_t stride) {
  const size_t windows = open_windows(size - c, stride);
  vf own[2][ROLLED_MOST];
  UNROLL for (size_t ky = 0; ky < size; ky++) {
    vf x[2];
    UNROLL for (size_t r = 0; r < rows; r++) x[r] = load(in[ky + r * stride] + column);
    UNROLL for (size_t i = 0; i < windows; i++) {
      const size_t tap = ky * size + i * stride + c;
      const vf weight = kernel ? kernel[tap] : load(weights + tap * VW);
      UNROLL for (size_t r = 0; r < rows; r++) {
        if (c == 0) {
          sums[r][i] = madd(x[r], weight, sums[r][i]);
        } else {
          own[r][i] = ky == 0 ? x[r] * weight : madd(x[r], weight, own[r][i]);
        }
      }
    }
  }
  if (c == 0) return;
  UNROLL for (size_t r = 0; r < rows; r++) {
    UNROLL for (size_t i = 0; i < windows; i++) sums[r][i] += own[r][i];
  }
}

// Makes way for the next output. As a loop it would become a memmove and drag the sums out of their registers.
INLINE void shift_sums(vf *sums, vf bias, const size_t open) {
  if (open > 6) sums[6] = sums[5];
  if (open > 5) sums[5] = sums[4];
  if (open > 4) sums[4] = sums[3];
  if (open > 3) sums[3] = sums[2];
  if (open > 2) sums[2] = sums[1];
  if (open > 1) sums[1] = sums[0];
  sums[0] = bias;
}

// `rows` output rows of a block, from row r0.
INLINE void roll_rows(
    const sepal_strip *s, const roll_path *path, size_t block, size_t r0, const float *weights, const vf *kernel,
    vf bias, vf low, vf high, const sepal_activation_kind kind, const size_t rows, const size_t size,
    const size_t stride) {
  const size_t open = open_windows(size, stride);
  const float *in[ROLLED_MOST + 2];
  float *out[2];
  vf sums[2][ROLLED_MOST];
  UNROLL for (size_t r = 0; r < rows; r++) {
    out[r] = s->out[r0 + r] + block * s->out_block;
    UNROLL for (size_t ky = r ? size - stride : 0; ky < size; ky++) {
      const float *row = s->rows[(r0 + r) * size + ky];
      in[ky + r * stride] = row ? row + block * s->in_block : s->zeros;
    }
    UNROLL for (size_t i = 0; i < open; i++) sums[r][i] = bias;
  }
  ptrdiff_t column = path->column, x = path->x;
  while (x < path->x_end) {
    if ((size_t)(column - path->turn) < path->turns) {
      UNROLL for (size_t i = 0; i < open; i++) {
        UNROLL for (size_t c = 0; c < stride; c++) {
          const ptrdiff_t at = column + (ptrdiff_t)((i * stride + c) * VW);
          roll_column(sums, in, at, weights, kernel, c, rows, size, stride);
        }
        UNROLL for (size_t r = 0; r < rows; r++) {
          store(out[r] + x + i * VW, activated(sums[r][open - 1], kind, low, high));
          shift_sums(sums[r], bias, open);
        }
      }
      column += open * stride * VW;
      x += open * VW;
    } else {
      UNROLL for (size_t c = 0; c < stride; c++) {
        const ptrdiff_t at = column + (ptrdiff_t)(c * VW);
        if ((size_t)at < path->width) roll_column(sums, in, at, weights, kernel, c, rows, size, stride);
      }
      UNROLL for (size_t r = 0; r < rows; r++) {
        if (x >= 0) store(out[r] + x, activated(sums[r][open - 1], kind, low, high));
        shift_sums(sums[r], bias, open);
      }
      column += stride * VW;
      x += VW;
    }
  }
}

// Whether the input rows under each output row are those under the row above, `stride` further down.
INLINE bool rows_follow(const sepal_strip *s, const size_t size, const size_t stride) {
  for (size_t r = 1; r < s->row_count; r++) {
    for (size_t ky = stride; ky < size; ky++) {
      if (s->rows[(r - 1) * size + ky] != s->rows[r * size + ky - stride]) return false;
    }
  }
  return true;
}

// What registers did not do to `rows` output rows, while they are in L1.
NOINLINE void finish_rows(const sepal_strip *s, size_t block, size_t r0, size_t rows) {
  const epilogue e = epilogue_of(s->activation);
  const size_t n = s->out_w * VW;
  for (size_t r = r0; r < r0 + rows; r++) {
    float *out = s->out[r] + block * s->out_block;
    if (s->residual) {
      const float *residual = s->residual[r] + block * s->residual_block;
      for (size_t i = 0; i < n; i += VW) {
        store(out + i, clamp(load(out + i) + load(residual + i), e.low, e.high));
      }
    }
    if (e.stored) activate(out, out, n, s->activation);
  }
}

// The activation that registers apply: whatever comes after a residual is left to `finish_rows`.
INLINE sepal_activation registers_apply(const sepal_strip *s) {
  const sepal_activation none = {SEPAL_ACT_NONE, 0, 0};
  return s->residual ? none : s->activation;
}

// `kind` says how registers finish a value: CLAMP, which stands for NONE too, or HARD_SWISH.
INLINE void roll_blocks(
    const sepal_strip *strip, size_t begin, size_t end, const sepal_activation_kind kind, const size_t together,
    const size_t size, const size_t stride) {
  // A copy, of which the compiler knows that no store to the output changes it.
  const sepal_strip copy = *strip, *s = &copy;
  const epilogue e = epilogue_of(registers_apply(s));
  const bool finish = s->residual || (e.stored && kind != SEPAL_ACT_HARD_SWISH);
  const roll_path path = roll_path_of(s, size, stride);
  const bool pairs = together == 2 && rows_follow(s, size, stride);
  for (size_t b = begin; b < end; b++) {
    const float *weights = s->weights + b * size * size * VW;
    const vf bias = load(s->bias + b * VW);
    vf kernel[9];
    if (size == 3) {
      UNROLL for (size_t i = 0; i < 9; i++) kernel[i] = load(weights + i * VW);
    }
    const vf *held = size == 3 ? kernel : NULL;
    for (size_t r = 0, rows; r < s->row_count; r += rows) {
      rows = pairs && r + 2 <= s->row_count ? 2 : 1;
      if (rows == 2) {
        roll_rows(s, &path, b, r, weights, held, bias, e.low, e.high, kind, 2, size, stride);
      } else {
        roll_rows(s, &path, b, r, weights, held, bias, e.low, e.high, kind, 1, size, stride);
      }
      if (finish) finish_rows(strip, b, r, rows);
    }
  }
}

// Two rows together where sixteen registers are enough for their sums, and for 3×3 nearly enough for the weights.
#define ROLLED(SIZE, STRIDE, TOGETHER) \
  NOINLINE void depthwise_##SIZE##s##STRIDE(const sepal_strip *s, size_t begin, size_t end) { \
    roll_blocks(s, begin, end, SEPAL_ACT_CLAMP, TOGETHER, SIZE, STRIDE); \
  }
#define ROLLED_SWISH(SIZE, STRIDE, TOGETHER) \
  NOINLINE void depthwise_swish_##SIZE##s##STRIDE(const sepal_strip *s, size_t begin, size_t end) { \
    roll_blocks(s, begin, end, SEPAL_ACT_HARD_SWISH, TOGETHER, SIZE, STRIDE); \
  }
ROLLED(3, 1, 2)
ROLLED(3, 2, 1)
ROLLED(5, 1, 2)
ROLLED(5, 2, 2)
ROLLED(7, 1, 1)
ROLLED(7, 2, 1)
ROLLED_SWISH(3, 1, 2)
ROLLED_SWISH(3, 2, 1)
ROLLED_SWISH(5, 1, 2)
ROLLED_SWISH(5, 2, 2)
#undef ROLLED
#undef ROLLED_SWISH

// `count` neighbouring outputs from x of row r.
INLINE void depthwise_outputs(
    const sepal_strip *s, size_t block, size_t r, size_t x, const epilogue *e, const size_t count) {
  const tap_range all = {0, s->kernel_w}, taps = count > 1 ? all : window_taps(s, x);
  vf acc[NEIGHBOURS];
  UNROLL for (size_t o = 0; o < count; o++) acc[o] = load(s->bias + block * VW);
  fold_window(s, block, r, x, taps, acc, count, FOLD_PRODUCTS);
  float *out = s->out[r] + block * s->out_block + x * VW;
  UNROLL for (size_t o = 0; o < count; o++) store(out + o * VW, clamp(acc[o], e->low, e->high));
}

NOINLINE void depthwise_any(const sepal_strip *s, size_t begin, size_t end) {
  const epilogue e = epilogue_of(registers_apply(s));
  const output_range inside = outputs_inside(s);
  for (size_t b = begin; b < end; b++) {
    for (size_t r = 0; r < s->row_count; r++) {
      for (size_t x = 0, count; x < s->out_w; x += count) {
        count = neighbours_from(inside, x);
        switch (count) {
        case NEIGHBOURS: depthwise_outputs(s, b, r, x, &e, NEIGHBOURS); break;
        case FEW_NEIGHBOURS: depthwise_outputs(s, b, r, x, &e, FEW_NEIGHBOURS); break;
        default: depthwise_outputs(s, b, r, x, &e, 1);
        }
      }
      if (s->residual || e.stored) finish_rows(s, b, r, 1);
    }
  }
}

static void depthwise(const sepal_strip *s, size_t block_begin, size_t block_end) {
  typedef void (*function)(const sepal_strip *, size_t, size_t);
  static const function rolled[3][2][2] = {
      {{depthwise_3s1, depthwise_swish_3s1}, {depthwise_3s2, depthwise_swish_3s2}},
      {{depthwise_5s1, depthwise_swish_5s1}, {depthwise_5s2, depthwise_swish_5s2}},
      {{depthwise_7s1, depthwise_7s1}, {depthwise_7s2, depthwise_7s2}},
  };
  const size_t size = s->kernel_w, stride = s->stride_w;
  const bool swish = registers_apply(s).kind == SEPAL_ACT_HARD_SWISH;
  const bool rolls = s->kernel_h == size && (size == 3 || size == 5 || size == 7) && s->dilation_w == 1 && stride <= 2;
  (rolls ? rolled[size / 2 - 1][stride - 1][swish] : depthwise_any)(s, block_begin, block_end);
}
