// The functions of all bodies as one table. ISA_NAME names the instruction set.
#define TABLE \
  { \
    .name = ISA_NAME, .vector_width = VW, .panel_width = NV_MAX * VW, .panel_count = panel_count, \
    .panel_start = first_vector, .tile_pixels = tile_pixels, .packed_size = packed_size, .pack = pack, \
    .pack_channels = pack_channels, .gemm = gemm, .convolve = convolve, .winograd_pack = winograd_pack, \
    .winograd_input = winograd_input, .winograd_output = winograd_output, .depthwise = depthwise, \
    .max_pool = max_pool, .average_pool = average_pool, .global_average = global_average, \
    .activate = activate, .binary = binary, .scale_shift = scale_shift, .softmax = softmax, \
    .multiply_adds = multiply_adds, \
  }
