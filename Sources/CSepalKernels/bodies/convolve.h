// Convolution over padded rows, as a GEMM with taps. The window never leaves a row that it is given: padding is in the
// rows, where the caller put it.

static void convolve(const sepal_convolution *w, size_t panel_begin, size_t panel_end) {
  const size_t depth = w->kernel_h * w->taps * w->k;
  const size_t panels = panel_count(w->n), vectors = ceil_divide(w->n, VW);
  tile_run run = {
      .row_count = w->kernel_h, .taps = w->taps, .tap_step = w->tap_step, .k = w->k, .a_pixel = w->a_pixel,
      .a_block = w->a_block, .residual_pixel = w->c_pixel, .residual_block = w->residual_block,
      .c_pixel = w->c_pixel, .c_block = w->c_block,
  };
  for (size_t panel = panel_begin; panel < panel_end; panel++) {
    const size_t group = panel / panels, p = panel % panels;
    const size_t v = panel_start(w->n, panels, p), nv = panel_start(w->n, panels, p + 1) - v;
    run.b = w->weights + (group * vectors + v) * VW * depth;
    run.bias = w->bias + (group * vectors + v) * VW;
    const bool stored = set_epilogue(&run, w->n, v + nv, w->activation);
    for (size_t r = 0; r < w->row_count; r++) {
      const float *rows[SEPAL_KERNEL_ROWS];
      for (size_t ky = 0; ky < w->kernel_h; ky++) rows[ky] = w->rows[r * w->kernel_h + ky] + group * w->a_group;
      run.rows = rows;
      run.residual =
          w->residual ? w->residual[r] + group * w->residual_group + v * w->residual_block : NULL;
      run.c = w->out[r] + group * w->c_group + v * w->c_block;
      run_pixels(&run, w->out_w, nv);
      if (stored) activate_stored(&run, w->out_w, nv, w->activation);
    }
  }
}
