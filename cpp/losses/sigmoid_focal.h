// Sigmoid focal loss (Lin et al. 2017, arXiv:1708.02002) and its exact derivatives.
//
// With z = x for a negative and -x for a positive, s = sigmoid(z) = 1 - p_t: L = w s^gamma softplus(z).
#pragma once

#include "ends.h"

namespace focal {
namespace FOCAL_NAMESPACE {

template <class Power, bool Mixture> struct SigmoidFocal {
  Power power;

  template <bool H, class R, class W> FOCAL_INLINE Element<R> negative(R x, W w) const {
    return background<H>(logistic(x), w);
  }

  template <bool H, class R, class W> FOCAL_INLINE Element<R> positive(R x, W w) const {
    return mirror(background<H>(logistic(-x), w));
  }

  template <bool H, class R> FOCAL_INLINE Element<R> hard(R x, R y, R wp, R wn) const {
    const auto is_positive = y > R(0.5);
    Element<R> e = background<H>(logistic(select(is_positive, -x, x)), select(is_positive, wp, wn));
    e.grad = select(is_positive, -e.grad, e.grad);
    return e;
  }

  template <bool H, class R> FOCAL_INLINE Element<R> soft(R x, R y, R rest, R wp, R wn) const {
    if constexpr (Mixture) return mixture<H>(x, y, rest, wp, wn);
    else return linear<H>(x, y, rest, wp, wn);
  }

  template <class R> FOCAL_INLINE Element<R> of_probability(const Logistic<R> &l, R y, R rest, R wp, R wn) const {
    const R g(power.gamma);
    if constexpr (Mixture)
      return sum<true>(modulated_of_probability(power, g, l, wn * rest),
                       mirror(modulated_of_probability(power, g, l.mirrored(), wp * y)));
    R q = larger(muladd(rest, l.s, y * l.c), R(Constants<typename Number<R>::Lane>::smallest_normal));
    R m = power(q) * muladd(y, wp, rest * wn), slope = rest - y;
    R entropy = entropy_of_probability(l, y, rest);
    const Inverses<R> over = inverses(l, q);
    R up = m * y * over.s, down = m * rest * over.c, tilt = down - up;
    R pull = m * slope * (entropy * over.q);
    R bend = g * slope * muladd(g - R(1), pull, tilt + tilt);
    return {m * entropy, muladd(g, pull, tilt), muladd(down, over.c, up * over.s) + bend * over.q};
  }

 private:
  template <bool H, class R, class W> FOCAL_INLINE Element<R> background(const Logistic<R> &l, W w) const {
    return modulated<H>(power, R(power.gamma), l, w);
  }

  // 1 - p_t = y (1 - p) + (1 - y) p, times binary cross entropy (torchvision, Optax, Keras, Paddle)
  template <bool H, class R> FOCAL_INLINE Element<R> linear(R x, R y, R rest, R wp, R wn) const {
    Logistic<R> l = logistic(x);
    R as_negative = rest * l.s, as_positive = y * l.c;
    R q = as_negative + as_positive, slope = as_negative - as_positive;
    R entropy = cross_entropy(l, x, y, rest);
    R variance = l.s * l.c;
    R dq = (rest - y) * variance;
    R w = muladd(y, wp, rest * wn), m = power(q) * w;
    Element<R> e;
    e.value = m * entropy;
    R dm = power.derivative(q, dq, w, m);
    e.grad = muladd(dm, entropy, m * slope);
    if constexpr (H)
      e.hess = muladd(muladd(dm, l.c - l.s, power.bend(q, dq, w, m)), entropy, muladd(dm + dm, slope, m * variance));
    return e;
  }

  // y L(1) + (1 - y) L(0) (Kornia)
  template <bool H, class R> FOCAL_INLINE Element<R> mixture(R x, R y, R rest, R wp, R wn) const {
    Logistic<R> l = logistic(x);
    return sum<H>(background<H>(l, wn * rest), mirror(background<H>(l.mirrored(), wp * y)));
  }
};

struct SigmoidFocalKernels : ElementWise<SigmoidFocalKernels> {
  static constexpr bool two_labels = true, few_positives = true, compact = false, sweeps_probabilities = true;

  template <class T, class F> static FOCAL_INLINE void index(const FocalProblem &p, F f) {
    with_power<T>(p.gamma, [&](auto power) { f(SigmoidFocal<decltype(power), false>{power}); });
  }
  template <class T, class F> static FOCAL_INLINE void hard(const FocalProblem &p, F f) {
    with_common_power<T>(p.gamma, [&](auto power) { f(SigmoidFocal<decltype(power), false>{power}); });
  }
  template <class T, class F> static FOCAL_INLINE void soft(const FocalProblem &p, F f) {
    if (p.soft_targets == FOCAL_MIXTURE) return exact<T>(p, f);
    hard<T>(p, f);
  }
  template <class T, class F> static FOCAL_INLINE void second(const FocalProblem &p, F f) { soft<T>(p, f); }
  template <class T, class F> static FOCAL_INLINE void exact(const FocalProblem &p, F f) {
    const PowerAny<T> power(p.gamma);
    if (p.soft_targets == FOCAL_MIXTURE) f(SigmoidFocal<PowerAny<T>, true>{power});
    else f(SigmoidFocal<PowerAny<T>, false>{power});
  }
  static FOCAL_INLINE Element<double> at_end(const FocalProblem &p, double at, double y, double rest, double wp, double wn) {
    if (p.soft_targets == FOCAL_MIXTURE)
      return mixture_at(y, rest, wp, wn, positive_at(at, p.gamma, p.gamma), negative_at(at, p.gamma, p.gamma));
    return entropy_at(at, y, rest, wp, wn, p.gamma, p.gamma);
  }
};

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
