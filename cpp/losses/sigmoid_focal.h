// Sigmoid focal loss (Lin et al. 2017, arXiv:1708.02002) and its exact derivatives.
//
// With z = x for a negative and -x for a positive, s = sigmoid(z) = 1 - p_t, c = sigmoid(-z) = p_t:
//   L = w s^g softplus(z),  dL/dz = w s^g (g c softplus(z) + s),
//   d2L/dz2 = w s^g c (g softplus(z) (g c - s) + (2g + 1) s).
// There is no s^(g-1) and no 0 * inf in these, so they are finite for every gamma >= 0.
#pragma once

#include "element.h"

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

 private:
  // target 0
  template <bool H, class R, class W> FOCAL_INLINE Element<R> background(const Logistic<R> &l, W w) const {
    const R g(power.gamma);
    R m = power_of_sigmoid(power, l) * w;
    Element<R> e;
    e.value = m * l.softplus;
    e.grad = muladd(g * l.c, e.value, m * l.s);
    if constexpr (H) {
      R tilt = muladd(g, l.c, -l.s);
      e.hess = l.c * muladd(g * tilt, e.value, (g + g + R(1)) * l.s * m);
    }
    return e;
  }

  template <class R> static FOCAL_INLINE Element<R> mirror(Element<R> e) { return {e.value, -e.grad, e.hess}; }

  // 1 - p_t = y (1 - p) + (1 - y) p, times binary cross entropy (torchvision, Optax, Keras, Paddle)
  template <bool H, class R> FOCAL_INLINE Element<R> linear(R x, R y, R rest, R wp, R wn) const {
    const R g(power.gamma);
    Logistic<R> l = logistic(x);
    R as_negative = rest * l.s, as_positive = y * l.c;
    R q = as_negative + as_positive, slope = as_negative - as_positive;
    R cross_entropy = muladd(y, larger(R(0), -x), muladd(rest, larger(R(0), x), l.log1p_e));
    R variance = l.s * l.c;
    R dq = (rest - y) * variance;
    R w = muladd(y, wp, rest * wn), m = power(q) * w;
    Element<R> e;
    e.value = m * cross_entropy;
    e.grad = muladd(power.derivative(q, dq, w, m), cross_entropy, m * slope);
    if constexpr (H) {
      R r = dq / q;
      R bend = g * r * muladd(g - R(1), r, l.c - l.s);
      e.hess = m * (muladd(bend, cross_entropy, (g + g) * r * slope) + variance);
    }
    return e;
  }

  // y L(1) + (1 - y) L(0) (Kornia)
  template <bool H, class R> FOCAL_INLINE Element<R> mixture(R x, R y, R rest, R wp, R wn) const {
    Logistic<R> l = logistic(x);
    Element<R> as_negative = background<H>(l, wn * rest);
    Element<R> as_positive = mirror(background<H>(l.mirrored(), wp * y));
    Element<R> e;
    e.value = as_negative.value + as_positive.value;
    e.grad = as_negative.grad + as_positive.grad;
    if constexpr (H) e.hess = as_negative.hess + as_positive.hess;
    return e;
  }
};

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
