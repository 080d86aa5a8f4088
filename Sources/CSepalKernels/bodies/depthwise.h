// Depthwise convolution over blocked images.
//
// An output row is divided into tiles of up to eight outputs. A tile is computed for all rows of the strip before the
// next, so that its weights stay close and the rows overlap. Where the window leaves the image sideways, the taps
// outside are left out at compile time: one variant of a tile for each number of missing columns on either side.
// Kernels and borders without variants go over whatever taps are inside. Additions are in the order of the taps in
// every case.

enum { TILE_OUTPUTS = 8, TILE_OUTPUTS_LEAST = 4, ROWS_TOGETHER = 8 };

// Tile [x, x + count) of a block in rows [begin, end): `left` and `right` input columns of its windows are outside.
INLINE void depthwise_tile(
    const sepal_strip *s, size_t block, size_t x, size_t begin, size_t end, vf low, vf high, const size_t count,
    const size_t left, const size_t right, const size_t size, const size_t stride) {
  const float *weights = s->weights + block * size * size * VW;
  const vf bias = load(s->bias + block * VW);
  const ptrdiff_t first = ((ptrdiff_t)(x * stride) - (ptrdiff_t)s->pad_left) * VW;
  for (size_t r = begin; r < end; r++) {
    vf acc[TILE_OUTPUTS];
    UNROLL for (size_t o = 0; o < count; o++) acc[o] = bias;
    UNROLL for (size_t ky = 0; ky < size; ky++) {
      const float *row = s->rows[r * size + ky];
      row = (row ? row + block * s->in_block : s->zeros) + first;
      UNROLL for (size_t kx = 0; kx < size; kx++) {
        const vf weight = load(weights + (ky * size + kx) * VW);
        UNROLL for (size_t o = 0; o < count; o++) {
          const size_t column = o * stride + kx;
          if (column >= left && column < (count - 1) * stride + size - right) {
            acc[o] = madd(load(row + column * VW), weight, acc[o]);
          }
        }
      }
    }
    if (s->residual) {
      const float *residual = s->residual[r] + block * s->residual_block + x * VW;
      UNROLL for (size_t o = 0; o < count; o++) acc[o] += load(residual + o * VW);
    }
    float *out = s->out[r] + block * s->out_block + x * VW;
    UNROLL for (size_t o = 0; o < count; o++) store(out + o * VW, clamp(acc[o], low, high));
  }
}

typedef void (*tile_function)(
    const sepal_strip *, size_t block, size_t x, size_t begin, size_t end, vf low, vf high);

#define TILE(SIZE, STRIDE, COUNT, LEFT, RIGHT) \
  NOINLINE void depthwise_##SIZE##s##STRIDE##_##COUNT##_##LEFT##_##RIGHT( \
      const sepal_strip *s, size_t block, size_t x, size_t begin, size_t end, vf low, vf high) { \
    depthwise_tile(s, block, x, begin, end, low, high, COUNT, LEFT, RIGHT, SIZE, STRIDE); \
  }
#define ENTRY(SIZE, STRIDE, COUNT, LEFT, RIGHT) \
  [COUNT - TILE_OUTPUTS_LEAST][LEFT][RIGHT] = depthwise_##SIZE##s##STRIDE##_##COUNT##_##LEFT##_##RIGHT,
#define COUNTS(T, SIZE, STRIDE, LEFT, RIGHT) \
  T(SIZE, STRIDE, 4, LEFT, RIGHT) T(SIZE, STRIDE, 5, LEFT, RIGHT) T(SIZE, STRIDE, 6, LEFT, RIGHT) \
  T(SIZE, STRIDE, 7, LEFT, RIGHT) T(SIZE, STRIDE, 8, LEFT, RIGHT)
#define SIDES_1(T, SIZE, STRIDE) \
  COUNTS(T, SIZE, STRIDE, 0, 0) COUNTS(T, SIZE, STRIDE, 0, 1) COUNTS(T, SIZE, STRIDE, 1, 0) \
  COUNTS(T, SIZE, STRIDE, 1, 1)
#define SIDES_2(T, SIZE, STRIDE) \
  SIDES_1(T, SIZE, STRIDE) COUNTS(T, SIZE, STRIDE, 0, 2) COUNTS(T, SIZE, STRIDE, 1, 2) \
  COUNTS(T, SIZE, STRIDE, 2, 0) COUNTS(T, SIZE, STRIDE, 2, 1) COUNTS(T, SIZE, STRIDE, 2, 2)

SIDES_1(TILE, 3, 1)
SIDES_1(TILE, 3, 2)
SIDES_2(TILE, 5, 1)
SIDES_2(TILE, 5, 2)

enum { TILE_COUNTS = TILE_OUTPUTS - TILE_OUTPUTS_LEAST + 1, TILE_SIDES = 3 };
typedef tile_function tile_table[TILE_COUNTS][TILE_SIDES][TILE_SIDES];
static const tile_table depthwise_3s1 = {SIDES_1(ENTRY, 3, 1)};
static const tile_table depthwise_3s2 = {SIDES_1(ENTRY, 3, 2)};
static const tile_table depthwise_5s1 = {SIDES_2(ENTRY, 5, 1)};
static const tile_table depthwise_5s2 = {SIDES_2(ENTRY, 5, 2)};

