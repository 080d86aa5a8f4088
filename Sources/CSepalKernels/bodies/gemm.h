// Packed GEMM: tiles of MR rows by one panel, where a panel is 1 to 3 vectors of output columns, stored [k][columns].
// n columns make ⌈n / VW⌉ vectors, divided evenly over the fewest panels; rows are divided evenly over the fewest
// tiles. A row is a list of pointers, one per tap: a matrix has one tap, a convolution one per kernel position.

#define NV_MAX (MR3 ? 3 : 2)
#define MR_MAX 12

INLINE size_t ceil_divide(size_t a, size_t b) { return (a + b - 1) / b; }

static size_t panel_count(size_t n) { return ceil_divide(ceil_divide(n, VW), NV_MAX); }

// The first vector of panel i.
INLINE size_t panel_start(size_t n, size_t panels, size_t i) { return i * ceil_divide(n, VW) / panels; }

static size_t packed_size(size_t n, size_t k) { return ceil_divide(n, VW) * VW * k; }

static void pack(
    float *dst, const float *src, size_t n, size_t taps, size_t k, size_t n_stride, size_t tap_stride,
    size_t k_stride, size_t begin, size_t end) {
  // A block of k is a cache line of a source row that is contiguous in k; the block's part of the panel stays in L1.
  enum { BLOCK = 16 };
  const size_t panels = panel_count(n);
  for (size_t p = begin; p < end; p++) {
    const size_t first = panel_start(n, panels, p) * VW;
    const size_t width = panel_start(n, panels, p + 1) * VW - first;
    const size_t valid = n - first < width ? n - first : width;
    float *panel = dst + first * taps * k;
    for (size_t tap = 0; tap < taps; tap++) {
      for (size_t k0 = 0; k0 < k; k0 += BLOCK) {
        const size_t depth = k - k0 < BLOCK ? k - k0 : BLOCK;
        float *block = panel + (tap * k + k0) * width;
        const float *from = src + first * n_stride + tap * tap_stride + k0 * k_stride;
        if (n_stride == 1) {
          for (size_t i = 0; i < depth; i++) {
            for (size_t j = 0; j < valid; j++) block[i * width + j] = from[i * k_stride + j];
          }
        } else {
          for (size_t j = 0; j < valid; j++) {
            for (size_t i = 0; i < depth; i++) block[i * width + j] = from[j * n_stride + i * k_stride];
          }
        }
        for (size_t i = 0; i < depth; i++) {
          for (size_t j = valid; j < width; j++) block[i * width + j] = 0;
        }
      }
    }
  }
}

typedef struct {
  const float *const *rows;  // [tap][row], row_count apart
  size_t row_count, taps, k;
  const float *b, *bias;
  const float *residual;
  size_t residual_stride;
  float *c;
  size_t c_stride;
  size_t last;  // valid columns in the last vector, 1…VW
  bool begins, ends;
  vf low, high;
} tile_work;

// Steps of VK along k, so that one load of a row serves VK multiplications by lane. The order of additions is that
// of k in every case.
INLINE void multiply(
    vf acc[MR_MAX][3], const float *const *rows, const float **panel, size_t k, const size_t mr,
    const size_t nv) {
  const float *a[MR_MAX];
  UNROLL for (size_t i = 0; i < mr; i++) a[i] = rows[i];
  const float *b = *panel;
  size_t kk = 0;
  for (; kk + VK <= k; kk += VK) {
#if VK > 1
    vf lanes[MR_MAX];
    UNROLL for (size_t i = 0; i < mr; i++) lanes[i] = load(a[i] + kk);
    UNROLL for (size_t l = 0; l < VK; l++) {
      vf column[3];
      UNROLL for (size_t j = 0; j < nv; j++) column[j] = load(b + (l * nv + j) * VW);
      UNROLL for (size_t i = 0; i < mr; i++) {
        UNROLL for (size_t j = 0; j < nv; j++) acc[i][j] = madd(splat(lanes[i][l]), column[j], acc[i][j]);
      }
    }
#else
    vf column[3];
    UNROLL for (size_t j = 0; j < nv; j++) column[j] = load(b + j * VW);
    UNROLL for (size_t i = 0; i < mr; i++) {
      const vf x = splat(a[i][kk]);
      UNROLL for (size_t j = 0; j < nv; j++) acc[i][j] = madd(x, column[j], acc[i][j]);
    }
#endif
    b += VK * nv * VW;
  }
#if VK > 1
  for (; kk < k; kk++, b += nv * VW) {
    UNROLL for (size_t i = 0; i < mr; i++) {
      const vf x = splat(a[i][kk]);
      UNROLL for (size_t j = 0; j < nv; j++) acc[i][j] = madd(x, load(b + j * VW), acc[i][j]);
    }
  }
#endif
  *panel = b;
}

