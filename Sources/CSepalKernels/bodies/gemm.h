// Packed GEMM over pixels: tiles of MR pixels by one panel, where a panel is 1 to 3 vectors of output columns, stored
// [k][columns]. n columns make ⌈n / VW⌉ vectors, divided evenly over the panels; pixels are divided evenly over the
// fewest tiles. A convolution is the same product over several taps: kernel rows by positions in a row.

#define NV_MAX 3
#define MR_MAX 14

INLINE size_t ceil_divide(size_t a, size_t b) { return (a + b - 1) / b; }

static size_t panel_count(size_t n) { return PANELS(ceil_divide(n, VW)); }

// The first vector of panel i.
INLINE size_t panel_start(size_t n, size_t panels, size_t i) { return i * ceil_divide(n, VW) / panels; }

static size_t first_vector(size_t n, size_t i) { return panel_start(n, panel_count(n), i); }

static size_t packed_size(size_t n, size_t k) { return ceil_divide(n, VW) * VW * k; }

typedef struct {
  const float *const *rows;          // the kernel rows under pixel 0
  size_t row_count, taps, tap_step;  // kernel rows; positions in each, and floats from one to the next
  size_t k, a_pixel, a_block;
  const float *b, *bias;
  const float *residual;
  size_t residual_pixel, residual_block;
  float *c;
  size_t c_pixel, c_block;
  size_t last;          // columns to store of the last vector, 1…VW
  size_t first, tiles;  // the first pixel, and the number of tiles, one after another along the pixels
  const float *ahead;   // what will be multiplied by next, brought closer a line at a time
  size_t ahead_step;    // a cache line in floats, or 0
  vf low, high;
  bool hard_swish;
} tile_run;

// Adds k products to every element of a tile, in the order of k. `a_pixel` is a literal for blocked images, so that one
// pointer reaches all pixels of the tile.
INLINE const float *multiply(
    vf acc[MR_MAX][NV_MAX], const float *a, const float *b, size_t k, size_t a_pixel, size_t a_block,
    const float **ahead, size_t ahead_step, const size_t mr, const size_t nv) {
  for (; k >= VW; k -= VW, a += a_block, b += VW * nv * VW) {
    __builtin_prefetch(*ahead, 0, 2);
    *ahead += ahead_step;
#if BY_LANE
    vf lanes[MR_MAX];
    UNROLL for (size_t i = 0; i < mr; i++) lanes[i] = load(a + i * a_pixel);
#endif
    UNROLL for (size_t l = 0; l < VW; l++) {
      vf column[NV_MAX];
      UNROLL for (size_t j = 0; j < nv; j++) column[j] = load(b + (l * nv + j) * VW);
      UNROLL for (size_t i = 0; i < mr; i++) {
#if BY_LANE
        const vf x = splat(lanes[i][l]);
#else
        const vf x = splat(a[i * a_pixel + l]);
#endif
        UNROLL for (size_t j = 0; j < nv; j++) acc[i][j] = madd(x, column[j], acc[i][j]);
      }
    }
  }
  for (; k > 0; k--, a++, b += nv * VW) {
    vf column[NV_MAX];
    UNROLL for (size_t j = 0; j < nv; j++) column[j] = load(b + j * VW);
    UNROLL for (size_t i = 0; i < mr; i++) {
      const vf x = splat(a[i * a_pixel]);
      UNROLL for (size_t j = 0; j < nv; j++) acc[i][j] = madd(x, column[j], acc[i][j]);
    }
  }
  return b;
}

INLINE void finish(
    vf acc[MR_MAX][NV_MAX], const tile_run *t, size_t pixel, const size_t mr, const size_t nv, const bool whole,
    const bool swish) {
  float *c = t->c + pixel * t->c_pixel;
  if (t->residual) {
    const float *residual = t->residual + pixel * t->residual_pixel;
    UNROLL for (size_t j = 0; j < nv; j++) {
      UNROLL for (size_t i = 0; i < mr; i++) {
        acc[i][j] += load_n(
            residual + i * t->residual_pixel + j * t->residual_block, whole || j + 1 < nv ? VW : t->last);
      }
    }
  }
  UNROLL for (size_t j = 0; j < nv; j++) {
    UNROLL for (size_t i = 0; i < mr; i++) {
      const vf v = swish ? hard_swish(acc[i][j]) : clamp(acc[i][j], t->low, t->high);
      store_n(c + i * t->c_pixel + j * t->c_block, v, whole || j + 1 < nv ? VW : t->last);
    }
  }
}

