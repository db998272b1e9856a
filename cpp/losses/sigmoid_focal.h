// Sigmoid focal loss (Lin et al. 2017, arXiv:1708.02002) and its exact derivatives.
//
// With z = x for a negative and -x for a positive, s = sigmoid(z) = 1 - p_t: L = w s^gamma softplus(z).
#pragma once

#include "ends.h"

namespace focal {
namespace FOCAL_NAMESPACE {

template <class Power, bool Mixture> struct SigmoidFocal {
  static constexpr bool is_rare = Mixture && Power::by_logarithm;
  Power power;

  template <bool H, class R, class W> FOCAL_INLINE Element<R> negative(R x, W w) const {
    return background<H>(logistic(x), w);
  }

  template <bool H, class R, class W> FOCAL_INLINE Element<R> positive(R x, W w) const {
    return mirror(background<H>(logistic(-x), w));
  }

  template <bool H, class R> FOCAL_INLINE Element<R> hard(R x, R y, R wp, R wn) const {
    const auto is_positive = y > R(0.5);
    if constexpr (!H) {
      return mirror(is_positive, background<false>(logistic(negated(is_positive, x)), select(is_positive, wp, wn)));
    } else {
      const Logistic<R> l = logistic(negated(is_positive, x));
      const R w = select(is_positive, wp, wn), m = power_of_sigmoid(power, l) * w, variance = l.s * l.c;
      Element<R> e = background<false>(l, w);
      e.hess = curvature(l, l.softplus, l.s, m, power.tilt(l.s, variance, w, m), power.bend(l.s, variance, w, m));
      return mirror(is_positive, e);
    }
  }

  template <bool H, class R> FOCAL_INLINE Element<R> soft(R x, R y, R rest, R wp, R wn) const {
    const NearLabel<R> near(x, y, rest, wp, wn);
    const Logistic<R> l = logistic(near.z);
    if constexpr (Mixture) return mirror(near.is_positive, mixture<H>(l, near));
    else return mirror(near.is_positive, linear<H>(l, near.z, near.r, mixed_weight(near.r, near.weight, near.far_weight)));
  }

  // A label that is 0 or 1, smoothed: r, from the nearer of both. wp and wn are mixed already.
  template <bool H, class R> FOCAL_INLINE Element<R> smoothed(R x, R y, R r, R wp, R wn) const {
    const auto is_positive = y > R(0.5);
    const R z = negated(is_positive, x);
    return mirror(is_positive, linear<H>(logistic(z), z, r, select(is_positive, wp, wn)));
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

  // 1 - p_t = y (1 - p) + (1 - y) p, times binary cross entropy (torchvision, Optax, Keras, Paddle): with q = s + r (c - s) and
  // B = softplus(z) - r z
  //   L = w q^g B,   dL/dz = w q^g (g (1 - 2 r) (s c / q) B + s - r).
  template <bool H, class R> FOCAL_INLINE Element<R> linear(const Logistic<R> &l, R z, R r, R w) const {
    const R q = muladd(r, l.c - l.s, l.s), slope = l.s - r, turn = muladd(R(-2), r, R(1));
    const R entropy = muladd(-r, z, l.softplus), steep = R(power.gamma) * l.c * turn;
    const R m = power_near_sigmoid(power, l, q, r) * w;
    const R less = power.one_less(q, l.s, w, m);
    Element<R> e;
    e.value = m * entropy;
    e.grad = muladd(steep, less * entropy, m * slope);
    if constexpr (H) {
      // dq is turn * variance, which may be too small: turn comes last
      const R variance = l.s * l.c, dm = power.tilt(q, variance, w, m) * turn;
      e.hess = curvature(l, entropy, slope, m, dm, power.bend(q, turn * variance, w, m));
    }
    return e;
  }

  // The second derivative of m entropy, where the first one's are dm, and slope for the entropy
  template <class R> FOCAL_INLINE R curvature(const Logistic<R> &l, R entropy, R slope, R m, R dm, R bend) const {
    return muladd(muladd(dm, l.c - l.s, bend), entropy, muladd(dm + dm, slope, m * (l.s * l.c)));
  }

  // y L(1) + (1 - y) L(0) (Kornia)
  template <bool H, class R> FOCAL_INLINE Element<R> mixture(const Logistic<R> &l, const NearLabel<R> &near) const {
    return sum<H>(background<H>(l, near.weight * (R(1) - near.r)), mirror(background<H>(l.mirrored(), near.far_weight * near.r)));
  }
};

struct SigmoidFocalKernels : ElementWise<SigmoidFocalKernels> {
  static constexpr bool two_labels = true, few_positives = true, compact = false, sweeps_probabilities = true;

  template <class T, class F> static FOCAL_INLINE void index(const FocalProblem &p, F f) {
    with_power<T>(p.gamma, [&](auto power) { f(SigmoidFocal<decltype(power), false>{power}); });
  }
  // A hard label takes the power that a soft one takes. Of floats that is so wherever gamma is 0: PowerAny's result is exactly 1.
  template <class T, class F> static FOCAL_INLINE void hard(const FocalProblem &p, F f) {
    if (sizeof(T) == sizeof(double) && p.soft_targets == FOCAL_MIXTURE) return f(SigmoidFocal<PowerAny<T>, false>{PowerAny<T>(p.gamma)});
    with_common_power<T>(p.gamma, [&](auto power) { f(SigmoidFocal<decltype(power), false>{power}); });
  }
  template <class T, class F> static FOCAL_INLINE void soft(const FocalProblem &p, F f) {
    if (p.soft_targets != FOCAL_MIXTURE) return hard<T>(p, f);
    if constexpr (sizeof(T) == sizeof(float))
      if (p.gamma == 2) return f(SigmoidFocal<Power2, true>{Power2(2)});
    exact<T>(p, f);
  }
  template <class T, class F> static FOCAL_INLINE void second(const FocalProblem &p, F f) {
    if (p.soft_targets == FOCAL_MIXTURE) exact<T>(p, f);
    else hard<T>(p, f);
  }
  template <class F> static FOCAL_INLINE bool smoothed(const FocalProblem &p, F f) {
    if (p.soft_targets == FOCAL_MIXTURE) return false;
    hard<float>(p, f);
    return true;
  }
  template <class F> static FOCAL_INLINE bool second_hard(const FocalProblem &p, F f) {
    if (p.gamma != 2 || p.soft_targets == FOCAL_MIXTURE) return false;
    f(SigmoidFocal<Power2, false>{Power2(2)});
    return true;
  }
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
