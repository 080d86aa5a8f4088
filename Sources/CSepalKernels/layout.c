// Moving data without computing on it; the same for every instruction set.
#include "CSepalKernels.h"

#include <string.h>

// Pixels that are copied before the next lane's turn: a cache line of every lane on either side.
enum { STRETCH = 16 };

static inline __attribute__((always_inline)) void reorder_block(
    float *dst, sepal_layout to, const float *src, sepal_layout from, size_t pixels, size_t lanes) {
  if (to.lane == 1 && from.lane == 1) {
    for (size_t p = 0; p < pixels; p++) {
      for (size_t l = 0; l < lanes; l++) dst[p * to.pixel + l] = src[p * from.pixel + l];
    }
    return;
  }
  for (size_t p0 = 0; p0 < pixels; p0 += STRETCH) {
    const size_t end = pixels - p0 < STRETCH ? pixels : p0 + STRETCH;
    for (size_t l = 0; l < lanes; l++) {
      for (size_t p = p0; p < end; p++) dst[p * to.pixel + l * to.lane] = src[p * from.pixel + l * from.lane];
    }
  }
}

void sepal_reorder(
    float *dst, sepal_layout to, const float *src, sepal_layout from, size_t pixels, size_t channels, size_t width) {
  for (size_t c = 0; c < channels; c += width, dst += to.block, src += from.block) {
    const size_t lanes = channels - c < width ? channels - c : width;
    // Literal counts for the blocks that all instruction sets use.
    switch (lanes) {
    case 3: reorder_block(dst, to, src, from, pixels, 3); break;
    case 4: reorder_block(dst, to, src, from, pixels, 4); break;
    case 8: reorder_block(dst, to, src, from, pixels, 8); break;
    case 16: reorder_block(dst, to, src, from, pixels, 16); break;
    default: reorder_block(dst, to, src, from, pixels, lanes); break;
    }
  }
}

#define COPY_LINE(T) \
  do { \
    T *d = (T *)dst; \
    const T *s = (const T *)src; \
    for (size_t i = 0; i < n; i++) d[(ptrdiff_t)i * to] = s[(ptrdiff_t)i * from]; \
  } while (0)

static void copy_line(char *dst, const char *src, size_t n, ptrdiff_t to, ptrdiff_t from, size_t size) {
  if (to == 1 && from == 1) {
    memcpy(dst, src, n * size);
    return;
  }
  switch (size) {
  case 1: COPY_LINE(uint8_t); break;
  case 2: COPY_LINE(uint16_t); break;
  case 4: COPY_LINE(uint32_t); break;
  default: COPY_LINE(uint64_t); break;
  }
}

void sepal_copy_box(
    void *dst, const void *src, size_t rank, const size_t *extents, const ptrdiff_t *dst_strides,
    const ptrdiff_t *src_strides, size_t element_size) {
  if (rank == 0) {
    memcpy(dst, src, element_size);
    return;
  }
  const ptrdiff_t size = (ptrdiff_t)element_size;
  if (rank == 1) {
    copy_line(dst, src, extents[0], dst_strides[0], src_strides[0], element_size);
    return;
  }
  for (size_t i = 0; i < extents[0]; i++) {
    sepal_copy_box(
        (char *)dst + (ptrdiff_t)i * dst_strides[0] * size, (const char *)src + (ptrdiff_t)i * src_strides[0] * size,
        rank - 1, extents + 1, dst_strides + 1, src_strides + 1, element_size);
  }
}
