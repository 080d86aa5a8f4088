// Micro-kernels over fp32 activations. Images are channel-blocked: [channels / vector_width][pixels][vector_width], the
// last block padded with lanes whose values mean nothing.
//
// Every family has one body (bodies/*.h) that is compiled once per instruction set (isa/*.c) and reached
// through a table of functions. The kernels hold no policy: block sizes and ranges of work come from the
// caller. They allocate nothing and keep no state, so any number of threads may run them on disjoint ranges.
// The value of an output element never depends on how the work was divided.
//
// Operand pointers are nullable only so that Swift can start from a zeroed struct; those not marked optional below
// must be set.
//
// NaN: relu and clip keep a NaN input (as ONNX Runtime does), and so does max pooling.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sepal_threads.h"

#pragma clang assume_nonnull begin

// Swift may share a value of the type between threads: kernels read it and never write it.
#define SEPAL_SENDABLE __attribute__((swift_attr("@Sendable")))

typedef enum {
  SEPAL_ISA_PORTABLE,
  SEPAL_ISA_NEON,
  SEPAL_ISA_AVX2,    // with FMA
  SEPAL_ISA_AVX512,  // F, BW, DQ, VL
} sepal_isa;

// What happens to a value before it is stored.
typedef enum {
  SEPAL_ACT_NONE,
  SEPAL_ACT_CLAMP,         // min(b, max(a, x)); relu is a = 0, b = ∞
  SEPAL_ACT_LEAKY_RELU,    // x < 0 ? a·x : x
  SEPAL_ACT_HARD_SIGMOID,  // min(1, max(0, a·x + b))
  SEPAL_ACT_HARD_SWISH,    // x · min(1, max(0, x/6 + 1/2))
  SEPAL_ACT_SIGMOID,       // 1 / (1 + e⁻ˣ)
  SEPAL_ACT_SILU,          // x · sigmoid(x)
  SEPAL_ACT_TANH,
  SEPAL_ACT_GELU,          // x · Φ(x), by erf
  SEPAL_ACT_GELU_TANH,     // x · sigmoid(2·√(2/π)·(x + 0.044715·x³))
  SEPAL_ACT_ELU,           // x < 0 ? a·(eˣ − 1) : x
} sepal_activation_kind;

typedef struct {
  sepal_activation_kind kind;
  float a, b;
} sepal_activation;

// c[m, n] = act(Σₖ a[m, k]·b[k, n] + bias[n] + residual[m, n]), where m are pixels. Element k of a pixel is at
// (k / vector_width)·a_block + k % vector_width, and c's and the residual's likewise: channel-blocked images have
// a_pixel = vector_width, matrices have a_block = vector_width. `b` and `bias` are as `pack` lays them out. `residual`
// must not overlap `c`.
typedef struct SEPAL_SENDABLE {
  size_t m, n, k;
  const float *_Nullable a;
  size_t a_pixel, a_block;
  const float *_Nullable b, *_Nullable bias;
  const float *_Nullable residual;  // optional
  size_t residual_pixel, residual_block;
  float *_Nullable c;
  size_t c_pixel, c_block;
  size_t row_block;  // pixels that share one pass over the panels; ≥ 1
  sepal_activation activation;
} sepal_gemm;

enum { SEPAL_KERNEL_ROWS = 32 };

// A strip of output rows of a convolution. Input rows hold their padding; kernel_h ≤ SEPAL_KERNEL_ROWS. Where the
// channels of neighbouring pixels are neighbours too, a whole kernel row may serve as one tap.
typedef struct SEPAL_SENDABLE {
  size_t out_w, n, k;  // output pixels of a row; output and input channels of a group
  size_t kernel_h, taps, tap_step;
  size_t a_pixel, a_block, a_group;  // floats from output pixel to output pixel, from block to block, from group to group
  size_t c_pixel, c_block, c_group;
  size_t residual_block, residual_group;
  size_t row_count;
  const float *_Nullable const *_Nullable rows;      // [row_count][kernel_h]
  float *_Nullable const *_Nullable out;             // [row_count]
  const float *_Nullable const *_Nullable residual;  // optional, [row_count]
  const float *_Nullable weights, *_Nullable bias;   // per group, packed for depth kernel_h·taps·k in that order
  sepal_activation activation;
} sepal_convolution;

