// What windows over images share: which taps are inside, and going over the taps of any window.

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
  size_t begin, end;  // outputs of a row all of whose taps are inside the image
} output_range;

INLINE output_range outputs_inside(const sepal_strip *s) {
  const size_t reach = (s->kernel_w - 1) * s->dilation_w, room = s->in_w + s->pad_left;
  const size_t begin = ceil_divide(s->pad_left, s->stride_w);
  const size_t end = room > reach ? (room - reach - 1) / s->stride_w + 1 : 0;
  output_range range = {begin, end < s->out_w ? end : s->out_w};
  if (range.end < range.begin) range.end = range.begin;
  return range;
}

// Input column under the first tap of output x.
INLINE ptrdiff_t window_column(const sepal_strip *s, size_t x) {
  return (ptrdiff_t)(x * s->stride_w) - (ptrdiff_t)s->pad_left;
}

// The columns under output x that are inside.
INLINE tap_range window_taps(const sepal_strip *s, size_t x) {
  return taps_inside(window_column(s, x), s->kernel_w, s->dilation_w, s->in_w);
}

// Neighbouring outputs are computed together where all their taps are inside.
enum { NEIGHBOURS = 8, FEW_NEIGHBOURS = 4 };

INLINE size_t neighbours_from(output_range inside, size_t x) {
  const size_t count = x >= inside.begin && x < inside.end ? inside.end - x : 0;
  return count >= NEIGHBOURS ? NEIGHBOURS : count >= FEW_NEIGHBOURS ? FEW_NEIGHBOURS : 1;
}

// How the taps of a window make a value.
typedef enum { FOLD_PRODUCTS, FOLD_SUM, FOLD_MAX } window_fold;

// Keeps a NaN on either side: the first comparison is false for one and yields v, the second restores acc.
INLINE vf larger(vf acc, vf v) {
  const vf most = acc > v ? acc : v;
  return acc != acc ? acc : most;
}

// Folds columns `taps` of each kernel row into `count` neighbouring outputs from x of row r.
INLINE void fold_window(
    const sepal_strip *s, size_t block, size_t r, size_t x, tap_range taps, vf *acc, const size_t count,
    const window_fold fold) {
  const ptrdiff_t first = window_column(s, x);
  for (size_t ky = 0; ky < s->kernel_h; ky++) {
    const float *row = s->rows[r * s->kernel_h + ky];
    if (!row) continue;
    row += block * s->in_block;
    for (size_t kx = taps.begin; kx < taps.end; kx++) {
      const float *pixel = row + (first + (ptrdiff_t)(kx * s->dilation_w)) * VW;
      vf weight = splat(1.0f);
      if (fold == FOLD_PRODUCTS) weight = load(s->weights + ((block * s->kernel_h + ky) * s->kernel_w + kx) * VW);
      UNROLL for (size_t o = 0; o < count; o++) {
        const vf v = load(pixel + o * s->stride_w * VW);
        switch (fold) {
        case FOLD_PRODUCTS: acc[o] = madd(v, weight, acc[o]); break;
        case FOLD_SUM: acc[o] += v; break;
        case FOLD_MAX: acc[o] = larger(acc[o], v); break;
        }
      }
    }
  }
}
