// 3×3 convolutions with stride 1 by Winograd's F(t×t, 3×3): a tile of t×t output pixels comes from a patch of
// (t + 2)×(t + 2) input pixels by way of as many products a channel: 36 where the sum over taps of a tile of 4×4 takes
// 144, and 16 where that of 2×2 takes 36.
//
// Patch and kernel are polynomials along both axes: evaluated at a point each way, multiplied there, and interpolated.
// The points are 0, ±1, ∞ for tiles of 2 and 0, ±A, ±B, ∞ for tiles of 4. A = 5/8 and B = 3/2 lose the least of the
// pairs of short fractions: on random data twice what the sum over taps loses, where A = 1 and B = 2 lose four times
// as much. The coefficients below are exact in single precision.

#define WINOGRAD_A 0.625f
#define WINOGRAD_B 1.5f

enum { TILE_MAX = 4, PATCH_MAX = TILE_MAX + 2 };

// A patch's line at the points: at each finite one times the product of its distances from the others.
INLINE void to_points(vf out[PATCH_MAX], const vf in[PATCH_MAX], const size_t t) {
  if (t == 2) {
    out[0] = in[2] - in[0];
    out[1] = in[2] + in[1];
    out[2] = in[2] - in[1];
    out[3] = in[3] - in[1];
    return;
  }
  const vf a = splat(WINOGRAD_A), b = splat(WINOGRAD_B);
  const vf a2 = splat(-WINOGRAD_A * WINOGRAD_A), b2 = splat(-WINOGRAD_B * WINOGRAD_B);
  const vf product = splat(WINOGRAD_A * WINOGRAD_A * WINOGRAD_B * WINOGRAD_B);
  const vf sum = splat(-WINOGRAD_A * WINOGRAD_A - WINOGRAD_B * WINOGRAD_B);
  const vf even_a = madd(b2, in[2], in[4]), odd_a = madd(b2, in[1], in[3]);
  const vf even_b = madd(a2, in[2], in[4]), odd_b = madd(a2, in[1], in[3]);
  out[0] = madd(product, in[0], madd(sum, in[2], in[4]));
  out[1] = madd(a, odd_a, even_a);
  out[2] = madd(-a, odd_a, even_a);
  out[3] = madd(b, odd_b, even_b);
  out[4] = madd(-b, odd_b, even_b);
  out[5] = madd(product, in[1], madd(sum, in[3], in[5]));
}

// A tile's line from the products at the points.
INLINE void from_points(vf out[TILE_MAX], const vf in[PATCH_MAX], const size_t t) {
  if (t == 2) {
    out[0] = in[0] + (in[1] + in[2]);
    out[1] = in[3] + (in[1] - in[2]);
    return;
  }
  const vf a = splat(WINOGRAD_A), b = splat(WINOGRAD_B);
  const vf a2 = splat(WINOGRAD_A * WINOGRAD_A), b2 = splat(WINOGRAD_B * WINOGRAD_B);
  const vf even_a = in[1] + in[2], odd_a = a * (in[1] - in[2]);
  const vf even_b = in[3] + in[4], odd_b = b * (in[3] - in[4]);
  out[0] = in[0] + (even_a + even_b);
  out[1] = odd_a + odd_b;
  out[2] = madd(b2, even_b, a2 * even_a);
  out[3] = madd(b2, odd_b, madd(a2, odd_a, in[5]));
}

// Tiles that follow each other in a row of one image.
typedef struct {
  size_t image, y, x;  // x and y: of the first output pixel
  size_t count;
} tile_stretch;

INLINE tile_stretch stretch_at(const sepal_winograd *w, size_t tile, size_t end, size_t longest) {
  const size_t across = ceil_divide(w->out_w, w->tile), down = ceil_divide(w->out_h, w->tile);
  const size_t row = tile / across, column = tile % across;
  size_t count = across - column < end - tile ? across - column : end - tile;
  count = count < longest ? count : longest;
  tile_stretch s = {row / down, row % down * w->tile, column * w->tile, count};
  return s;
}

enum { STRETCH_MAX = 8 };

