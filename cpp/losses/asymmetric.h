// Asymmetric loss (Ridnik et al. 2021, arXiv:2009.14119): (1 - p)^gamma (-log p) for a positive; for a negative
// p_m^gamma_negative (-log(1 - p_m)) with p_m = max(p - margin, 0), so that easy negatives cost nothing at all.
//
// With t = p_m, u = 1 - t, k = -log(u) / t, c = 1 - p and h = c / u, the negative has
//   L = t^g t k,   dL/dx = t^g p (g c k + h),
//   d2L/dx2 = t^g p ((c - p) g c k + h (c - p (1 - h)) + g (p c / t)((g - 1) c k + 2 h)), where 1 - h = margin / u.
// With `constant_modulator` the powers are differentiated as constants: the gammas in the derivatives are 0.
#pragma once

#include "ends.h"

namespace focal {
namespace FOCAL_NAMESPACE {

template <class T, class Positive, class Negative> struct Asymmetric {
  Positive power_positive;
  Negative power_negative;
  PowerAny<T> slope_of_negative;  // t^(g - 1): t^g / t would be 0 long before it
  T margin;
  T start_high, start_low;           // the logit of the margin, where a negative begins to cost
  T slope_positive, slope_negative;  // the gammas of derivatives

  FOCAL_INLINE explicit Asymmetric(const FocalProblem &p)
      : power_positive(p.gamma),
        power_negative(p.gamma_negative),
        slope_of_negative(p.gamma_negative - 1),
        margin(static_cast<T>(p.margin)),
        slope_positive(p.constant_modulator ? 0 : static_cast<T>(p.gamma)),
        slope_negative(p.constant_modulator ? 0 : static_cast<T>(p.gamma_negative)) {
    const double start = p.margin > 0 ? ::log(p.margin / (1 - p.margin)) : -HUGE_VAL;
    start_high = static_cast<T>(start);
    start_low = p.margin > 0 ? static_cast<T>(start - static_cast<double>(start_high)) : T(0);
  }

  // y L(1) + (1 - y) L(0)
  template <bool H, class R> FOCAL_INLINE Element<R> soft(R x, R y, R rest, R wp, R wn) const {
    Logistic<R> l = logistic(x);
    return sum<H>(negative<H>(x, l, wn * rest), mirror(modulated<H>(power_positive, R(slope_positive), l.mirrored(), wp * y)));
  }

  template <class R> FOCAL_INLINE Element<R> of_probability(const Logistic<R> &l, R y, R rest, R wp, R wn) const {
    return sum<true>(negative_of_probability(l, wn * rest),
                     mirror(modulated_of_probability(power_positive, R(slope_positive), l.mirrored(), wp * y)));
  }

 private:
  // target 0: a negative of t = p - margin
  template <class R> FOCAL_INLINE Element<R> negative_of_probability(const Logistic<R> &l, R w) const {
    using C = Constants<typename Number<R>::Lane>;
    const R m(margin), difference = l.s - m;
    Logistic<R> shifted = l;
    shifted.s = larger(difference, R(C::smallest_normal));
    shifted.c = l.c + m;
    R low = smaller(shifted.s, R(0.5));
    shifted.softplus = select(m > R(0), select(shifted.s > R(0.5), -logarithm(shifted.c), low * log_rest_ratio(low)), l.softplus);
    shifted.log_s = log_parts(shifted.s);
    const Element<R> e = modulated_of_probability(power_negative, R(slope_negative), shifted, w), none = {R(0), R(0), R(0)};
    return select(difference > R(0), e, none);
  }

  // target 0
  template <bool H, class R> FOCAL_INLINE Element<R> negative(R x, const Logistic<R> &l, R w) const {
    using C = Constants<typename Number<R>::Lane>;
    const R m(margin), g(slope_negative);
    const R above = (x - R(start_high)) - R(start_low);
    const auto active = above > R(0), shifted = m > R(0), far = above > R(4) * R(C::near_zero);
    // What costs nothing is computed at 1/2. Near 0 its powers would underflow, which is slow on some processors.
    R t = select(active, larger(select(far, l.s - m, l.c * m * excess(above)), R(C::smallest_normal)), R(0.5));
    R u = larger(l.c + m, R(C::smallest_normal));
    R both = R(1) / (t * u);  // one division for 1 / t and 1 / u
    R h = select(shifted, l.c * t * both, R(1));
    R entropy = select(shifted, -logarithm(u), l.softplus);
    R k = select(t > R(0.5), entropy * u * both, log_rest_ratio(smaller(t, R(0.5))));
    R pull = muladd(g * l.c, k, h);
    R m_s = power_negative(t) * w;
    R not_number = l.softplus * R(0);  // or 0
    Element<R> e;
    e.value = select(active, m_s * t * k, R(0)) + not_number;
    m_s = m_s * l.s;
    e.grad = select(active, m_s * pull, R(0)) + not_number;
    if constexpr (H) {
      // In this order: a power of t may be 0 where one of g is past the largest number, and so may the square of s
      R bend = l.s * slope_of_negative(t) * muladd((g - R(1)) * l.c, k, h + h);
      R lost = m * t * both;  // 1 - h; without a margin, 0
      R inner = muladd((l.c - l.s) * g * l.c, k, h * (l.c - l.s * lost));
      R sum = muladd(m_s, inner, l.s * l.c * g * w * bend);
      e.hess = select(active, sum, R(0)) + not_number;
    }
    return e;
  }

  // e^d - 1 for d = x - logit(margin) from 0 to 4 near_zero. With it sigmoid(x) - margin is sigmoid(-x) margin (e^d - 1),
  // without a subtraction that would lose its digits just above the margin.
  template <class R> static FOCAL_INLINE R excess(R above) {
    using C = Constants<typename Number<R>::Lane>;
    R d = larger(smaller(R(0.25) * above, R(C::near_zero)), R(0));
    R e = muladd(d * d, C::exp_tail(d), d);  // e^d - 1, then e^2d - 1, then e^4d - 1
    e = e * (e + R(2));
    return e * (e + R(2));
  }
};

// A positive, and a negative without a margin.
template <class T> struct AsymmetricPower {
  static constexpr bool is_rare = true;
  PowerAny<T> power;
  T slope;  // the gamma of derivatives

  FOCAL_INLINE AsymmetricPower(const FocalProblem &p, double gamma) : power(gamma), slope(p.constant_modulator ? 0 : static_cast<T>(gamma)) {}

  template <bool H, class R> FOCAL_INLINE Element<R> positive(R x, R w) const {
    Element<R> e = mirror(modulated<H>(power, R(slope), logistic(-x), w));
    e.grad = e.grad + R(0);  // no negative zero, which the other side's 0 would take away
    return e;
  }
  template <bool H, class R> FOCAL_INLINE Element<R> negative(R x, R w) const { return modulated<H>(power, R(slope), logistic(x), w); }
};

// A negative with a margin, of floats and without a second derivative, in one exponential: with e = e^x and e_0 that of the margin's logit,
//   t = (1 - margin) (e - e_0) / (1 + e),   L = t^g entropy,   dL/dx = t^(g-1) s (g c entropy + h t)   for entropy = -log(1 - t).
// `Power` is that of g - 1 where it is a special one, else PowerAny of g.
template <class Power> struct AsymmetricMargin {
  using C = Constants<float>;
  static constexpr bool is_rare = Power::by_logarithm;
  static constexpr float ln2 = fused_muladd ? C::ln2 : C::ln2_high;
  Power power;
  float margin, rest;                // rest = 1 - margin
  float slope;                       // the gamma of derivatives
  float lowest, multiple;            // the margin's logit but 1, and the multiple of ln 2 that is nearest to that logit
  float remainder, remainder_low;    // logit - multiple ln2
  float factor, start;               // e^remainder, and e_0

  FOCAL_INLINE AsymmetricMargin(const FocalProblem &p, Power of)
      : power(of),
        margin(static_cast<float>(p.margin)),
        rest(static_cast<float>(1 - p.margin)),
        slope(p.constant_modulator ? 0 : static_cast<float>(p.gamma_negative)) {
    const double odds = p.margin / (1 - p.margin), logit = ::log(odds), whole = ::rint(logit / ::log(2.0));
    const double left = logit - whole * static_cast<double>(ln2);
    lowest = static_cast<float>(logit - 1);
    multiple = static_cast<float>(whole);
    remainder = static_cast<float>(left);
    remainder_low = static_cast<float>(left - static_cast<double>(remainder));
    factor = static_cast<float>(odds * ::exp2(-whole));
    start = static_cast<float>(static_cast<double>(factor) * ::exp2(whole));
  }

  template <bool H, class R> FOCAL_INLINE Element<R> negative(R x, R w) const {
    static_assert(!H, "the second derivative is Asymmetric's");
    const R near = larger(R(lowest), x);  // farther below nothing changes, and nothing underflows
    const R k_plus_magic = muladd(near - R(remainder), R(C::log2e), R(C::magic)), k = k_plus_magic - R(C::magic);
    // e = e_0 e^d for d = x - logit(margin), which has all its digits where it is near 0; and so have the differences of e and e_0
    R r = (muladd(k, R(-ln2), near) - R(remainder)) - R(remainder_low);
    if constexpr (!fused_muladd) r = muladd(k - R(multiple), R(-C::ln2_low), r);
    const R q = muladd(r * r, C::exp_tail(r), r), scale = add_to_exponent(R(factor), k_plus_magic);
    const R e = muladd(scale, q, scale), excess = muladd(scale, q, scale - R(start));
    const R c = reciprocal(e + R(1)), s = e * c;
    const R t = larger(R(0), c * excess * R(rest)), u = c + R(margin), inverse = reciprocal(u);
    const R entropy = minus_log_rest(t, u);
    if constexpr (!Power::by_logarithm) {
      const R less = power(t) * w;
      return {less * t * entropy, less * (s * c) * muladd(R(slope), entropy, t * inverse), R(0)};
    } else {
      const R least = larger(R(C::smallest_normal), t), m = select(t > R(0), power(least), R(0)) * w;
      return {m * entropy, m * s * muladd(R(slope) * c, entropy / least, c * inverse), R(0)};
    }
  }
};

struct AsymmetricKernels : ElementWise<AsymmetricKernels> {
  static constexpr bool two_sided = true;

