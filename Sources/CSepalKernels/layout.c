// Moving data without computing on it; the same for every instruction set.
#include "CSepalKernels.h"

#include <string.h>

void sepal_transpose(float *dst, const float *src, size_t rows, size_t columns) {
  // Blocks of 16 by 16: one cache line per row on either side.
  enum { BLOCK = 16 };
  for (size_t r0 = 0; r0 < rows; r0 += BLOCK) {
    const size_t r1 = rows - r0 < BLOCK ? rows : r0 + BLOCK;
    for (size_t c0 = 0; c0 < columns; c0 += BLOCK) {
      const size_t c1 = columns - c0 < BLOCK ? columns : c0 + BLOCK;
      for (size_t c = c0; c < c1; c++) {
        for (size_t r = r0; r < r1; r++) dst[c * rows + r] = src[r * columns + c];
      }
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
