// Activations on vectors and on spans.
//
// Errors against the real function, in units of the last place of the result, measured by the tests over the whole
// range: exp 2, sigmoid 4, tanh 4, silu 5, elu 3; gelu 8 for x > −1, and relative error growing as x²·2⁻²³ in the
// negative tail, where the result itself vanishes.

// e^x − 1 = scale·(m + 1) − 1, with m = e^r − 1 for the remainder |r| ≤ ln2/2 and scale = 2^n in two factors, so
// that both ends of the range (overflow to ∞, subnormal results) come out right.
typedef struct {
  vf m, scale, scale_rest;
} exp_parts;

INLINE exp_parts exp_split(vf x) {
  x = clamp(x, splat(-104.0f), splat(89.0f));
  // Adding 1.5·2²³ rounds to an integer, which then stands in the low bits of the sum.
  const vf magic = splat(12582912.0f);
  const vf biased = madd(x, splat(1.44269504088896341f), magic);
  const vf n = biased - magic;
  vf r = madd(n, splat(-0.693359375f), x);
  r = madd(n, splat(2.12194440e-4f), r);
  vf p = splat(1.0f / 5040);
  p = madd(p, r, splat(1.0f / 720));
  p = madd(p, r, splat(1.0f / 120));
  p = madd(p, r, splat(1.0f / 24));
  p = madd(p, r, splat(1.0f / 6));
  p = madd(p, r, splat(0.5f));
  const vi exponent = (vi)biased - (vi)magic;
  const vi half = exponent >> 1;
  exp_parts parts;
  parts.m = madd(p, r * r, r);
  parts.scale = (vf)((half + 127) << 23);
  parts.scale_rest = (vf)((exponent - half + 127) << 23);
  return parts;
}

INLINE vf vexp(vf x) {
  const exp_parts e = exp_split(x);
  return (e.m + splat(1.0f)) * e.scale * e.scale_rest;
}

INLINE vf vexpm1(vf x) {
  const exp_parts e = exp_split(x);
  const vf scale = e.scale * e.scale_rest;
  return madd(e.m, scale, scale - splat(1.0f));
}

// Both branches divide by 1 + e^−|x| and so never lose the small results.
INLINE vf vsigmoid(vf x) {
  const vf e = vexp(-magnitude(x));
  return (x < splat(0.0f) ? e : splat(1.0f)) / (splat(1.0f) + e);
}

INLINE vf vtanh(vf x) {
  const vf e = vexpm1(splat(-2.0f) * magnitude(x));
  return with_sign_of(-e / (e + splat(2.0f)), x);
}

// Φ(x) = erfc(−x/√2)/2. erf by a polynomial up to 1, erfc by e^(−t²)/t times a polynomial in 1/t² beyond it.
INLINE vf normal_cdf(vf x) {
  const vf t = x * splat(0.70710678118654752f);
  const vf a = magnitude(t);
  const vf square = a * a;

  vf small = splat(7.853861353153693e-5f);
  small = madd(small, square, splat(-8.010193625184903e-4f));
  small = madd(small, square, splat(5.188327685732524e-3f));
  small = madd(small, square, splat(-2.685381193529856e-2f));
  small = madd(small, square, splat(1.128358514861418e-1f));
  small = madd(small, square, splat(-3.761262582423300e-1f));
  small = madd(small, square, splat(1.128379165726710f));
  small = splat(0.5f) + splat(0.5f) * t * small;

  const vf q = splat(1.0f) / at_least(a, splat(1.0f));
  const vf y = q * q;
  vf middle = splat(2.326819970068386e-2f);
  middle = madd(middle, y, splat(-1.387039388740657e-1f));
  middle = madd(middle, y, splat(3.687424674597105e-1f));
  middle = madd(middle, y, splat(-5.824733027278666e-1f));
  middle = madd(middle, y, splat(6.210004621745983e-1f));
  middle = madd(middle, y, splat(-4.944515323274145e-1f));
  middle = madd(middle, y, splat(3.404879937665872e-1f));
  middle = madd(middle, y, splat(-2.741127028184656e-1f));
  middle = madd(middle, y, splat(5.638259427386472e-1f));
  vf far = splat(-1.047766399936249e+1f);
  far = madd(far, y, splat(1.297719955372516e+1f));
  far = madd(far, y, splat(-7.495518717768503f));
  far = madd(far, y, splat(2.921019019210786f));
  far = madd(far, y, splat(-1.015265279202700f));
  far = madd(far, y, splat(4.218463358204948e-1f));
  far = madd(far, y, splat(-2.820767439740514e-1f));
  far = madd(far, y, splat(5.641895067754075e-1f));
  const vf tail = splat(0.5f) * vexp(-square) * q * (a < splat(2.0f) ? middle : far);
  const vf large = t < splat(0.0f) ? tail : splat(1.0f) - tail;
  return a < splat(1.0f) ? small : large;
}