INLINE void finish(
    vf acc[MR_MAX][3], const tile_work *t, const size_t mr, const size_t nv, const bool whole) {
  UNROLL for (size_t i = 0; i < mr; i++) {
    float *c = t->c + i * t->c_stride;
    UNROLL for (size_t j = 0; j < nv; j++) {
      const size_t count = whole || j + 1 < nv ? VW : t->last;
      vf v = acc[i][j];
      if (t->ends) {
        if (t->residual) v += load_n(t->residual + i * t->residual_stride + j * VW, count);
        v = clamp(v, t->low, t->high);
      }
      store_n(c + j * VW, v, count);
    }
  }
}

INLINE void tile(const tile_work *t, const size_t mr, const size_t nv) {
  vf acc[MR_MAX][3];
  if (t->begins) {
    UNROLL for (size_t j = 0; j < nv; j++) {
      const vf bias = load(t->bias + j * VW);
      UNROLL for (size_t i = 0; i < mr; i++) acc[i][j] = bias;
    }
  } else {
    UNROLL for (size_t i = 0; i < mr; i++) {
      UNROLL for (size_t j = 0; j < nv; j++) {
        acc[i][j] = load_n(t->c + i * t->c_stride + j * VW, j + 1 < nv ? VW : t->last);
      }
    }
  }
  const float *b = t->b;
  for (size_t tap = 0; tap < t->taps; tap++) multiply(acc, t->rows + tap * t->row_count, &b, t->k, mr, nv);
  if (t->last == VW) {
    finish(acc, t, mr, nv, true);
  } else {
    finish(acc, t, mr, nv, false);
  }
}

#define TILE(MR, NV) \
  NOINLINE void tile_##MR##x##NV(const tile_work *t) { tile(t, MR, NV); }
#define TILES_1_4(NV) TILE(1, NV) TILE(2, NV) TILE(3, NV) TILE(4, NV)
#define TILES_5_6(NV) TILE(5, NV) TILE(6, NV)
#define TILES_7_8(NV) TILE(7, NV) TILE(8, NV)
#define TILES_9_12(NV) TILE(9, NV) TILE(10, NV) TILE(11, NV) TILE(12, NV)
#define ENTRY(MR, NV) [NV - 1][MR - 1] = tile_##MR##x##NV
#define ENTRIES_1_4(NV) ENTRY(1, NV), ENTRY(2, NV), ENTRY(3, NV), ENTRY(4, NV),
#define ENTRIES_5_6(NV) ENTRY(5, NV), ENTRY(6, NV),
#define ENTRIES_7_8(NV) ENTRY(7, NV), ENTRY(8, NV),
#define ENTRIES_9_12(NV) ENTRY(9, NV), ENTRY(10, NV), ENTRY(11, NV), ENTRY(12, NV),

TILES_1_4(1)
#if MR1 > 4
TILES_5_6(1)
#endif
#if MR1 > 6
TILES_7_8(1)
#endif
#if MR1 > 8
TILES_9_12(1)
#endif
TILES_1_4(2)
#if MR2 > 4
TILES_5_6(2)
#endif
#if MR2 > 6
TILES_7_8(2)
#endif
#if MR2 > 8
TILES_9_12(2)
#endif
#if MR3 > 0
TILES_1_4(3)
#endif
#if MR3 > 4
TILES_5_6(3)
#endif
#if MR3 > 6
TILES_7_8(3)
#endif