// A 3×3 convolution with stride 1 over channel-blocked images, in square tiles of output pixels that are numbered image
// by image and row by row; those at the right and lower edges may reach beyond the image. Input pixels outside the image
// are zeros.
typedef struct SEPAL_SENDABLE {
  size_t tile;  // 2 or 4 pixels wide; it takes (tile + 2)² products, a matrix for each
  size_t in_h, in_w, out_h, out_w, pad_top, pad_left;
  const float *_Nullable in;
  size_t in_image, in_block;
  float *_Nullable out;
  const float *_Nullable residual;  // optional, arranged as the output
  size_t out_image, out_block;
  const float *_Nullable bias;  // padded to whole vectors
  size_t matrix, block;         // floats from matrix to matrix, and from channel block to channel block of one
  sepal_activation activation;
} sepal_winograd;

// A strip of output rows of one channel-blocked image under a window that slides over each channel by itself.
typedef struct SEPAL_SENDABLE {
  size_t in_w, out_w, kernel_h, kernel_w, stride_w, dilation_w, pad_left;
  size_t row_count;
  const float *_Nullable const *_Nullable rows;  // [row_count][kernel_h]; NULL outside the image
  size_t in_block;
  float *_Nullable const *_Nullable out;  // [row_count]
  size_t out_block;
  const float *_Nullable const *_Nullable residual;  // optional, [row_count]; depthwise only
  size_t residual_block;
  const float *_Nullable weights, *_Nullable bias;  // depthwise: [blocks][kernel_h·kernel_w][vector_width] and [blocks][vector_width]
  const float *_Nullable zeros;                     // in_w·vector_width zeros
  sepal_activation activation;
} sepal_strip;

typedef enum { SEPAL_ADD, SEPAL_SUB, SEPAL_MUL, SEPAL_DIV, SEPAL_MIN, SEPAL_MAX } sepal_binary_op;

// dst[r, c] = act(x[r, c] op y[r, c]). A step of 0 broadcasts along columns, a stride of 0 along rows.
// dst may be exactly x or y where that operand is not broadcast.
typedef struct SEPAL_SENDABLE {
  sepal_binary_op op;
  size_t rows, columns;
  const float *_Nullable x, *_Nullable y;
  size_t x_stride, y_stride;
  bool x_step, y_step;
  float *_Nullable dst;
  size_t dst_stride;
  sepal_activation activation;
} sepal_binary;