// ½·(1 + tanh u) is sigmoid(2u), which does not cancel for negative u.
INLINE vf gelu_tanh(vf x) {
  const vf u = x * madd(x * x, splat(0.044715f), splat(1.0f));
  return x * vsigmoid(splat(1.59576912160573071f) * u);
}

INLINE vf hard_swish(vf x) {
  return x * clamp(madd(x, splat(1.0f / 6), splat(0.5f)), splat(0.0f), splat(1.0f));
}

// `kind` is a literal at every call, so that each instance is one loop over one function.
INLINE vf activated(vf x, const sepal_activation_kind kind, vf a, vf b) {
  switch (kind) {
  case SEPAL_ACT_NONE: return x;
  case SEPAL_ACT_CLAMP: return clamp(x, a, b);
  case SEPAL_ACT_LEAKY_RELU: return x < splat(0.0f) ? x * a : x;
  case SEPAL_ACT_HARD_SIGMOID: return clamp(madd(x, a, b), splat(0.0f), splat(1.0f));
  case SEPAL_ACT_HARD_SWISH: return hard_swish(x);
  case SEPAL_ACT_SIGMOID: return vsigmoid(x);
  case SEPAL_ACT_SILU: return x * vsigmoid(x);
  case SEPAL_ACT_TANH: return vtanh(x);
  case SEPAL_ACT_GELU: return x * normal_cdf(x);
  case SEPAL_ACT_GELU_TANH: return gelu_tanh(x);
  case SEPAL_ACT_ELU: return x < splat(0.0f) ? a * vexpm1(x) : x;
  }
  return x;
}

INLINE void activate_as(
    float *dst, const float *src, size_t n, const sepal_activation_kind kind, float a, float b) {
  const vf va = splat(a), vb = splat(b);
  size_t i = 0;
  for (; i + VW <= n; i += VW) store(dst + i, activated(load(src + i), kind, va, vb));
  if (i < n) STORE_SOME(dst + i, activated(LOAD_SOME(src + i, n - i), kind, va, vb), n - i);
}

NOINLINE void activate(float *dst, const float *src, size_t n, sepal_activation act) {
#define CASE(K) \
  case K: activate_as(dst, src, n, K, act.a, act.b); break;
  switch (act.kind) {
    CASE(SEPAL_ACT_NONE)
    CASE(SEPAL_ACT_CLAMP)
    CASE(SEPAL_ACT_LEAKY_RELU)
    CASE(SEPAL_ACT_HARD_SIGMOID)
    CASE(SEPAL_ACT_HARD_SWISH)
    CASE(SEPAL_ACT_SIGMOID)
    CASE(SEPAL_ACT_SILU)
    CASE(SEPAL_ACT_TANH)
    CASE(SEPAL_ACT_GELU)
    CASE(SEPAL_ACT_GELU_TANH)
    CASE(SEPAL_ACT_ELU)
  }
#undef CASE
}

// How a kernel finishes a value: clamping happens in registers, everything else on what it has just stored.
typedef struct {
  vf low, high;
  bool stored;
} epilogue;

INLINE epilogue epilogue_of(sepal_activation act) {
  const bool clamps = act.kind == SEPAL_ACT_CLAMP;
  epilogue e = {
      splat(clamps ? act.a : -__builtin_inff()), splat(clamps ? act.b : __builtin_inff()),
      act.kind != SEPAL_ACT_NONE && !clamps};
  return e;
}
