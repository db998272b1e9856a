// Heatmap focal loss (Law and Deng 2018, arXiv:1808.01244; CenterNet): a focal positive at the peaks y = 1, and
// everywhere else a focal negative, lighter by (1 - y)^beta the nearer a peak is.
#pragma once

#include "ends.h"

namespace focal {
namespace FOCAL_NAMESPACE {

template <class Power, class Fading> struct HeatmapFocal {
  Power power;
  Fading fading;  // beta

  template <bool H, class R> FOCAL_INLINE Element<R> soft(R x, R, R rest, R wp, R wn) const {
    using C = Constants<typename Number<R>::Lane>;
    const auto is_lower = rest > R(0);
    R w = select(is_lower, fading(larger(rest, R(C::smallest_normal))) * wn, wp);
    w = muladd(rest, R(0), w);  // a label that is NaN
    Element<R> e = modulated<H>(power, R(power.gamma), logistic(select(is_lower, x, -x)), w);
    e.grad = select(is_lower, e.grad, -e.grad);
    return e;
  }

  template <class R> FOCAL_INLINE Element<R> of_probability(const Logistic<R> &l, R, R rest, R wp, R wn) const {
    using C = Constants<typename Number<R>::Lane>;
    const R g(power.gamma), w = fading(larger(rest, R(C::smallest_normal))) * wn;
    const R peak = muladd(rest, R(0), wp);  // a label that is NaN
    return select(rest > R(0), modulated_of_probability(power, g, l, w), mirror(modulated_of_probability(power, g, l.mirrored(), peak)));
  }
};

struct HeatmapFocalKernels : ElementWise<HeatmapFocalKernels> {
  template <class T, class F> static FOCAL_INLINE void soft(const FocalProblem &p, F f) {
    if constexpr (sizeof(T) == sizeof(float))
      if (p.gamma == 2 && p.beta == 4) return f(HeatmapFocal<Power2, Power4>{Power2(2), Power4(4)});
    exact<T>(p, f);
  }
  template <class T, class F> static FOCAL_INLINE void exact(const FocalProblem &p, F f) {
    f(HeatmapFocal<PowerAny<T>, PowerAny<T>>{PowerAny<T>(p.gamma), PowerAny<T>(p.beta)});
  }
  static FOCAL_INLINE Element<double> at_end(const FocalProblem &p, double at, double y, double rest, double wp, double wn) {
    if (rest > 0) return weighted(wn * ::pow(rest, p.beta), negative_at(at, p.gamma, p.gamma));
    return entropy_at(at, y, rest, wp, wn, p.gamma, p.gamma);
  }
};

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
