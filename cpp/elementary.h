// exp, log, log1p, logistic and power on any number type: branch-free, no calls, no tables.
//
// Arguments are in the range each function states; the drivers see to it (cpu/elementwise/block.h sends anything else to
// the double-precision fallback). Coefficients: cpp/tools/fit_polynomials.py. Largest errors in ulp, float / double, measured
// without FMA by cpp/tests/elementary_test.cpp, which fails when they grow: exp 1.2 / 1.2, log1p 1.2 / 1.2,
// sigmoid 2.6 / 2.8, softplus 6.2 / 2.8, power for any gamma to 5 4.2 / 3.9. With FMA in float exp 4.6, sigmoid 5.4.
#pragma once

#include <math.h>

#include "pack.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// Constants and polynomials of one lane type, highest power last.
template <class T> struct Constants;

template <> struct Constants<float> {
  static constexpr float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer held in the low bits
  static constexpr int32_t magic_bits = 0x4B400000;
  static constexpr int mantissa = 23;
  static constexpr int32_t bias = 127;
  static constexpr int32_t half_bits = 0x3F000000;
  static constexpr int32_t sqrt_half_bits = 0x3F3504F3;
  static constexpr float smallest_exponent = -126.0f;
  static constexpr float smallest_normal = 1.17549435e-38f;
  static constexpr float least_ratio = 9.09494702e-13f;  // 2^-40: its square is far below the rounding of a square of 1
  static constexpr float near_zero = 0.3465735f;  // exp_tail's range, ln 2 / 2
  static constexpr int half_mantissa = 11;
  static constexpr float log2e = 1.44269504f;
  static constexpr float ln2 = 0.69314718f;
  static constexpr float ln2_high = 0.693359375f;  // few enough bits that k * ln2_high is exact without FMA
  static constexpr float ln2_low = -2.12194440e-4f;

  // (e^r - 1 - r) / r^2 on [-ln2 / 2, ln2 / 2]
  template <class R> static FOCAL_INLINE R exp_tail(R r) {
    R p = muladd(R(1.381446726e-3f), r, R(8.368780323e-3f));
    p = muladd(p, r, R(4.166839418e-2f));
    p = muladd(p, r, R(1.666652012e-1f));
    return muladd(p, r, R(4.999999341e-1f));
  }
  // (atanh(s) / s - 1) / s^2 in u = s^2 on [0, 0.0297]
  template <class R> static FOCAL_INLINE R atanh_tail(R u) {
    R p = muladd(R(1.494218552e-1f), u, R(1.998855665e-1f));
    return muladd(p, u, R(3.333338973e-1f));
  }
  // -log(1 - w) / w on [0, 0.5]
  template <class R> static FOCAL_INLINE R softplus_tail(R w) {
    R p = muladd(R(1.184923470646107f), w, R(-1.081527157083983f));
    p = muladd(p, w, R(0.7854228444949485f));
    p = muladd(p, w, R(0.03802056653208933f));
    p = muladd(p, w, R(0.2722501476936031f));
    p = muladd(p, w, R(0.3318626498982039f));
    p = muladd(p, w, R(0.5000365421967735f));
    return muladd(p, w, R(0.9999998524401335f));
  }
  // The same on [1 - sqrt(2), 1 - sqrt(1/2)]
  template <class R> static FOCAL_INLINE R log_tail(R w) {
    R p = muladd(R(0.10103097f), w, R(0.16224773f));
    p = muladd(p, w, R(0.17252652f));
    p = muladd(p, w, R(0.19899973f));
    p = muladd(p, w, R(0.24969767f));
    p = muladd(p, w, R(0.33335063f));
    p = muladd(p, w, R(0.50000367f));
    return muladd(p, w, R(0.99999995f));
  }
};

