// The functions of all bodies as one table. ISA_NAME names the instruction set.
#define TABLE \
  { \
    .name = ISA_NAME, .vector_width = VW, .panel_width = NV_MAX * VW, .panel_count = panel_count, \
    .packed_size = packed_size, .pack = pack, .gemm = gemm, .convolve = convolve, \
    .convolve_scratch = convolve_scratch, .depthwise = depthwise, .depthwise_scratch = depthwise_scratch, \
    .max_pool = max_pool, .average_pool = average_pool, .global_average = global_average, \
    .activate = activate, .binary = binary, .scale_shift = scale_shift, .softmax = softmax, \
  }
