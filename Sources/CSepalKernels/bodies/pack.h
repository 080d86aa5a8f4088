// Weights in the order in which the kernels read them.

// Lane l of the two results of exchanging blocks of h lanes between a and b, lanes of b being counted from VW on.
#define FROM_LOW(l, h) ((l) & (h) ? VW + (l) - (h) : (l))
#define FROM_HIGH(l, h) ((l) & (h) ? VW + (l) : (l) + (h))
#define LANES_4(FROM, l, h) FROM(l, h), FROM(l + 1, h), FROM(l + 2, h), FROM(l + 3, h)
#if VW == 4
#define LANES(FROM, h) LANES_4(FROM, 0, h)
#elif VW == 8
#define LANES(FROM, h) LANES_4(FROM, 0, h), LANES_4(FROM, 4, h)
#else
#define LANES(FROM, h) LANES_4(FROM, 0, h), LANES_4(FROM, 4, h), LANES_4(FROM, 8, h), LANES_4(FROM, 12, h)
#endif
#define EXCHANGE(rows, h) \
  UNROLL for (size_t i = 0; i < VW; i++) { \
    if (i & (h)) continue; \
    const vf a = rows[i], b = rows[i + (h)]; \
    rows[i] = __builtin_shufflevector(a, b, LANES(FROM_LOW, h)); \
    rows[i + (h)] = __builtin_shufflevector(a, b, LANES(FROM_HIGH, h)); \
  }

// Row and column change places bit by bit of their numbers.
INLINE void transpose(vf rows[VW]) {
  EXCHANGE(rows, 1)
  EXCHANGE(rows, 2)
#if VW >= 8
  EXCHANGE(rows, 4)
#endif
#if VW >= 16
  EXCHANGE(rows, 8)
#endif
}

// Writes `depth` vectors, `step` floats apart, of `columns` lanes that are contiguous in the source; lanes beyond are zero.
INLINE void pack_columns(
    float *dst, size_t step, const float *src, size_t stride, size_t columns, size_t depth) {
  for (size_t k = 0; k < depth; k += VW) {
    const size_t count = depth - k < VW ? depth - k : VW;
    vf rows[VW];
    if (columns == VW && count == VW) {
      UNROLL for (size_t j = 0; j < VW; j++) rows[j] = load(src + j * stride + k);
      transpose(rows);
      UNROLL for (size_t i = 0; i < VW; i++) store(dst + (k + i) * step, rows[i]);
    } else {
      UNROLL for (size_t j = 0; j < VW; j++) {
        rows[j] = j < columns ? load_n(src + j * stride + k, count) : splat(0.0f);
      }
      transpose(rows);
      UNROLL for (size_t i = 0; i < VW; i++) {
        if (i < count) store(dst + (k + i) * step, rows[i]);
      }
    }
  }
}

// Part of a panel: `depth` rows of `width` columns. The `valid` columns of the source end in its last vector, whose
// other lanes are zero.
INLINE void pack_block(
    float *dst, size_t width, const float *src, size_t n_stride, size_t k_stride, size_t valid, size_t depth) {
  if (n_stride == 1) {
    for (size_t i = 0; i < depth; i++) {
      for (size_t j = 0; j < width; j += VW) {
        store(dst + i * width + j, load_n(src + i * k_stride + j, valid - j < VW ? valid - j : VW));
      }
    }
  } else if (k_stride == 1) {
    for (size_t j = 0; j < width; j += VW) {
      const size_t columns = valid - j < VW ? valid - j : VW;
      pack_columns(dst + j, width, src + j * n_stride, n_stride, columns, depth);
    }
  } else {
    for (size_t j = 0; j < width; j++) {
      for (size_t i = 0; i < depth; i++) {
        dst[i * width + j] = j < valid ? src[j * n_stride + i * k_stride] : 0;
      }
    }
  }
}

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
        const float *from = src + first * n_stride + tap * tap_stride + k0 * k_stride;
        pack_block(
            panel + (tap * k + k0) * width, width, from, n_stride, k_stride, valid, k - k0 < BLOCK ? k - k0 : BLOCK);
      }
    }
  }
}

static void pack_channels(
    float *dst, const float *src, size_t channels, size_t taps, size_t begin, size_t end) {
  for (size_t b = begin; b < end; b++) {
    const size_t columns = channels - b * VW < VW ? channels - b * VW : VW;
    pack_columns(dst + b * taps * VW, VW, src + b * VW * taps, taps, columns, taps);
  }
}
