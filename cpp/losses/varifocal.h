// Varifocal loss (Zhang et al. 2021, arXiv:2008.13367): y times the cross entropy for a label y > 0, and a focal
// alpha p^gamma (-log(1 - p)) for y = 0. Positives are the few, so they are not made lighter.
#pragma once

#include "ends.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// With `constant_modulator` p^gamma is differentiated as a constant (RT-DETR): gamma in the derivatives is 0.
template <class Power, class Slope = Power> struct Varifocal {
  Power power;
  Slope slope;

  // wn holds alpha
  template <bool H, class R> FOCAL_INLINE Element<R> soft(R x, R y, R rest, R wp, R wn) const {
    const auto is_positive = y > R(0);
    Logistic<R> l = logistic(x);
    Element<R> e = modulated<H>(power, R(slope.gamma), l, muladd(y, R(0), wn));  // a label may be NaN
    R w = y * wp, value = w * cross_entropy(l, x, y, rest);
    e.value = select(is_positive, value, e.value);
    // the value is NaN where x is
    e.grad = select(is_positive, muladd(value, R(0), w * muladd(rest, l.s, -(y * l.c))), e.grad);
    if constexpr (H) e.hess = select(is_positive, muladd(value, R(0), w * l.s * l.c), e.hess);
    return e;
  }

  template <class R> FOCAL_INLINE Element<R> of_probability(const Logistic<R> &l, R y, R rest, R wp, R wn) const {
    const R w = muladd(y, R(0), wn);  // a label may be NaN
    return select(y > R(0), cross_entropy_of_probability(l, y, rest, y * wp), modulated_of_probability(power, R(slope.gamma), l, w));
  }
};

struct VarifocalKernels : ElementWise<VarifocalKernels> {
  template <class T, class F> static FOCAL_INLINE void soft(const FocalProblem &p, F f) {
    if constexpr (sizeof(T) == sizeof(float))
      if (p.gamma == 2 && !p.constant_modulator) return f(Varifocal<Power2>{Power2(2), Power2(2)});
    exact<T>(p, f);
  }
  template <class T, class F> static FOCAL_INLINE void exact(const FocalProblem &p, F f) {
    f(Varifocal<PowerAny<T>, Slope<T>>{PowerAny<T>(p.gamma), Slope<T>(p, p.gamma)});
  }
  static FOCAL_INLINE Element<double> at_end(const FocalProblem &p, double at, double y, double rest, double wp, double wn) {
    return entropy_at(at, y, rest, wp, wn, 0, p.gamma, p.constant_modulator != 0);
  }
};

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
