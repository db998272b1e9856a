// What an element-wise loss gives for one element (or one pack of elements): value, first and second
// derivative with respect to the logit.
//
// A loss is a struct with these members, on any number type R:
//   soft<H>(x, y, rest, wp, wn)  any target y in [0, 1]. rest is 1 - y with all its digits, which y itself has lost
//                              where it is near 1; wp and wn are the weights of a positive and a negative
// and, where less will do for them,
//   hard<H>(x, y, wp, wn)      target y, which is 0 or 1
//   negative<H>(x, w)          target 0, weight w
//   positive<H>(x, w)          target 1, weight w
// and, in double and with derivatives with respect to p = sigmoid(x),
//   of_probability(l, y, rest, wp, wn)   l is what logistic_of_probability(p) gives
// H says whether the second derivative is wanted. A weight w may be a Unit. |x| is within the loss's reach (list.h), where
// all is finite; in double through the C library (cpu/double_fallback.cpp) it may be any finite number. A NaN in x or y comes through.
#pragma once

#include <type_traits>

#include "elementary.h"
#include "problem.h"

namespace focal {
namespace FOCAL_NAMESPACE {

template <class R> struct Element { R value, grad, hess; };

// The weight 1, which costs no multiplication.
struct Unit {};
template <class R> FOCAL_INLINE R operator*(R a, Unit) { return a; }

// A loss of -x is the loss of x seen in the mirror.
template <class R> FOCAL_INLINE Element<R> mirror(Element<R> e) { return {e.value, -e.grad, e.hess}; }

template <class M, class R> FOCAL_INLINE Element<R> mirror(M mask, Element<R> e) { return {e.value, negated(mask, e.grad), e.hess}; }

template <class M, class R> FOCAL_INLINE Element<R> select(M mask, const Element<R> &a, const Element<R> &b) {
  return {select(mask, a.value, b.value), select(mask, a.grad, b.grad), select(mask, a.hess, b.hess)};
}

template <bool H, class R> FOCAL_INLINE Element<R> sum(Element<R> a, Element<R> b) {
  Element<R> e;
  e.value = a.value + b.value;
  e.grad = a.grad + b.grad;
  if constexpr (H) e.hess = a.hess + b.hess;
  return e;
}

// y softplus(-x) + (1 - y) softplus(x)
template <class R> FOCAL_INLINE R cross_entropy(const Logistic<R> &l, R x, R y, R rest) {
  return muladd(y, larger(R(0), -x), muladd(rest, larger(R(0), x), l.log1p_e));
}

// A label as it looks from the nearer of 0 and 1: z is the logit, or its mirror, whose target is r <= 1/2. Where the label is hard r is
// exactly 0, and a formula of these has the bits of one that knows only hard labels.
template <class R> struct NearLabel {
  decltype(R() > R()) is_positive;
  R z, r, weight, far_weight;  // the weights of r = 0, and of r = 1

  FOCAL_INLINE NearLabel(R x, R y, R rest, R wp, R wn)
      : is_positive(y > R(0.5)),
        z(negated(is_positive, x)),
        r(select(is_positive, rest, y)),
        weight(select(is_positive, wp, wn)),
        far_weight(select(is_positive, wn, wp)) {}
};

// The weight of a label r, where 0 and 1 have weights.
template <class R> FOCAL_INLINE R mixed_weight(R r, R weight, R far_weight) { return muladd(r, far_weight - weight, weight); }

// w s^gamma softplus(x), s = sigmoid(x): what every loss here but one takes for a negative, or in the mirror for a
// positive. With c = sigmoid(-x) its derivatives are
//   w s^g (g c softplus(x) + s),   w s^g c (g softplus(x) (g c - s) + (2g + 1) s).
// There is no s^(g-1) and no 0 * inf in these, so they are finite for every gamma >= 0. g is gamma, or 0 to
// differentiate as if s^gamma were a constant.
template <bool H, class Power, class R, class W>
FOCAL_INLINE Element<R> modulated(const Power &power, R g, const Logistic<R> &l, W w) {
  R m = power_of_sigmoid(power, l) * w;
  Element<R> e;
  e.value = m * l.softplus;
  // Without a weight that is raised (cpu/targets/staging.h) two terms may be too small where their sum is not
  if constexpr (std::is_same_v<W, Unit>) e.grad = m * muladd(g * l.c, l.softplus, l.s);
  else e.grad = muladd(g * l.c, e.value, m * l.s);
  if constexpr (H) {
    R tilt = muladd(g, l.c, -l.s);
    e.hess = l.c * muladd(g * tilt, e.value, (g + g + R(1)) * l.s * m);
  }
  return e;
}

// The gamma of derivatives, where it is not the power's own: 0 to differentiate as if powers were constants.
template <class T> struct Slope {
  T gamma;
  FOCAL_INLINE Slope(const FocalProblem &p, double g) : gamma(p.constant_modulator ? T(0) : static_cast<T>(g)) {}
};

// y (-log p) + (1 - y) (-log(1 - p)), times w, with derivatives with respect to p. Weights come before quotients: these may
// be so large that nothing times them would not be nothing.
template <class R> FOCAL_INLINE R entropy_of_probability(const Logistic<R> &l, R y, R rest) {
  return muladd(y, l.softplus_minus, rest * l.softplus);
}
template <class R> FOCAL_INLINE Element<R> cross_entropy_of_probability(const Logistic<R> &l, R y, R rest, R w) {
  R up = w * y / l.s, down = w * rest / l.c;
  return {w * entropy_of_probability(l, y, rest), down - up, down / l.c + up / l.s};
}

// 1 / s, 1 / c and 1 / q for q between s and c. Of floats the product of all three is a normal number where s and c are above 2^-60.
template <class R> struct Inverses { R s, c, q; };
template <class R> FOCAL_INLINE Inverses<R> inverses(const Logistic<R> &l, R q) {
  if constexpr (sizeof(typename Number<R>::Lane) == sizeof(double)) return {R(1) / l.s, R(1) / l.c, R(1) / q};
  const R both = l.s * l.c, all = R(1) / (both * q);  // one division is enough
  const R of_q = all * q;
  return {of_q * l.c, of_q * l.s, all * both};
}

// modulated() with derivatives with respect to p: with k = -log(1 - p) / p they are
//   w p^g (g k + 1 / (1 - p)),   w p^g (g ((g - 1) k + 2 / (1 - p)) / p + 1 / (1 - p)^2).
template <class Power, class R> FOCAL_INLINE Element<R> modulated_of_probability(const Power &power, R g, const Logistic<R> &l, R w) {
  R m = power_of_sigmoid(power, l) * w;
  R k = l.softplus / l.s, inverse = R(1) / l.c;
  R bend = m * g * muladd(g - R(1), k, inverse + inverse);
  return {m * l.softplus, m * muladd(g, k, inverse), bend / l.s + m * inverse * inverse};
}

// What the driver (cpu/kernels.h) asks of a loss. Each calls f with a formula for problem p:
//   exact<T>  any targets, second derivative too, in as few instances as there can be
//   second<T> the same where packs are computed
//   second_hard   the same where the labels of packs are 0 or 1, with its bits: if there is such a formula, which it returns
//   soft<T>   any targets, without the second derivative. A formula may say that it `is_rare`: then shorter code does
//   hard<T>   targets that are 0 or 1, where `two_labels`
//   smoothed  the same of floats whose labels are smoothed (SmoothedLabels): if there is such a formula, which it returns
//   sides     where `two_sided`, floats without the second derivative: f(negative, positive) for a loss that is the sum of a negative's times
//             1 - y and a positive's times y. Few positives among hard labels then take little
//   index<T>  class indices, where `few_positives`: a negative everywhere, and a few positives apart
// and, as limits are not what formulas give, has
//   at_end(p, at, y, rest, wp, wn)   what of_probability tends to at the probability 0 or 1, as far as it does (ends.h)
template <class Kernels> struct ElementWise {
  static constexpr bool two_labels = false, few_positives = false, two_sided = false;
  static constexpr bool gamma_per_class = false;  // may a class have a gamma of its own?
  // Is soft<float>'s formula of probabilities as exact as those of logits, where no quotient overflows?
  static constexpr bool sweeps_probabilities = false;
  // Short packs for what is asked for less often, doubles and second derivatives: half the code, 10 to 25 % slower.
  static constexpr bool compact = true;
  template <class T, class F> static FOCAL_INLINE void second(const FocalProblem &p, F f) { Kernels::template exact<T>(p, f); }
  template <class F> static FOCAL_INLINE bool second_hard(const FocalProblem &, F) { return false; }
  template <class F> static FOCAL_INLINE bool smoothed(const FocalProblem &, F) { return false; }
  template <class T, class F> static FOCAL_INLINE void soft(const FocalProblem &p, F f) { Kernels::template exact<T>(p, f); }
  // The largest |x| the formulas take, where `limit` is the logistic's.
  static FOCAL_INLINE double reach(const FocalProblem &, double limit) { return limit; }
};

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
