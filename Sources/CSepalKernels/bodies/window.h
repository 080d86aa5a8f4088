// What windows over images share.

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