// The loop over tiles is in here, not around the call: the end of one tile overlaps the start of the next, which makes
// up for most of what short products would lose.
INLINE void run_tiles(const tile_run *t, const size_t mr, const size_t nv, const bool blocked) {
  const size_t a_pixel = blocked ? VW : t->a_pixel;
  const float *ahead = t->ahead;
  for (size_t n = 0, pixel = t->first; n < t->tiles; n++, pixel += mr) {
    vf acc[MR_MAX][NV_MAX];
    UNROLL for (size_t j = 0; j < nv; j++) {
      const vf bias = load(t->bias + j * VW);
      UNROLL for (size_t i = 0; i < mr; i++) acc[i][j] = bias;
    }
    const float *b = t->b;
    for (size_t row = 0; row < t->row_count; row++) {
      const float *a = t->rows[row] + pixel * a_pixel;
      for (size_t tap = 0; tap < t->taps; tap++, a += t->tap_step) {
        b = multiply(acc, a, b, t->k, a_pixel, t->a_block, &ahead, t->ahead_step, mr, nv);
      }
    }
    if (t->last < VW) {
      finish(acc, t, pixel, mr, nv, false, false);
    } else if (t->hard_swish) {
      finish(acc, t, pixel, mr, nv, true, true);
    } else {
      finish(acc, t, pixel, mr, nv, true, false);
    }
  }
}

#define TILES(MR, NV) \
  NOINLINE void tiles_##MR##x##NV(const tile_run *t) { run_tiles(t, MR, NV, false); } \
  NOINLINE void blocked_tiles_##MR##x##NV(const tile_run *t) { run_tiles(t, MR, NV, true); }
FOR_EACH_TILE(TILES)
#undef TILES

#define ENTRY(MR, NV) [0][NV - 1][MR - 1] = tiles_##MR##x##NV, [1][NV - 1][MR - 1] = blocked_tiles_##MR##x##NV,
static void (*const tile_functions[2][NV_MAX][MR_MAX])(const tile_run *) = {FOR_EACH_TILE(ENTRY)};
#undef ENTRY

INLINE size_t tile_rows(size_t nv) { return nv == 1 ? MR1 : nv == 2 ? MR2 : MR3; }

static size_t tile_pixels(size_t n) {
  const size_t panels = panel_count(n);
  return tile_rows(panel_start(n, panels, panels) - panel_start(n, panels, panels - 1));
}

// Pixels [0, pixels) of a run: tiles of one size, then tiles that are one pixel smaller.
INLINE void run_pixels(tile_run *run, size_t pixels, size_t nv) {
  enum { LINE = 16, FEW_TILES = 40 };
  void (*const *functions)(const tile_run *) = tile_functions[run->a_pixel == VW][nv - 1];
  const size_t count = ceil_divide(pixels, tile_rows(nv));
  const size_t small = pixels / count, large_tiles = pixels % count;
  // Where there are few tiles, weights come from far away, and the next panel is wanted soon.
  run->ahead = run->b + run->row_count * run->taps * run->k * nv * VW;
  run->ahead_step = count <= FEW_TILES ? LINE : 0;
  run->first = 0;
  run->tiles = large_tiles;
  if (run->tiles) functions[small](run);
  run->ahead += run->tiles * run->row_count * run->taps * (run->k / VW) * run->ahead_step;
  run->first = large_tiles * (small + 1);
  run->tiles = count - large_tiles;
  functions[small - 1](run);
}

// The part of an epilogue that is not done in registers, on `pixels` pixels that were just stored.
INLINE void activate_stored(const tile_run *run, size_t pixels, size_t nv, sepal_activation act) {
  if (run->c_pixel == VW && run->last == VW) {
    for (size_t j = 0; j < nv; j++) {
      float *c = run->c + j * run->c_block;
      activate(c, c, pixels * VW, act);
    }
  } else {
    for (size_t i = 0; i < pixels; i++) {
      float *c = run->c + i * run->c_pixel;
      activate(c, c, (nv - 1) * VW + run->last, act);
    }
  }
}

// Columns to store of the vector before `end`: lanes beyond the last channel exist only in blocked images.
INLINE size_t stored_columns(size_t n, size_t end, size_t c_block) {
  return c_block == VW && end * VW > n ? n - (end - 1) * VW : VW;
}

// Where a panel of columns up to vector `end` is stored, and how its values are finished. Returns whether that takes
// `activate_stored`.
INLINE bool set_epilogue(tile_run *run, size_t n, size_t end, sepal_activation act) {
  const epilogue e = epilogue_of(act);
  run->last = stored_columns(n, end, run->c_block);
  run->low = e.low;
  run->high = e.high;
  run->hard_swish = act.kind == SEPAL_ACT_HARD_SWISH && run->c_pixel == VW && run->last == VW;
  return e.stored && !run->hard_swish;
}