#undef TILE
#undef ENTRY
#undef COUNTS
#undef SIDES_1
#undef SIDES_2

INLINE const tile_table *tile_table_for(const sepal_strip *s) {
  if (s->kernel_h != s->kernel_w || s->dilation_w != 1) return NULL;
  if (s->kernel_w == 3 && s->stride_w == 1) return &depthwise_3s1;
  if (s->kernel_w == 3 && s->stride_w == 2) return &depthwise_3s2;
  if (s->kernel_w == 5 && s->stride_w == 1) return &depthwise_5s1;
  if (s->kernel_w == 5 && s->stride_w == 2) return &depthwise_5s2;
  return NULL;
}

// `count` neighbouring outputs over the taps of a row that are inside for all of them.
INLINE void depthwise_taps(
    const sepal_strip *s, size_t block, size_t r, size_t x, tap_range taps, vf low, vf high, const size_t count) {
  const ptrdiff_t first = (ptrdiff_t)(x * s->stride_w) - (ptrdiff_t)s->pad_left;
  vf acc[TILE_OUTPUTS];
  UNROLL for (size_t o = 0; o < count; o++) acc[o] = load(s->bias + block * VW);
  for (size_t ky = 0; ky < s->kernel_h; ky++) {
    const float *row = s->rows[r * s->kernel_h + ky];
    if (!row) continue;
    row += block * s->in_block;
    const float *weights = s->weights + (block * s->kernel_h + ky) * s->kernel_w * VW;
    for (size_t kx = taps.begin; kx < taps.end; kx++) {
      const float *pixel = row + (first + (ptrdiff_t)(kx * s->dilation_w)) * VW;
      const vf weight = load(weights + kx * VW);
      UNROLL for (size_t o = 0; o < count; o++) acc[o] = madd(load(pixel + o * s->stride_w * VW), weight, acc[o]);
    }
  }
  float *out = s->out[r] + block * s->out_block + x * VW;
  UNROLL for (size_t o = 0; o < count; o++) {
    if (s->residual) acc[o] += load(s->residual[r] + block * s->residual_block + (x + o) * VW);
    store(out + o * VW, clamp(acc[o], low, high));
  }
}

// Kernels and borders without variants.
NOINLINE void depthwise_any(const sepal_strip *s, size_t block, size_t begin, size_t end, vf low, vf high) {
  const output_range whole = outputs_inside(s);
  const size_t left = whole.begin, right = whole.end;
  const tap_range all = {0, s->kernel_w};
  for (size_t r = begin; r < end; r++) {
    for (size_t x = 0; x < s->out_w;) {
      const size_t inside = x >= left && x < right ? right - x : 0;
      if (inside >= TILE_OUTPUTS) {
        depthwise_taps(s, block, r, x, all, low, high, TILE_OUTPUTS);
        x += TILE_OUTPUTS;
      } else if (inside >= TILE_OUTPUTS_LEAST) {
        depthwise_taps(s, block, r, x, all, low, high, TILE_OUTPUTS_LEAST);
        x += TILE_OUTPUTS_LEAST;
      } else {
        const ptrdiff_t first = (ptrdiff_t)(x * s->stride_w) - (ptrdiff_t)s->pad_left;
        depthwise_taps(s, block, r, x, taps_inside(first, s->kernel_w, s->dilation_w, s->in_w), low, high, 1);
        x += 1;
      }
    }
  }
}

// A whole number of tiles, as equal as can be, whose border columns have variants; 0 where there is none.
INLINE size_t tile_count(const sepal_strip *s, size_t right) {
  const size_t most = s->kernel_w / 2;
  const size_t tiles = ceil_divide(s->out_w, TILE_OUTPUTS);
  return s->pad_left <= most && right <= most && s->out_w / tiles >= TILE_OUTPUTS_LEAST ? tiles : 0;
}

static void depthwise(const sepal_strip *s, size_t block_begin, size_t block_end) {
  const epilogue e = epilogue_of(s->activation);
  // Input columns that the last window misses.
  const size_t needed = (s->out_w - 1) * s->stride_w + s->kernel_w;
  const size_t right = needed > s->pad_left + s->in_w ? needed - s->pad_left - s->in_w : 0;
  const tile_table *table = tile_table_for(s);
  const size_t tiles = table ? tile_count(s, right) : 0;
  for (size_t b = block_begin; b < block_end; b++) {
    for (size_t r0 = 0; r0 < s->row_count; r0 += ROWS_TOGETHER) {
      const size_t r1 = s->row_count - r0 < ROWS_TOGETHER ? s->row_count : r0 + ROWS_TOGETHER;
      if (!tiles) depthwise_any(s, b, r0, r1, e.low, e.high);
      for (size_t i = 0; i < tiles; i++) {
        const size_t x = i * s->out_w / tiles, count = (i + 1) * s->out_w / tiles - x;
        (*table)[count - TILE_OUTPUTS_LEAST][i == 0 ? s->pad_left : 0][i + 1 == tiles ? right : 0](
            s, b, x, r0, r1, e.low, e.high);
      }
      if (e.stored) {
        for (size_t r = r0; r < r1; r++) {
          float *out = s->out[r] + b * s->out_block;
          activate(out, out, s->out_w * VW, s->activation);
        }
      }
    }
  }
}