template <> struct Constants<double> {
  static constexpr double magic = 6755399441055744.0;  // 1.5 * 2^52
  static constexpr int64_t magic_bits = 0x4338000000000000;
  static constexpr int mantissa = 52;
  static constexpr int64_t bias = 1023;
  static constexpr int64_t half_bits = 0x3FE0000000000000;
  static constexpr int64_t sqrt_half_bits = 0x3FE6A09E667F3BCD;
  static constexpr double smallest_exponent = -1022.0;
  static constexpr double smallest_normal = 2.2250738585072014e-308;
  static constexpr double least_ratio = 8.271806125530277e-25;  // 2^-80
  static constexpr double near_zero = 0.34657359;
  static constexpr int half_mantissa = 25;
  static constexpr double log2e = 1.44269504088896340736;
  static constexpr double ln2 = 0.69314718055994530942;
  static constexpr double ln2_high = 6.93147180369123816490e-01;
  static constexpr double ln2_low = 1.90821492927058770002e-10;

  template <class R> static FOCAL_INLINE R exp_tail(R r) {
    R p = muladd(R(2.499994438197491564e-8), r, R(2.763037805774673824e-7));
    p = muladd(p, r, R(2.755758739897474331e-6));
    p = muladd(p, r, R(2.480149276443099417e-5));
    p = muladd(p, r, R(1.984126950471409682e-4));
    p = muladd(p, r, R(1.388888894392101597e-3));
    p = muladd(p, r, R(8.333333333495641074e-3));
    p = muladd(p, r, R(4.166666666652919491e-2));
    p = muladd(p, r, R(1.666666666666641022e-1));
    return muladd(p, r, R(5.00000000000001072e-1));
  }
  template <class R> static FOCAL_INLINE R atanh_tail(R u) {
    R p = muladd(R(7.388101595244847536e-2), u, R(7.658199577156283752e-2));
    p = muladd(p, u, R(9.091727333085674111e-2));
    p = muladd(p, u, R(1.111110055960458699e-1));
    p = muladd(p, u, R(1.428571435593512796e-1));
    p = muladd(p, u, R(1.999999999979472752e-1));
    return muladd(p, u, R(3.333333333333349244e-1));
  }
  // the same function on the wider range u <= 1/9 that log1p needs on [0, 1]
  template <class R> static FOCAL_INLINE R atanh_tail_wide(R u) {
    R p = muladd(R(8.200424787298257438e-2), u, R(3.518153940230119584e-2));
    p = muladd(p, u, R(5.480539399354572006e-2));
    p = muladd(p, u, R(5.858866582292964775e-2));
    p = muladd(p, u, R(6.668316478445830914e-2));
    p = muladd(p, u, R(7.69223139506435199e-2));
    p = muladd(p, u, R(9.09091138013945693e-2));
    p = muladd(p, u, R(1.111111106843662827e-1));
    p = muladd(p, u, R(1.42857142861678889e-1));
    p = muladd(p, u, R(1.999999999999768262e-1));
    return muladd(p, u, R(3.333333333333333706e-1));
  }
};

// x without the lower half of its bits: a product of two such numbers is exact.
template <class R> FOCAL_INLINE R leading_bits(R x) {
  using C = Constants<typename Number<R>::Lane>;
  return as_float((as_int(x) >> (C::mantissa - C::half_mantissa)) << (C::mantissa - C::half_mantissa));
}

// x * 2^k with k in the low bits of k + magic. The multiplication lets a NaN in x through.
template <class R> FOCAL_INLINE R scale_by_power_of_two(R x, R k_plus_magic) {
  using C = Constants<typename Number<R>::Lane>;
  return x * as_float((as_int(k_plus_magic) + C::bias) << C::mantissa);
}

// The same for x of about 1, one operation less; a NaN does not survive it.
template <class R> FOCAL_INLINE R add_to_exponent(R x, R k_plus_magic) {
  using C = Constants<typename Number<R>::Lane>;
  return as_float(wrapping_sum(as_int(x), as_int(k_plus_magic) << C::mantissa));
}

// t = k ln 2 + rest, |rest| at most about ln 2 / 2
template <class R> struct Reduced { R rest, k, k_plus_magic; };

template <class R> FOCAL_INLINE R minus_multiple_of_ln2(R t, R k) {
  using T = typename Number<R>::Lane;
  using C = Constants<T>;
  // In one rounding, one float of ln 2 is enough: k times its error is 2.4e-7 at most
  if constexpr (fused_muladd && sizeof(T) == sizeof(float)) return muladd(k, R(-C::ln2), t);
  else return muladd(k, R(-C::ln2_low), muladd(k, R(-C::ln2_high), t));
}

