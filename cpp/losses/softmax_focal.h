// Softmax focal loss and its exact gradient, for one class of one row.
//
// 1 - p_c is the sum of the other classes' exponentials over the whole, never a subtraction from 1, and
// -log p_c comes from a log1p: both keep their relative accuracy however sure the row is.
#pragma once

#include "plan.h"
#include "ends.h"

namespace focal {
namespace FOCAL_NAMESPACE {

template <class R> struct SoftmaxTerm {
  R value;  // a q^g (-log p), a the class's weight times its target
  R pull;   // B = a q^g (g p (-log p) / q + 1): dL/dx_j = p_j sum_{c != j} B_c - q_j B_j
};

template <class Power> struct SoftmaxFocal {
  Power power;

  // q is 1 - p, nll is -log p
  template <class R> FOCAL_INLINE SoftmaxTerm<R> operator()(R p, R q, R nll, R a) const {
    R m = a * power(q);
    // nll / q tends to 1 as q does to 0; with a single class it would be 0 / 0
    R ratio = select(q > R(0), nll / q, R(1));
    return {m * nll, muladd(R(power.gamma) * p * ratio, m, m)};
  }
};

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

// A row with a class index, whose exponential is `e` where `others` is the sum of all others', both over one power of
// two. `gap` is how far its logit is below the row's largest, and `below_top` how far e is below that one's exponential.
template <class R> struct IndexedRow {
  R value, share, pull;  // of an exponential the gradient is exponential * share * pull; of this class -others * share * pull
};
template <class R, class Power>
FOCAL_INLINE IndexedRow<R> indexed_row(const SoftmaxFocal<Power> &loss, R e, R others, R gap, R below_top, R amount, R grad_scale) {
  // Both factors of the gradient stay normal numbers where their product is one.
  constexpr int lift = 1 << headroom;
  const R inverse = R(1) / (e + others);
  const R nll = gap + log_one_plus((others - below_top) / (e + below_top));
  const SoftmaxTerm<R> term = loss(e * inverse, others * inverse, nll, amount);
  return {term.value, inverse * R(lift), term.pull * (grad_scale * R(1.0f / lift))};
}

// The formula through the C library, for a row of any finite logits and weights.
FOCAL_INLINE SoftmaxTerm<double> double_fallback_term(double gamma, double p, double q, double nll, double a) {
  const double m = a * ::pow(q, gamma);
  const double bend = p > 0 ? gamma * p * (q > 0 ? nll / q : 1) : 0;
  return {nll > 0 ? m * nll : 0, m * (1 + bend)};
}

// w (1 - p)^gamma (-log p) and its derivatives with respect to p: a class by itself, whatever p the others have. At 0 and 1
// limits, or where these are infinite what it is at the nearest probability inside.
FOCAL_INLINE Element<double> term_of_probability(const FocalProblem &problem, double p, double weight) {
  if (weight == 0) return {0, 0, 0};
  if (p != p) return {p, p, p};
  const double gamma = problem.gamma;
  const NumberRange range = range_of(problem.dtype);
  const double at = p <= 0 ? range.least : p >= 1 ? range.below_one : p;
  Element<double> e = mirror(modulated_of_probability(PowerAny<double>(gamma), gamma, logistic_of_probability(at).mirrored(), weight));
  if (at == p) return e;
  const Element<double> limit = weighted(weight, positive_at(p, gamma, gamma));
  if (__builtin_isfinite(limit.value)) e.value = limit.value;
  if (__builtin_isfinite(limit.grad)) e.grad = limit.grad;
  return e;
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