  // f(negative, positive)
  template <class F> static FOCAL_INLINE void sides(const FocalProblem &p, F f) {
    const AsymmetricPower<float> positive(p, p.gamma);
    if (p.margin < static_cast<double>(Constants<float>::smallest_normal)) return f(AsymmetricPower<float>(p, p.gamma_negative), positive);
    if (p.gamma_negative == 4) return f(AsymmetricMargin<Power3>(p, Power3(3)), positive);
    f(AsymmetricMargin<PowerAny<float>>(p, PowerAny<float>(p.gamma_negative)), positive);
  }
  template <class T, class F> static FOCAL_INLINE void soft(const FocalProblem &p, F f) {
    if constexpr (sizeof(T) == sizeof(float))
      if (p.gamma == 1 && p.gamma_negative == 4) return f(Asymmetric<T, Power1, Power4>(p));
    exact<T>(p, f);
  }
  template <class T, class F> static FOCAL_INLINE void exact(const FocalProblem &p, F f) {
    f(Asymmetric<T, PowerAny<T>, PowerAny<T>>(p));
  }
  static FOCAL_INLINE Element<double> at_end(const FocalProblem &p, double at, double y, double rest, double wp, double wn) {
    const double slope = p.constant_modulator ? 0 : p.gamma;
    return mixture_at(y, rest, wp, wn, positive_at(at, p.gamma, slope), negative_at_end(p, at));
  }

 private:
  // Beyond the margin.
  static FOCAL_INLINE Element<double> negative_at_end(const FocalProblem &p, double at) {
    const double slope = p.constant_modulator ? 0 : p.gamma_negative;
    if (p.margin == 0) return negative_at(at, p.gamma_negative, slope);
    if (at == 0) return {0, 0, 0};
    const double t = 1 - p.margin, k = -::log(p.margin) / t, inverse = 1 / p.margin, m = ::pow(t, p.gamma_negative);
    return {m * t * k, m * (slope * k + inverse), m * (slope * ((slope - 1) * k + 2 * inverse) / t + inverse * inverse)};
  }
};

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
