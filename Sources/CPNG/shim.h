#include <png.h>

// Macros that Swift cannot read.
static const png_uint_32 sepal_png_version = PNG_IMAGE_VERSION;
static const png_uint_32 sepal_png_rgba = PNG_FORMAT_RGBA;
static const png_uint_32 sepal_png_16_bit_srgb = PNG_IMAGE_FLAG_16BIT_sRGB;