static void (*const tiles[3][MR_MAX])(const tile_work *) = {
    ENTRIES_1_4(1)
#if MR1 > 4
    ENTRIES_5_6(1)
#endif
#if MR1 > 6
    ENTRIES_7_8(1)
#endif
#if MR1 > 8
    ENTRIES_9_12(1)
#endif
    ENTRIES_1_4(2)
#if MR2 > 4
    ENTRIES_5_6(2)
#endif
#if MR2 > 6
    ENTRIES_7_8(2)
#endif
#if MR2 > 8
    ENTRIES_9_12(2)
#endif
#if MR3 > 0
    ENTRIES_1_4(3)
#endif
#if MR3 > 4
    ENTRIES_5_6(3)
#endif
#if MR3 > 6
    ENTRIES_7_8(3)
#endif
};

#undef TILE
#undef TILES_1_4
#undef TILES_5_6
#undef TILES_7_8
#undef TILES_9_12
#undef ENTRY
#undef ENTRIES_1_4
#undef ENTRIES_5_6
#undef ENTRIES_7_8
#undef ENTRIES_9_12

INLINE size_t tile_rows(size_t nv) { return nv == 1 ? MR1 : nv == 2 ? MR2 : MR3; }

NOINLINE void activate_rows(float *c, size_t stride, size_t rows, size_t columns, sepal_activation act) {
  for (size_t i = 0; i < rows; i++) activate(c + i * stride, c + i * stride, columns, act);
}

// One row against one panel. It waits for memory, not for arithmetic: four independent sums over k keep the loads
// going.
INLINE void vector_times_panel(const sepal_gemm *g, size_t first, const size_t nv, vf low, vf high) {
  const float *b = g->b + first * g->k;
  vf acc[4][3];
  UNROLL for (size_t j = 0; j < nv; j++) {
    acc[0][j] = load(g->bias + first + j * VW);
    acc[1][j] = acc[2][j] = acc[3][j] = splat(0.0f);
  }
  size_t k = 0;
  for (; k + 4 <= g->k; k += 4, b += 4 * nv * VW) {
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
    if (g->residual) v += load_n(g->residual + column, count);
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
  if (g->m == 1) {
    if (row_begin < row_end) vector_times_matrix(g, panel_begin, panel_end);
    return;
  }
  const epilogue e = epilogue_of(g->activation);
  const size_t panels = panel_count(g->n);
  for (size_t m0 = row_begin; m0 < row_end; m0 += g->row_block) {
    const size_t rows = row_end - m0 < g->row_block ? row_end - m0 : g->row_block;
    for (size_t p = panel_begin; p < panel_end; p++) {
      const size_t first = panel_start(g->n, panels, p) * VW;
      const size_t nv = panel_start(g->n, panels, p + 1) - first / VW;
      const size_t columns = g->n - first < nv * VW ? g->n - first : nv * VW;
      const size_t count = ceil_divide(rows, tile_rows(nv));
      for (size_t k0 = 0; k0 < g->k; k0 += g->k_block) {
        const size_t depth = g->k - k0 < g->k_block ? g->k - k0 : g->k_block;
        for (size_t i = 0; i < count; i++) {
          const size_t row = m0 + i * rows / count;
          const size_t mr = m0 + (i + 1) * rows / count - row;
          const float *pointers[MR_MAX];
          for (size_t r = 0; r < mr; r++) pointers[r] = g->a + (row + r) * g->a_stride + k0;
          const tile_work work = {
              .rows = pointers,
              .row_count = 0,
              .taps = 1,
              .k = depth,
              .b = g->b + first * g->k + k0 * nv * VW,
              .bias = g->bias + first,
              .residual = g->residual ? g->residual + row * g->residual_stride + first : NULL,
              .residual_stride = g->residual_stride,
              .c = g->c + row * g->c_stride + first,
              .c_stride = g->c_stride,
              .last = columns - (nv - 1) * VW,
              .begins = k0 == 0,
              .ends = k0 + depth == g->k,
              .low = e.low,
              .high = e.high,
          };
          tiles[nv - 1][mr - 1](&work);
          if (e.stored && work.ends) activate_rows(work.c, g->c_stride, mr, columns, g->activation);
        }
      }
    }
  }
}
