// What the arithmetic units can do: multiply-adds on registers, with more sums in flight than the latency needs. The
// empty assembly keeps the compiler from knowing, and so from leaving out, what a sum is.

static double multiply_adds(double operations) {
  vf sum[12], factor = splat(0.5f), term = splat(1.0f);
  __asm__ volatile("" : KEPT(factor), KEPT(term));
  UNROLL for (size_t i = 0; i < 12; i++) sum[i] = term;
  double done = 0;
  for (; done < operations; done += 2.0 * 16 * 12 * VW) {
    UNROLL for (size_t round = 0; round < 16; round++) {
      UNROLL for (size_t i = 0; i < 12; i++) {
        sum[i] = madd(sum[i], factor, term);
        __asm__ volatile("" : KEPT(sum[i]));
      }
    }
  }
  return done;
}