// One row against one panel. It waits for memory, not for arithmetic: four independent sums over k keep the loads
// going, and what comes some pages later is asked for now.
enum { AHEAD = 4096 };

INLINE void vector_times_panel(const sepal_gemm *g, size_t first, const size_t nv, vf low, vf high) {
  const float *b = g->b + first * g->k;
  vf acc[4][3];
  UNROLL for (size_t j = 0; j < nv; j++) {
    acc[0][j] = load(g->bias + first + j * VW);
    acc[1][j] = acc[2][j] = acc[3][j] = splat(0.0f);
  }
  size_t k = 0;
  for (; k + 4 <= g->k; k += 4, b += 4 * nv * VW) {
    UNROLL for (size_t i = 0; i < 4 * nv * VW; i += 16) __builtin_prefetch(b + AHEAD + i, 0, 3);
    UNROLL for (size_t u = 0; u < 4; u++) {
      UNROLL for (size_t j = 0; j < nv; j++) {
        acc[u][j] = madd(splat(g->a[k + u]), load(b + (u * nv + j) * VW), acc[u][j]);
      }
    }
  }
  for (; k < g->k; k++, b += nv * VW) {
    UNROLL for (size_t j = 0; j < nv; j++) acc[0][j] = madd(splat(g->a[k]), load(b + j * VW), acc[0][j]);
  }
  UNROLL for (size_t j = 0; j < nv; j++) {
    const size_t column = first + j * VW;
    const size_t count = g->n - column < VW ? g->n - column : VW;
    vf v = (acc[0][j] + acc[1][j]) + (acc[2][j] + acc[3][j]);
    if (g->residual) v += load_n(g->residual + column / VW * g->residual_block, count);
    store_n(g->c + column, clamp(v, low, high), count);
  }
}

NOINLINE void vector_times_matrix(const sepal_gemm *g, size_t begin, size_t end) {
  const epilogue e = epilogue_of(g->activation);
  const size_t panels = panel_count(g->n);
  for (size_t p = begin; p < end; p++) {
    const size_t first = panel_start(g->n, panels, p) * VW;
    const size_t nv = panel_start(g->n, panels, p + 1) - first / VW;
    switch (nv) {
    case 1: vector_times_panel(g, first, 1, e.low, e.high); break;
    case 2: vector_times_panel(g, first, 2, e.low, e.high); break;
    default: vector_times_panel(g, first, 3, e.low, e.high); break;
    }
    if (e.stored) {
      const size_t columns = g->n - first < nv * VW ? g->n - first : nv * VW;
      activate(g->c + first, g->c + first, columns, g->activation);
    }
  }
}

static void gemm(
    const sepal_gemm *g, size_t row_begin, size_t row_end, size_t panel_begin, size_t panel_end) {
  // Not for a strip of a blocked image that is one pixel: it has the bits of the whole image.
  if (g->m == 1 && g->a_pixel != VW && g->a_block == VW && g->c_block == VW) {
    if (row_begin < row_end) vector_times_matrix(g, panel_begin, panel_end);
    return;
  }
  const size_t panels = panel_count(g->n);
  const float *row;
  tile_run run = {
      .rows = &row, .row_count = 1, .taps = 1, .k = g->k, .a_pixel = g->a_pixel, .a_block = g->a_block,
      .residual_pixel = g->residual_pixel, .residual_block = g->residual_block, .c_pixel = g->c_pixel,
      .c_block = g->c_block,
  };
  for (size_t m0 = row_begin; m0 < row_end; m0 += g->row_block) {
    const size_t pixels = row_end - m0 < g->row_block ? row_end - m0 : g->row_block;
    row = g->a + m0 * g->a_pixel;
    for (size_t p = panel_begin; p < panel_end; p++) {
      const size_t v = panel_start(g->n, panels, p), nv = panel_start(g->n, panels, p + 1) - v;
      run.b = g->b + v * VW * g->k;
      run.bias = g->bias + v * VW;
      run.residual = g->residual ? g->residual + m0 * g->residual_pixel + v * g->residual_block : NULL;
      run.c = g->c + m0 * g->c_pixel + v * g->c_block;
      const bool stored = set_epilogue(&run, g->n, v + nv, g->activation);
      run_pixels(&run, pixels, nv);
      if (stored) activate_stored(&run, pixels, nv, g->activation);
    }
  }
}