// Down the columns first, so that what neighbouring patches share is computed once.
INLINE void stretch_to_points(
    const sepal_winograd *w, const float *in, tile_stretch s, float *points, const size_t t, const bool inside) {
  const size_t patch = t + 2;
  vf lines[PATCH_MAX][STRETCH_MAX * TILE_MAX + 2];
  for (size_t i = 0; i < s.count * t + 2; i++) {
    // What is before the image wraps around, and so is beyond its end too.
    const size_t x = s.x + i - w->pad_left;
    vf column[PATCH_MAX], at_points[PATCH_MAX];
    UNROLL for (size_t j = 0; j < patch; j++) {
      const size_t y = s.y + j - w->pad_top;
      const bool is_image = inside || (x < w->in_w && y < w->in_h);
      column[j] = is_image ? load(in + (y * w->in_w + x) * VW) : splat(0.0f);
    }
    to_points(at_points, column, t);
    UNROLL for (size_t j = 0; j < patch; j++) lines[j][i] = at_points[j];
  }
  for (size_t tile = 0; tile < s.count; tile++) {
    UNROLL for (size_t j = 0; j < patch; j++) {
      vf at_points[PATCH_MAX];
      to_points(at_points, &lines[j][tile * t], t);
      UNROLL for (size_t i = 0; i < patch; i++) {
        store(points + (j * patch + i) * w->matrix + tile * VW, at_points[i]);
      }
    }
  }
}

static void winograd_input(
    const sepal_winograd *w, float *points, size_t tile_begin, size_t tile_end, size_t block_begin,
    size_t block_end) {
  for (size_t block = block_begin; block < block_end; block++) {
    tile_stretch s;
    for (size_t tile = tile_begin; tile < tile_end; tile += s.count) {
      s = stretch_at(w, tile, tile_end, STRETCH_MAX);
      const float *in = w->in + s.image * w->in_image + block * w->in_block;
      float *to = points + (block - block_begin) * w->block + (tile - tile_begin) * VW;
      const bool inside = s.x >= w->pad_left && s.x + s.count * w->tile + 2 <= w->in_w + w->pad_left &&
          s.y >= w->pad_top && s.y + w->tile + 2 <= w->in_h + w->pad_top;
      if (w->tile == 2) {
        inside ? stretch_to_points(w, in, s, to, 2, true) : stretch_to_points(w, in, s, to, 2, false);
      } else {
        inside ? stretch_to_points(w, in, s, to, 4, true) : stretch_to_points(w, in, s, to, 4, false);
      }
    }
  }
}

typedef struct {
  const sepal_winograd *winograd;
  vf bias, low, high;
  bool hard_swish;
  const float *residual;
  float *out;
  size_t height, width;  // pixels that are in the image
} output_tile;

INLINE void tile_from_points(const output_tile *o, const float *points, const size_t t, const bool whole) {
  const size_t patch = t + 2, matrix = o->winograd->matrix, row = o->winograd->out_w * VW;
  vf lines[TILE_MAX][PATCH_MAX];
  UNROLL for (size_t i = 0; i < patch; i++) {
    vf at_points[PATCH_MAX], column[TILE_MAX];
    UNROLL for (size_t j = 0; j < patch; j++) at_points[j] = load(points + (j * patch + i) * matrix);
    from_points(column, at_points, t);
    UNROLL for (size_t j = 0; j < t; j++) lines[j][i] = column[j];
  }
  UNROLL for (size_t j = 0; j < t; j++) {
    vf line[TILE_MAX];
    from_points(line, lines[j], t);
    UNROLL for (size_t i = 0; i < t; i++) {
      if (whole || (j < o->height && i < o->width)) {
        vf v = line[i] + o->bias;
        if (o->residual) v += load(o->residual + j * row + i * VW);
        store(o->out + j * row + i * VW, o->hard_swish ? hard_swish(v) : clamp(v, o->low, o->high));
      }
    }
  }
}

INLINE void stretch_from_points(output_tile o, const float *points, tile_stretch s, const size_t t) {
  const size_t right = o.winograd->out_w - s.x;
  for (size_t i = 0; i < s.count; i++) {
    o.width = right - i * t < t ? right - i * t : t;
    if (o.width == t && o.height == t) {
      tile_from_points(&o, points, t, true);
    } else {
      tile_from_points(&o, points, t, false);
    }
    points += VW;
    o.out += t * VW;
    if (o.residual) o.residual += t * VW;
  }
}