template <class R> FOCAL_INLINE Reduced<R> reduce(R t) {
  using C = Constants<typename Number<R>::Lane>;
  R k_plus_magic = muladd(t, R(C::log2e), R(C::magic));
  R k = k_plus_magic - R(C::magic);
  return {minus_multiple_of_ln2(t, k), k, k_plus_magic};
}

// e^r for |r| at most about ln 2 / 2
template <class R> FOCAL_INLINE R exp_of_rest(R r) {
  using C = Constants<typename Number<R>::Lane>;
  return muladd(muladd(C::exp_tail(r), r, R(1)), r, R(1));
}

// e^t for |t| <= 87 (double: 708). NaN gives NaN.
template <class R> FOCAL_INLINE R exponential(R t) {
  Reduced<R> t_reduced = reduce(t);
  return scale_by_power_of_two(exp_of_rest(t_reduced.rest), t_reduced.k_plus_magic);
}

template <class R> struct LogParts { R exponent, log_mantissa; };  // log x = exponent ln 2 + log_mantissa

// x positive and normal
template <class R> FOCAL_INLINE LogParts<R> log_parts(R x) {
  using C = Constants<typename Number<R>::Lane>;
  auto k = (as_int(x) - C::sqrt_half_bits) >> C::mantissa;
  R f = as_float(as_int(x) - (k << C::mantissa)) - R(1);  // in [sqrt(1/2) - 1, sqrt(2) - 1], exact
  R exponent = as_float(k + C::magic_bits) - R(C::magic);
  R s = f / (f + R(2));
  R u = s * s;
  // 2 atanh(s) = 2s + 2s u tail, with 2s = f - s f: the leading term stays exact
  R half_square = R(0.5) * f * f;
  return {exponent, f - muladd(-s, muladd(R(2) * u, C::atanh_tail(u), half_square), half_square)};
}

template <class R> FOCAL_INLINE R logarithm(const LogParts<R> &log) {
  using C = Constants<typename Number<R>::Lane>;
  return muladd(log.exponent, R(C::ln2_high), muladd(log.exponent, R(C::ln2_low), log.log_mantissa));
}

// log x, x positive and normal
template <class R> FOCAL_INLINE R logarithm(R x) { return logarithm(log_parts(x)); }

// -log(1 - w) / w for w in [0, 1/2]
template <class T, class R> FOCAL_INLINE R log_rest_ratio_of(R w, const float *) { return Constants<T>::softplus_tail(w); }
template <class T, class R> FOCAL_INLINE R log_rest_ratio_of(R w, const double *) {
  R rest = R(1) / (R(2) - w);
  R a = w * rest, u = a * a;  // -log(1 - w) = 2 atanh(w / (2 - w))
  return muladd(R(2) * u * rest, Constants<T>::atanh_tail_wide(u), R(2) * rest);
}
template <class R> FOCAL_INLINE R log_rest_ratio(R w) {
  using T = typename Number<R>::Lane;
  return log_rest_ratio_of<T>(w, static_cast<const T *>(nullptr));
}

// -log(1 - t) for a float t in [0, 1), given u = 1 - t too, which is normal: u has all digits where t is near 1, and t where it is near 0.
template <class R> FOCAL_INLINE R minus_log_rest(R t, R u) {
  using C = Constants<float>;
  const auto k = (as_int(u) - C::sqrt_half_bits) >> C::mantissa;
  const R scale = as_float(as_int(R(1)) - (k << C::mantissa)), exponent = as_float(k + C::magic_bits) - R(C::magic);
  const R w = select(t > R(0.5), muladd(-scale, u, R(1)), muladd(scale, t, R(1) - scale));  // u = 2^k (1 - w)
  return muladd(w, C::log_tail(w), exponent * R(-C::ln2));
}

// log(1 + r) for 0 <= r < 1e37 (double 1e300), with a small relative error down to r = 0
template <class R> FOCAL_INLINE R log_one_plus(R r) {
  using C = Constants<typename Number<R>::Lane>;
  R u = r + R(1);
  R lost = select(u > R(C::magic), R(0), r - (u - R(1)));  // what rounding took from r
  LogParts<R> log = log_parts(u);
  R low = muladd(log.exponent, R(C::ln2_low), lost / u);
  return muladd(log.exponent, R(C::ln2_high), log.log_mantissa + low);
}

