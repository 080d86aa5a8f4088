// What the arithmetic units can do: multiply-adds on registers, with more sums in flight than the latency needs. The
// empty assembly keeps the compiler from knowing, and so from leaving out, what a sum is.

static double multiply_adds(double operations) {
  vf sum[12], factor = splat(0.5f), term = splat(1.0f);
  __asm__ volatile("" : KEPT(factor), KEPT(term));
  UNROLL for (size_t i = 0; i < 12; i++) sum[i] = term;
  size_t rounds = (size_t)(operations / (2.0 * 12 * VW)) + 1;
  const double done = (double)rounds * 2.0 * 12 * VW;
  for (; rounds > 0; rounds--) {
    UNROLL for (size_t i = 0; i < 12; i++) {
      sum[i] = madd(sum[i], factor, term);
      __asm__ volatile("" : KEPT(sum[i]));
    }
  }
  return done;
}
