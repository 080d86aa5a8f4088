// Micro-kernels over channels-last (NHWC) fp32 activations.
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

// c[m, n] = act(Σₖ a[m, k]·b[k, n] + bias[n] + residual[m, n]). Strides count floats.
// `b` and `bias` are as `pack` lays them out. `residual` must not overlap `c`.
typedef struct SEPAL_SENDABLE {
  size_t m, n, k;
  const float *_Nullable a;
  size_t a_stride;
  const float *_Nullable b, *_Nullable bias;
  const float *_Nullable residual;  // optional
  size_t residual_stride;
  float *_Nullable c;
  size_t c_stride;
  size_t row_block;  // rows that share one pass over the panels; ≥ 1
  size_t k_block;    // depth that is accumulated in registers before c is touched; ≥ 1
  sepal_activation activation;
} sepal_gemm;

// The geometry of a window that slides over an NHWC image, and the operands of convolution and depthwise
// convolution. Pads after the image are implied by the output extent. Strides count floats from pixel to pixel.
typedef struct SEPAL_SENDABLE {
  size_t batch, in_h, in_w, in_c, out_h, out_w, out_c, groups;
  size_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
  const float *_Nullable input;
  size_t in_stride;
  const float *_Nullable weights, *_Nullable bias;  // packed; not used by pooling
  const float *_Nullable residual;                  // optional; must not overlap the output
  size_t residual_stride;
  float *_Nullable output;
  size_t out_stride;
  const float *_Nullable zeros;  // at least in_c + 16 zero floats, read where the window leaves the image
  sepal_activation activation;
} sepal_window;

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

  // The number of panels that n columns are divided into, and the floats of a packed matrix of depth k.
  size_t (*_Nonnull panel_count)(size_t n);
  size_t (*_Nonnull packed_size)(size_t n, size_t k);
  // Packs panels [begin, end) of w(n, tap, k) = src[n·n_stride + tap·tap_stride + k·k_stride] for depth taps·k.
  void (*_Nonnull pack)(
      float *dst, const float *src, size_t n, size_t taps, size_t k, size_t n_stride, size_t tap_stride,
      size_t k_stride, size_t begin, size_t end);
  // Panels [panel_begin, panel_end) of rows [row_begin, row_end).
  void (*_Nonnull gemm)(
      const sepal_gemm *, size_t row_begin, size_t row_end, size_t panel_begin, size_t panel_end);

  // Convolution of any kernel, stride, dilation, padding and group count, as a GEMM over pointers to the pixels
  // under the window. Weights: per group, packed for depth kernel_h·kernel_w·(in_c / groups) in that order; bias per
  // group, padded to whole vectors. Runs output pixels [begin, end) of batch·out_h·out_w.
  void (*_Nonnull convolve)(const sepal_window *, size_t begin, size_t end, void *scratch);
  size_t (*_Nonnull convolve_scratch)(const sepal_window *);  // bytes, per thread

  // Depthwise convolution, one filter per channel. Weights: [kernel_h·kernel_w][in_c]; bias: [in_c].
  // Runs output rows [begin, end) of batch·out_h.
  void (*_Nonnull depthwise)(const sepal_window *, size_t begin, size_t end, void *scratch);
  size_t (*_Nonnull depthwise_scratch)(const sepal_window *);  // bytes, per thread

  // Pooling over output rows [begin, end) of batch·out_h. Padding never wins a maximum. An average divides by the
  // window cells inside the image, or inside the image padded by pad_top, pad_left, pad_bottom and pad_right.
  void (*_Nonnull max_pool)(const sepal_window *, size_t begin, size_t end);
  void (*_Nonnull average_pool)(
      const sepal_window *, bool include_pad, size_t pad_bottom, size_t pad_right, size_t begin, size_t end);
  // dst[c] = mean over pixels of src[pixel·stride + c].
  void (*_Nonnull global_average)(float *dst, const float *src, size_t pixels, size_t channels, size_t stride);

  // dst may be src.
  void (*_Nonnull activate)(float *dst, const float *src, size_t n, sepal_activation);
  void (*_Nonnull binary)(const sepal_binary *);
  // dst[r, c] = act(src[r, c]·scale[c] + shift[c]), rows one after another; dst may be src.
  void (*_Nonnull scale_shift)(
      float *dst, const float *src, const float *scale, const float *shift, size_t rows, size_t columns,
      sepal_activation);
  // Softmax of each row; dst may be src.
  void (*_Nonnull softmax)(float *dst, const float *src, size_t rows, size_t columns);
} sepal_kernels;

// The best instruction set that this processor and operating system run.
sepal_isa sepal_best_isa(void);
// NULL where this machine cannot run `isa` or this build does not hold it.
const sepal_kernels *_Nullable sepal_kernels_for(sepal_isa isa);

// dst[c, r] = src[r, c]. Between NHWC and NCHW, once per image.
void sepal_transpose(float *dst, const float *src, size_t rows, size_t columns);
// Copies a box of elements between strided arrays. Strides count elements; element_size is 1, 2, 4 or 8 bytes.
void sepal_copy_box(
    void *dst, const void *src, size_t rank, const size_t *_Nullable extents,
    const ptrdiff_t *_Nullable dst_strides, const ptrdiff_t *_Nullable src_strides, size_t element_size);

#pragma clang assume_nonnull end