// q^gamma for gamma >= 0 and q in (0, 1], without a power function of the library. The exponent's product is
// carried in two parts, so that the error does not grow with the size of gamma log q. Underflow gives 0.
template <class T> struct PowerAny {
  static constexpr bool by_logarithm = true;
  T gamma, gamma_high, gamma_low;  // gamma = high + low, high of few bits

  FOCAL_INLINE explicit PowerAny(double g) : gamma(static_cast<T>(g)) {
    gamma_high = leading_bits(gamma);
    gamma_low = static_cast<T>(g - static_cast<double>(gamma_high));
  }
  // Of a gamma in two parts, as the above makes them: T may be a pack, with a gamma a lane
  FOCAL_INLINE PowerAny(T high, T low) : gamma(high + low), gamma_high(high), gamma_low(low) {}

  template <class R> FOCAL_INLINE R operator()(R q) const { return of_logarithm(log_parts(q)); }

  template <class R> FOCAL_INLINE R of_logarithm(const LogParts<R> &log) const {
    using C = Constants<typename Number<R>::Lane>;
    R fraction = log.log_mantissa * R(C::log2e);
    R exponent = muladd(R(gamma), log.exponent, R(gamma) * fraction);
    R bounded = larger(R(C::smallest_exponent), exponent);
    R n_plus_magic = bounded + R(C::magic);
    R n = n_plus_magic - R(C::magic);
    R rest = muladd(R(gamma_low), log.exponent, R(gamma) * fraction);
    rest = muladd(R(gamma_high), log.exponent, -n) + rest;
    R result = scale_by_power_of_two(exp_of_rest(rest * R(C::ln2)), n_plus_magic);
    return select(R(C::smallest_exponent) > exponent, R(0), result);
  }

  // w q^(gamma - 1) s, given m = w q^gamma: exactly m where s is q. s / q is bounded, where q^(gamma-1) is not.
  template <class R> FOCAL_INLINE R one_less(R q, R s, R, R m) const { return m * (s / q); }
  // The derivative of m where dq is that of q, and the second one but for what dq changes by. w comes first: it may be raised (cpu/targets/staging.h).
  template <class R> FOCAL_INLINE R tilt(R q, R dq, R, R m) const { return R(gamma) * m * (dq / q); }
  template <class R> FOCAL_INLINE R bend(R q, R dq, R, R m) const { return (R(gamma) - R(1)) * R(gamma) * m * (dq / q) * (dq / q); }
};

// The gammas people use, without a power.
struct SpecialPower {
  static constexpr bool by_logarithm = false;
  FOCAL_INLINE explicit SpecialPower(double) {}
};
struct Power0 : SpecialPower {
  using SpecialPower::SpecialPower;
  static constexpr double gamma = 0;
  template <class R> FOCAL_INLINE R operator()(R) const { return R(1); }
  template <class R> FOCAL_INLINE R one_less(R, R, R, R m) const { return m; }  // times gamma, which is 0
  template <class R> FOCAL_INLINE R tilt(R, R, R, R) const { return R(0); }
  template <class R> FOCAL_INLINE R bend(R, R, R, R) const { return R(0); }
};
struct PowerHalf : SpecialPower {
  using SpecialPower::SpecialPower;
  static constexpr double gamma = 0.5;
  template <class R> FOCAL_INLINE R operator()(R q) const { return square_root(q); }
};
struct Power1 : SpecialPower {
  using SpecialPower::SpecialPower;
  static constexpr double gamma = 1;
  template <class R> FOCAL_INLINE R operator()(R q) const { return q; }
};
struct Power3Halves : SpecialPower {
  using SpecialPower::SpecialPower;
  static constexpr double gamma = 1.5;
  template <class R> FOCAL_INLINE R operator()(R q) const { return q * square_root(q); }
};
struct Power2 : SpecialPower {
  using SpecialPower::SpecialPower;
  static constexpr double gamma = 2;
  template <class R> FOCAL_INLINE R operator()(R q) const { return q * q; }
  template <class R> FOCAL_INLINE R one_less(R q, R s, R w, R) const { return q * s * w; }
  template <class R> FOCAL_INLINE R tilt(R q, R dq, R w, R) const { return (w + w) * q * dq; }
  template <class R> FOCAL_INLINE R bend(R, R dq, R w, R) const { return (w + w) * dq * dq; }
};
struct Power3 : SpecialPower {
  using SpecialPower::SpecialPower;
  static constexpr double gamma = 3;
  template <class R> FOCAL_INLINE R operator()(R q) const { return q * q * q; }
};
struct Power4 : SpecialPower {
  using SpecialPower::SpecialPower;
  static constexpr double gamma = 4;
  template <class R> FOCAL_INLINE R operator()(R q) const {
    R square = q * q;
    return square * square;
  }
};
struct Power5 : SpecialPower {
  using SpecialPower::SpecialPower;
  static constexpr double gamma = 5;
  template <class R> FOCAL_INLINE R operator()(R q) const {
    R square = q * q;
    return square * square * q;
  }
};

