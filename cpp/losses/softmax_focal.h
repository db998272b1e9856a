// Softmax focal loss and its exact derivatives, for one class of one row.
//
// 1 - p_c is the sum of the other classes' exponentials over the whole, never a subtraction from 1, and
// -log p_c comes from it where p_c is near 1: both keep their relative accuracy however sure the row is.
#pragma once

#include "plan.h"
#include "ends.h"

namespace focal {
namespace FOCAL_NAMESPACE {

template <class R> struct SoftmaxTerm {
  R value;  // a q^g (-log p), a the class's weight times its target
  R pull;   // B = a q^g (g p (-log p) / q + 1): dL/dx_j = p_j sum_{c != j} B_c - q_j B_j
  R bend;   // D = -dB/d(log p) q: d2L/dx_j2 = q_j D_j + p_j (p_j sum_{c != j} D_c / q_c + q_j sum_c B_c)
};

// Of m = a q^g. nll / q tends to 1 as q does to 0; with a single class it would be 0 / 0. Usual gammas have m / q without a division.
template <class Power, class R> FOCAL_INLINE SoftmaxTerm<R> term_of_own(const Power &power, R m, R p, R q, R nll, R a) {
  const R g(power.gamma);
  R less = power.one_less(q, nll, a, m);  // m nll / q
  if constexpr (Power::by_logarithm) less = select(q > R(0), less, m);
  return {m * nll, muladd(g * p, less, m), g * p * muladd((g - R(1)) * p, less, m * (R(2) - nll))};
}
// A class that is not the row's, under an asymmetric loss, of m = a p^g: its value is m (-log p).
template <class R> FOCAL_INLINE SoftmaxTerm<R> term_of_other(R g, R m, R q, R nll) {
  return {m * nll, muladd(-(g * nll), m, m), m * g * muladd(g, nll, R(-2)) * q};
}

template <class Power> struct SoftmaxFocal {
  Power power;

  // q is 1 - p, nll is -log p
  template <class R> FOCAL_INLINE SoftmaxTerm<R> operator()(R p, R q, R nll, R a) const {
    return term_of_own(power, a * power(q), p, q, nll, a);
  }
};

template <class Power> SoftmaxFocal(Power) -> SoftmaxFocal<Power>;

// A number over another that may be 0, where the number is 0 as well.
template <class R> FOCAL_INLINE R over_or_zero(R a, R b) { return select(b > R(0), a / b, R(0)); }

// e^(x - max) is e^t 2^-exponent with t = x - subtracted, and no rounding of the difference before the exponential:
// t is x itself or, where logits are large, exact. The row's largest comes to about 2^headroom: there is room below
// for what is smaller than the smallest normal number times it, and exponentials under `floor` are 0.
constexpr int headroom = 14;

template <class R> FOCAL_INLINE R exponential_over(R t, R exponent) {
  const Reduced<R> reduced = reduce(t);
  return scale_by_power_of_two(exp_of_rest(reduced.rest), reduced.k_plus_magic - exponent);
}

template <class R> struct RowShift {
  R subtracted, exponent, floor, top;

  FOCAL_INLINE explicit RowShift(R max) {
    using T = typename Number<R>::Lane;
    using C = Constants<T>;
    subtracted = select(absolute(max) > R(Limits<T>::far), max, R(0));
    const R near = max - subtracted;
    exponent = muladd(near, R(C::log2e), R(C::magic)) - R(C::magic) - R(headroom);
    floor = (exponent - R(C::bias)) * R(C::ln2);
    top = exponential_over(near, exponent);
  }
};

// -log p, where q is 1 - p and `lifted` is p 2^headroom, a normal number: p = 2^k m with m in [1/2, 1) makes it the sum of two terms that
// are not negative. Where p is at least 1/2 it is -log(1 - q), and no digit of q is lost.
template <class R> FOCAL_INLINE R minus_log(R lifted, R q) {
  using C = Constants<typename Number<R>::Lane>;
  const auto bits = as_int(lifted) - (static_cast<decltype(C::half_bits)>(headroom) << C::mantissa);
  const auto k = (bits - C::half_bits) >> C::mantissa;
  const R m = as_float(bits - (k << C::mantissa));
  const R w = select(R(1 << (headroom - 1)) > lifted, R(1) - m, q);  // of a NaN it is one
  const R exponent = smaller(as_float(k + C::magic_bits) - R(C::magic), R(0));
  return muladd(exponent, R(-C::ln2), w * log_rest_ratio(w));
}

// A row with a class index, whose exponential is `e` where `others` is the sum of all others', both over one power of
// two. `gap` is how far its logit is below the row's largest, and `below_top` how far e is below that one's exponential.
template <class R> struct IndexedRow {
  R value, share, pull;  // of an exponential the gradient is exponential * share * pull; of this class -others * share * pull
  R bend, hess;          // what the other classes' second derivatives have in common, scaled as pull is; this class's, scaled

  IndexedRow() = default;
  template <class Power>
  FOCAL_INLINE IndexedRow(const SoftmaxFocal<Power> &loss, R e, R others, R gap, R below_top, R amount, R grad_scale) {
    // Both factors of the gradient stay normal numbers where their product is one.
    constexpr int lift = 1 << headroom;
    const R inverse = R(1) / (e + others), scale = grad_scale * R(1.0f / lift);
    share = inverse * R(lift);
    const R nll = gap + minus_log((e + below_top) * share, (others - below_top) * inverse);
    const R p = e * inverse, q = others * inverse;
    const SoftmaxTerm<R> term = loss(p, q, nll, amount);
    value = term.value;
    pull = term.pull * scale;
    bend = term.bend * scale;
    hess = q * (bend + p * pull) * R(lift);
  }
};

// The second derivative of another class of such a row, whose exponential is e: p (p bend / (1 - p_own) + (1 - p) pull), where
// `rest` is the sum of all exponentials but e.
template <class R> FOCAL_INLINE R hess_beside(R e, R rest, R share, R inverse_others, R pull, R bend) {
  constexpr int lift = 1 << headroom;
  return e * share * muladd(e * inverse_others, bend, rest * (share * R(1.0f / lift)) * pull);
}

// The formula through the C library, for a row of any finite logits and weights.
FOCAL_INLINE SoftmaxTerm<double> double_fallback_term(double gamma, double p, double q, double nll, double a) {
  const double m = a * ::pow(q, gamma);
  const double part = p > 0 ? p * (q > 0 ? nll / q : 1) : 0, drop = p > 0 ? p * nll : 0;
  return {nll > 0 ? m * nll : 0, m * (1 + gamma * part), m * gamma * (2 * p - drop + (gamma - 1) * p * part)};
}

// The second derivative of a class of the row: `bends` is the sum of the other classes' bend / q, `pulls` that of all pulls.
FOCAL_INLINE double hess_of_class(double p, double q, double bend, double bends, double pulls) {
  return q * bend + p * (p * bends + q * pulls);
}

FOCAL_INLINE SoftmaxTerm<double> double_fallback_term_of_other(double g, double q, double nll, double a) {
  if (g == 0 || nll <= 0) return {nll > 0 ? a * nll : 0, a, 0};  // nll may be infinite
  const double m = a * ::exp(-g * nll);
  return m == 0 ? SoftmaxTerm<double>{0, 0, 0} : term_of_other(g, m, q, nll);
}

// w (1 - p)^gamma (-log p) and its derivatives with respect to p: a class by itself, whatever p the others have. At 0 and 1
// limits, or where these are infinite what it is at the nearest probability inside.
FOCAL_INLINE Element<double> term_of_probability(const FocalProblem &problem, double gamma, double p, double weight) {
  if (weight == 0) return {0, 0, 0};
  if (p != p) return {p, p, p};
  const NumberRange range = range_of(problem.dtype);
  const double at = p <= 0 ? range.least : p >= 1 ? range.below_one : p;
  Element<double> e = mirror(modulated_of_probability(PowerAny<double>(gamma), gamma, logistic_of_probability(at).mirrored(), weight));
  if (at == p) return e;
  const Element<double> limit = weighted(weight, positive_at(p, gamma, gamma));
  if (__builtin_isfinite(limit.value)) e.value = limit.value;
  if (__builtin_isfinite(limit.grad)) e.grad = limit.grad;
  if (__builtin_isfinite(limit.hess)) e.hess = limit.hess;
  return e;
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