static void winograd_output(
    const sepal_winograd *w, const float *points, size_t tile_begin, size_t tile_end, size_t block_begin,
    size_t block_end) {
  const epilogue e = epilogue_of(w->activation);
  const bool swish = w->activation.kind == SEPAL_ACT_HARD_SWISH;
  output_tile o = {.winograd = w, .low = e.low, .high = e.high, .hard_swish = swish};
  for (size_t block = block_begin; block < block_end; block++) {
    o.bias = load(w->bias + block * VW);
    tile_stretch s;
    for (size_t tile = tile_begin; tile < tile_end; tile += s.count) {
      s = stretch_at(w, tile, tile_end, tile_end);
      const size_t first = s.image * w->out_image + block * w->out_block + (s.y * w->out_w + s.x) * VW;
      o.out = w->out + first;
      o.residual = w->residual ? w->residual + first : NULL;
      o.height = w->out_h - s.y < w->tile ? w->out_h - s.y : w->tile;
      const float *from = points + (block - block_begin) * w->block + (tile - tile_begin) * VW;
      w->tile == 2 ? stretch_from_points(o, from, s, 2) : stretch_from_points(o, from, s, 4);
      if (!e.stored || swish) continue;
      const size_t right = w->out_w - s.x, width = s.count * w->tile < right ? s.count * w->tile : right;
      for (size_t y = 0; y < o.height; y++) {
        float *row = o.out + y * w->out_w * VW;
        activate(row, row, width * VW, w->activation);
      }
    }
  }
}

typedef double vd __attribute__((ext_vector_type(VW)));

// VW kernels at the points, in double precision, rounded once.
INLINE void kernels_to_points(
    float *dst, size_t step, const vd kernel[9], const double at[PATCH_MAX][3], const size_t patch) {
  vd lines[PATCH_MAX][3];
  for (size_t j = 0; j < patch; j++) {
    for (size_t x = 0; x < 3; x++) {
      lines[j][x] = at[j][0] * kernel[x] + at[j][1] * kernel[3 + x] + at[j][2] * kernel[6 + x];
    }
  }
  for (size_t j = 0; j < patch; j++) {
    for (size_t i = 0; i < patch; i++, dst += step) {
      const vd value = at[i][0] * lines[j][0] + at[i][1] * lines[j][1] + at[i][2] * lines[j][2];
      store(dst, __builtin_convertvector(value, vf));
    }
  }
}

static void winograd_pack(
    float *dst, const float *src, size_t tile, size_t n, size_t k, size_t panel_begin, size_t panel_end) {
  // Matrices are often a power of two apart: whole cache lines of one are written before the next one's turn.
  enum { DEPTH = 4, RUN = DEPTH * NV_MAX * VW };
  static const double two[] = {0, 1, -1}, four[] = {0, WINOGRAD_A, -WINOGRAD_A, WINOGRAD_B, -WINOGRAD_B};
  const double *points = tile == 2 ? two : four;
  const size_t patch = tile + 2, finite = tile + 1;
  double at[PATCH_MAX][3] = {{0}};
  for (size_t i = 0; i < finite; i++) {
    double distances = 1;
    for (size_t j = 0; j < finite; j++) distances *= i == j ? 1 : points[i] - points[j];
    at[i][0] = 1 / distances;
    at[i][1] = points[i] / distances;
    at[i][2] = points[i] * points[i] / distances;
  }
  at[finite][2] = 1;
  const size_t size = packed_size(n, k), panels = panel_count(n);
  for (size_t p = panel_begin; p < panel_end; p++) {
    const size_t start = panel_start(n, panels, p), vectors = panel_start(n, panels, p + 1) - start;
    for (size_t k0 = 0; k0 < k; k0 += DEPTH) {
      const size_t depth = k - k0 < DEPTH ? k - k0 : DEPTH;
      float runs[PATCH_MAX * PATCH_MAX * RUN];
      for (size_t v = 0; v < vectors; v++) {
        const size_t first = (start + v) * VW, valid = n - first < VW ? n - first : VW;
        for (size_t c = 0; c < depth; c++) {
          float taps[9][VW] = {{0}};
          for (size_t l = 0; l < valid; l++) {
            for (size_t tap = 0; tap < 9; tap++) taps[tap][l] = src[((first + l) * k + k0 + c) * 9 + tap];
          }
          vd kernel[9];
          for (size_t tap = 0; tap < 9; tap++) kernel[tap] = __builtin_convertvector(load(taps[tap]), vd);
          kernels_to_points(runs + (c * vectors + v) * VW, RUN, kernel, at, patch);
        }
      }
      for (size_t i = 0; i < patch * patch; i++) {
        float *to = dst + i * size + (start * k + k0 * vectors) * VW;
        __builtin_memcpy(to, runs + i * RUN, depth * vectors * VW * sizeof *to);
      }
    }
  }
}