// Calls f with the cheapest power for gamma.
template <class T, class F> FOCAL_INLINE void with_power(double gamma, F f) {
  if (gamma == 2) return f(Power2(gamma));
  if (gamma == 0) return f(Power0(gamma));
  if (gamma == 1) return f(Power1(gamma));
  if constexpr (sizeof(T) == sizeof(float)) {
    if (gamma == 0.5) return f(PowerHalf(gamma));
    if (gamma == 1.5) return f(Power3Halves(gamma));
    if (gamma == 3) return f(Power3(gamma));
    if (gamma == 4) return f(Power4(gamma));
    if (gamma == 5) return f(Power5(gamma));
  }
  f(PowerAny<T>(gamma));
}

// Calls f with a power for gamma, where each instance of f is large or the power is not what takes the time: only
// the usual gammas have their own.
template <class T, class F> FOCAL_INLINE void with_common_power(double gamma, F f) {
  if (gamma == 2) return f(Power2(gamma));
  if (gamma == 0) return f(Power0(gamma));
  f(PowerAny<T>(gamma));
}

// 1 / x, both normal numbers
template <class R> FOCAL_INLINE R reciprocal(R x) { return R(1) / x; }
#ifdef FOCAL_GPU
FOCAL_INLINE float reciprocal(float x) {
  const float near = gpu_reciprocal(x);
  return muladd(near, muladd(-near, x, 1.0f), near);  // as good as a division, in two operations
}
#endif

// sigmoid(z), sigmoid(-z), log(1 + e^z), log(1 + e^-z), log(1 + e^-|z|), and the logarithms of the first two
template <class R> struct Logistic {
  R s, c, softplus, softplus_minus, log1p_e;
  LogParts<R> log_s, log_c;
  FOCAL_INLINE Logistic mirrored() const { return {c, s, softplus_minus, softplus, log1p_e, log_c, log_s}; }
};

// log sigmoid(z) = min(z, 0) - log(1 + e^-|z|), with z = k ln 2 + rest
template <class R> FOCAL_INLINE LogParts<R> log_sigmoid(R z, R k, R log1p_e) {
  R exponent = smaller(k, R(0));
  return {exponent, minus_multiple_of_ln2(smaller(z, R(0)), exponent) - log1p_e};
}

// One exponential and one division; |z| <= 87 (double: 700). A NaN reaches softplus, not always s and c.
template <class T, class R> FOCAL_INLINE Logistic<R> logistic_of(R z, const float *) {
  Reduced<R> t = reduce(z);
  R e = add_to_exponent(exp_of_rest(t.rest), t.k_plus_magic);
  R c = reciprocal(e + R(1));
  R s = e * c;
  R w = smaller(s, c);
  // log(1 + e^-|z|) = -log(1 - w): softplus without a logarithm
  R tail = Constants<T>::softplus_tail(w);
  R log1p_e = w * tail;
  return {s, c, muladd(w, tail, larger(R(0), z)), muladd(w, tail, larger(R(0), -z)), log1p_e,
          log_sigmoid(z, t.k, log1p_e), log_sigmoid(-z, -t.k, log1p_e)};
}
template <class T, class R> FOCAL_INLINE Logistic<R> logistic_of(R z, const double *) {
  R minus = -absolute(z);
  Reduced<R> t = reduce(minus);
  R e = add_to_exponent(exp_of_rest(t.rest), t.k_plus_magic);
  R big = R(1) / (e + R(1)), small = e * big;
  auto positive = z > R(0);
  R a = e / (e + R(2));  // log(1 + e) = 2 atanh(e / (2 + e))
  R u = a * a;
  R log1p_e = muladd(R(2) * a * u, Constants<T>::atanh_tail_wide(u), R(2) * a);
  R big_log = -log1p_e, small_log = t.rest - log1p_e;
  return {select(positive, big, small), select(positive, small, big), log1p_e + larger(R(0), z), log1p_e + larger(R(0), -z), log1p_e,
          {select(positive, R(0), t.k), select(positive, big_log, small_log)},
          {select(positive, t.k, R(0)), select(positive, small_log, big_log)}};
}
template <class R> FOCAL_INLINE Logistic<R> logistic(R z) {
  using T = typename Number<R>::Lane;
  return logistic_of<T>(z, static_cast<const T *>(nullptr));
}

