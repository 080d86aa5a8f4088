// Convolution as a GEMM over pointers. For a block of output pixels, every kernel position ("tap") has a list of
// pointers to the input pixels under it, or to zeros outside the image; then every panel of weights runs over the
// block. Nothing of the image is copied.
//
// With few input channels the taps of one kernel row lie side by side in memory, so a whole kernel row serves as
// one tap of depth kernel_w·in_c. Only rows that cross the left or right edge are then copied, with their zeros.

enum { MERGED_CHANNELS = 16 };

// Pixels whose pointers are kept at a time: fewer for huge kernels, so that scratch memory stays small.
INLINE size_t pixel_block(const sepal_window *w) {
  const size_t fit = 16384 / (w->kernel_h * w->kernel_w);
  return fit > 96 ? 96 : fit > 1 ? fit : 1;
}

INLINE bool merges_rows(const sepal_window *w) {
  return w->groups == 1 && w->dilation_w == 1 && w->in_stride == w->in_c && w->in_c <= MERGED_CHANNELS &&
      w->kernel_w > 1;
}

static size_t convolve_scratch(const sepal_window *w) {
  const size_t taps = merges_rows(w) ? w->kernel_h : w->kernel_h * w->kernel_w;
  const size_t edges = merges_rows(w) ? w->kernel_h * w->kernel_w * w->in_c : 0;
  return pixel_block(w) * (taps * sizeof(float *) + edges * sizeof(float));
}

typedef struct {
  size_t image;
  ptrdiff_t y, x;  // input position of the window's first tap; negative in the padding
} pixel_position;

INLINE pixel_position position_of(const sepal_window *w, size_t pixel) {
  const size_t row = pixel / w->out_w;
  pixel_position at = {
      row / w->out_h, (ptrdiff_t)(row % w->out_h * w->stride_h) - (ptrdiff_t)w->pad_top,
      (ptrdiff_t)(pixel % w->out_w * w->stride_w) - (ptrdiff_t)w->pad_left};
  return at;
}

INLINE bool inside(ptrdiff_t i, size_t extent) { return i >= 0 && (size_t)i < extent; }

// Fills rows[tap][pixel] for pixels [begin, begin + count), `count` apart, for one group's channels.
static void gather_taps(
    const sepal_window *w, size_t begin, size_t count, size_t channel, const float **rows) {
  for (size_t i = 0; i < count; i++) {
    const pixel_position at = position_of(w, begin + i);
    const float *image = w->input + at.image * w->in_h * w->in_w * w->in_stride + channel;
    for (size_t ky = 0; ky < w->kernel_h; ky++) {
      const ptrdiff_t y = at.y + (ptrdiff_t)(ky * w->dilation_h);
      for (size_t kx = 0; kx < w->kernel_w; kx++) {
        const ptrdiff_t x = at.x + (ptrdiff_t)(kx * w->dilation_w);
        rows[(ky * w->kernel_w + kx) * count + i] = inside(y, w->in_h) && inside(x, w->in_w)
            ? image + ((size_t)y * w->in_w + (size_t)x) * w->in_stride
            : w->zeros;
      }
    }
  }
}

// As above with one tap per kernel row; `edges` receives the rows that are partly outside.
static void gather_kernel_rows(
    const sepal_window *w, size_t begin, size_t count, const float **rows, float *edges) {
  const size_t depth = w->kernel_w * w->in_c;
  for (size_t i = 0; i < count; i++) {
    const pixel_position at = position_of(w, begin + i);
    const float *image = w->input + at.image * w->in_h * w->in_w * w->in_c;
    const bool whole = at.x >= 0 && (size_t)at.x + w->kernel_w <= w->in_w;
    for (size_t ky = 0; ky < w->kernel_h; ky++) {
      const ptrdiff_t y = at.y + (ptrdiff_t)(ky * w->dilation_h);
      const float **row = rows + ky * count + i;
      if (whole && inside(y, w->in_h)) {
        *row = image + ((size_t)y * w->in_w + (size_t)at.x) * w->in_c;
        continue;
      }
      *row = edges;
      for (size_t kx = 0; kx < w->kernel_w; kx++) {
        const ptrdiff_t x = at.x + (ptrdiff_t)kx;
        const bool within = inside(y, w->in_h) && inside(x, w->in_w);
        const float *from = within ? image + ((size_t)y * w->in_w + (size_t)x) * w->in_c : NULL;
        for (size_t c = 0; c < w->in_c; c++) edges[kx * w->in_c + c] = from ? from[c] : 0;
      }
      edges += depth;
    }
  }
}

static void convolve(const sepal_window *w, size_t begin, size_t end, void *scratch) {
  const bool merged = merges_rows(w);
  const size_t group_in = w->in_c / w->groups, group_out = w->out_c / w->groups;
  const size_t taps = merged ? w->kernel_h : w->kernel_h * w->kernel_w;
  const size_t k = merged ? w->kernel_w * w->in_c : group_in;
  const size_t packed = packed_size(group_out, taps * k);
  const size_t padded = ceil_divide(group_out, VW) * VW;
  const size_t panels = panel_count(group_out);
  const epilogue e = epilogue_of(w->activation);
  const float **rows = scratch;
  const size_t most = pixel_block(w);
  float *edges = (float *)(rows + most * taps);

  for (size_t block = begin; block < end; block += most) {
    const size_t count = end - block < most ? end - block : most;
    for (size_t group = 0; group < w->groups; group++) {
      if (merged) {
        gather_kernel_rows(w, block, count, rows, edges);
      } else {
        gather_taps(w, block, count, group * group_in, rows);
      }
      for (size_t p = 0; p < panels; p++) {
        const size_t first = panel_start(group_out, panels, p) * VW;
        const size_t nv = panel_start(group_out, panels, p + 1) - first / VW;
        const size_t columns = group_out - first < nv * VW ? group_out - first : nv * VW;
        const size_t channel = group * group_out + first;
        const size_t strips = ceil_divide(count, tile_rows(nv));
        for (size_t i = 0; i < strips; i++) {
          const size_t row = i * count / strips;
          const size_t mr = (i + 1) * count / strips - row;
          const tile_work work = {
              .rows = rows + row,
              .row_count = count,
              .taps = taps,
              .k = k,
              .b = w->weights + group * packed + first * taps * k,
              .bias = w->bias + group * padded + first,
              .residual =
                  w->residual ? w->residual + (block + row) * w->residual_stride + channel : NULL,
              .residual_stride = w->residual_stride,
              .c = w->output + (block + row) * w->out_stride + channel,
              .c_stride = w->out_stride,
              .last = columns - (nv - 1) * VW,
              .begins = true,
              .ends = true,
              .low = e.low,
              .high = e.high,
          };
          tiles[nv - 1][mr - 1](&work);
          if (e.stored) activate_rows(work.c, w->out_stride, mr, columns, w->activation);
        }
      }
    }
  }
}