typedef struct {
  const char *name;
  size_t vector_width;  // floats; packed weights are padded to it
  size_t panel_width;   // floats in the widest panel

  // The number of panels that n columns are divided into, and the first vector of panel i.
  size_t (*_Nonnull panel_count)(size_t n);
  size_t (*_Nonnull panel_start)(size_t n, size_t i);
  // Pixels of the tiles of the widest panel.
  size_t (*_Nonnull tile_pixels)(size_t n);
  // Floats of a packed matrix of depth k.
  size_t (*_Nonnull packed_size)(size_t n, size_t k);
  // Packs panels [begin, end) of w(n, tap, k) = src[n·n_stride + tap·tap_stride + k·k_stride] for depth taps·k.
  void (*_Nonnull pack)(
      float *dst, const float *src, size_t n, size_t taps, size_t k, size_t n_stride, size_t tap_stride,
      size_t k_stride, size_t begin, size_t end);
  // Packs channel blocks [begin, end) of src[channels][taps] as [blocks][taps][vector_width]; lanes beyond are zero.
  void (*_Nonnull pack_channels)(
      float *dst, const float *src, size_t channels, size_t taps, size_t begin, size_t end);
  // Panels [panel_begin, panel_end) of rows [row_begin, row_end).
  void (*_Nonnull gemm)(
      const sepal_gemm *, size_t row_begin, size_t row_end, size_t panel_begin, size_t panel_end);

  // Panels [begin, end) of groups · panel_count(n).
  void (*_Nonnull convolve)(const sepal_convolution *, size_t panel_begin, size_t panel_end);

  // A convolution by Winograd's algorithm is `winograd_input`, `gemm` on each matrix with tiles for pixels, and
  // `winograd_output`. The weights w(n, k, 3, 3) are as many packed matrices, one after another; this makes panels
  // [begin, end) of each.
  void (*_Nonnull winograd_pack)(
      float *dst, const float *src, size_t tile, size_t n, size_t k, size_t panel_begin, size_t panel_end);
  // Tiles [begin, end) of blocks [begin, end); `points` is where the first tile of the first block is, or will be, in the
  // first matrix.
  void (*_Nonnull winograd_input)(
      const sepal_winograd *, float *points, size_t tile_begin, size_t tile_end, size_t block_begin,
      size_t block_end);
  void (*_Nonnull winograd_output)(
      const sepal_winograd *, const float *points, size_t tile_begin, size_t tile_end, size_t block_begin,
      size_t block_end);

  // These run channel blocks [begin, end).
  void (*_Nonnull depthwise)(const sepal_strip *, size_t block_begin, size_t block_end);
  // Padding never wins a maximum.
  void (*_Nonnull max_pool)(const sepal_strip *, size_t block_begin, size_t block_end);
  // Divides by row_cells[row] times the window columns inside the image, or inside the image with its padding.
  void (*_Nonnull average_pool)(
      const sepal_strip *, const size_t *row_cells, bool include_pad, size_t pad_right, size_t block_begin,
      size_t block_end);
  // dst[block·vector_width + lane] = the mean over the pixels of a block.
  void (*_Nonnull global_average)(
      float *dst, const float *src, size_t pixels, size_t block_begin, size_t block_end, size_t src_block);

  // dst may be src.
  void (*_Nonnull activate)(float *dst, const float *src, size_t n, sepal_activation);
  void (*_Nonnull binary)(const sepal_binary *);
  // dst[r, c] = act(src[r, c]·scale[c] + shift[c]), rows one after another; dst may be src.
  void (*_Nonnull scale_shift)(
      float *dst, const float *src, const float *scale, const float *shift, size_t rows, size_t columns,
      sepal_activation);
  // Softmax of each row; dst may be src.
  void (*_Nonnull softmax)(float *dst, const float *src, size_t rows, size_t columns);

  // Does at least `operations` floating-point operations on registers, as multiply-adds, and returns how many.
  double (*_Nonnull multiply_adds)(double operations);
} sepal_kernels;

// The best instruction set that this processor and operating system run.
sepal_isa sepal_best_isa(void);
// NULL where this machine cannot run `isa` or this build does not hold it.
const sepal_kernels *_Nullable sepal_kernels_for(sepal_isa isa);

// Where the elements of an image are: channel c of pixel p at (c / width)·block + p·pixel + (c % width)·lane.
typedef struct SEPAL_SENDABLE {
  size_t pixel, block, lane;
} sepal_layout;

// Copies `channels` channels of `pixels` pixels, `width` channels to a block.
void sepal_reorder(
    float *dst, sepal_layout to, const float *src, sepal_layout from, size_t pixels, size_t channels, size_t width);
// Copies a box of elements between strided arrays. Strides count elements; element_size is 1, 2, 4 or 8 bytes.
void sepal_copy_box(
    void *dst, const void *src, size_t rank, const size_t *_Nullable extents,
    const ptrdiff_t *_Nullable dst_strides, const ptrdiff_t *_Nullable src_strides, size_t element_size);

// Shortens the first bytes of a message to 16 that have the same remainder under CRC-32's polynomial, the initial value
// being part of them. Returns how many bytes they stand for: 0 where the processor cannot do it or there are too few.
size_t sepal_crc32_fold(uint8_t *remainder, const uint8_t *bytes, size_t count);

#pragma clang assume_nonnull end