// The same of a probability itself, where s = p: p normal and below 1. One logarithm is enough, of the smaller of p and 1 - p: that
// has all its digits, and the other's logarithm comes from it.
template <class R> FOCAL_INLINE Logistic<R> logistic_of_probability(R p) {
  R c = R(1) - p, w = smaller(p, c);
  const auto is_high = p > R(0.5);
  const LogParts<R> log_w = log_parts(w);
  R large = -logarithm(log_w), small = w * log_rest_ratio(w);
  return {p,
          c,
          select(is_high, large, small),
          select(is_high, small, large),
          small,
          {select(is_high, R(0), log_w.exponent), select(is_high, -small, log_w.log_mantissa)},
          {select(is_high, log_w.exponent, R(0)), select(is_high, log_w.log_mantissa, -small)}};
}

#ifdef FOCAL_LIBM
// In double through the C library: slower, and for any finite number at all. Where FOCAL_LIBM is set, formulas find these.
FOCAL_INLINE double logarithm(double x) { return ::log(x); }
FOCAL_INLINE Logistic<double> logistic(double z) {
  const double e = ::exp(-::fabs(z)), big = 1 / (1 + e), small = e / (1 + e), log1p_e = ::log1p(e);
  return {z > 0 ? big : small, z > 0 ? small : big, larger(0.0, z) + log1p_e, larger(0.0, -z) + log1p_e, log1p_e, {}, {}};
}
FOCAL_INLINE Logistic<double> logistic_of_probability(double p) {
  const double softplus = -::log1p(-p), softplus_minus = -::log(p);
  return {p, 1 - p, softplus, softplus_minus, smaller(softplus, softplus_minus), {}, {}};
}
template <> struct PowerAny<double> {
  static constexpr bool by_logarithm = false;
  double gamma;
  FOCAL_INLINE explicit PowerAny(double g) : gamma(g) {}
  FOCAL_INLINE PowerAny(double high, double low) : gamma(high + low) {}
  FOCAL_INLINE double operator()(double q) const { return ::pow(q, gamma); }
  FOCAL_INLINE double one_less(double q, double s, double, double m) const { return q > 0 ? m * (s / q) : 0; }
  FOCAL_INLINE double tilt(double q, double dq, double, double m) const { return q > 0 ? gamma * m * (dq / q) : 0; }
  FOCAL_INLINE double bend(double q, double dq, double, double m) const { return q > 0 ? (gamma - 1) * gamma * m * (dq / q) * (dq / q) : 0; }
};
#endif

// sigmoid(z)^gamma
template <class Power, class R> FOCAL_INLINE R power_of_sigmoid(const Power &power, const Logistic<R> &l) {
  if constexpr (Power::by_logarithm) return power.of_logarithm(l.log_s);
  else return power(l.s);
}

// q^gamma of a q that is sigmoid(z) where r is 0: then with the same bits as that one's.
template <class Power, class R> FOCAL_INLINE R power_near_sigmoid(const Power &power, const Logistic<R> &l, R q, R r) {
  if constexpr (!Power::by_logarithm) return power(q);
  else {
    const LogParts<R> log_q = log_parts(q);
    const auto is_sigmoid = equal(r, R(0));
    return power.of_logarithm(LogParts<R>{select(is_sigmoid, l.log_s.exponent, log_q.exponent), select(is_sigmoid, l.log_s.log_mantissa, log_q.log_mantissa)});
  }
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
