// Sigmoid focal loss with gamma per class (equalized focal loss, Li et al. 2022, arXiv:2201.02593), and with label smoothing of
// which only the cross entropy knows (NVIDIA apex), while modulating factor and alpha keep the label as it is.
//
// With q = 1 - p_t = y (1 - p) + (1 - y) p, r = q' / q, y_s the smoothed label and B its cross entropy: L = w q^gamma B,
//   dL/dx = w q^gamma (gamma r B + p - y_s),   d2L/dx2 = w q^gamma (gamma r ((gamma - 1) r + 1 - 2 p) B + 2 gamma r (p - y_s) + p (1 - p)).
// One formula for both options, as few ask for them: the common ones have sigmoid_focal.h.
#pragma once

#include "ends.h"

namespace focal {
namespace FOCAL_NAMESPACE {

template <class T, class Power> struct SigmoidGeneral {
  using PowerPerElement = void;  // `with` is to be given the power of an element's class
  Power power;
  T scale, shift;  // of the label in the cross entropy

  SigmoidGeneral(const Power &of, T label_scale, T label_shift) : power(of), scale(label_scale), shift(label_shift) {}

  template <class Other> FOCAL_INLINE SigmoidGeneral<T, Other> with(const Other &other) const { return {other, scale, shift}; }

  template <bool H, class R> FOCAL_INLINE Element<R> soft(R x, R y, R rest, R wp, R wn) const {
    const R g(power.gamma), smooth = smoothed(y), smooth_rest = smoothed(rest);
    Logistic<R> l = logistic(x);
    R q = muladd(rest, l.s, y * l.c);
    R variance = l.s * l.c, slope = muladd(smooth_rest, l.s, -(smooth * l.c));
    R entropy = cross_entropy(l, x, smooth, smooth_rest);
    R factor = power(q), r = select(q > R(0), (rest - y) * variance / q, R(0));  // q is a normal number within reach
#ifdef FOCAL_LIBM
    if constexpr (sizeof(R) == sizeof(double))
      if (g > 0 && q < 1e-290 && (y == 0 || rest == 0)) {  // beyond, the power of a small gamma may be a normal number where q is none
        factor = ::exp(-g * (y == 0 ? l.softplus_minus : l.softplus));
        r = y == 0 ? l.c : -l.s;
      }
#endif
    R m = factor * muladd(y, wp, rest * wn);
    R pull = g * r;
    Element<R> e;
    e.value = m * entropy;
    e.grad = m * muladd(pull, entropy, slope);
    if constexpr (H) {
      R bend = pull * muladd(r, g - R(1), l.c - l.s);
      e.hess = m * (muladd(bend, entropy, (pull + pull) * slope) + variance);
    }
    return e;
  }

  template <class R> FOCAL_INLINE Element<R> of_probability(const Logistic<R> &l, R y, R rest, R wp, R wn) const {
    const R g(power.gamma), smooth = smoothed(y), smooth_rest = smoothed(rest);
    R q = larger(muladd(rest, l.s, y * l.c), R(Constants<T>::smallest_normal));
    R m = power(q) * muladd(y, wp, rest * wn), slope = rest - y;
    Element<R> e = cross_entropy_of_probability(l, smooth, smooth_rest, m);
    R pull = m * slope * (entropy_of_probability(l, smooth, smooth_rest) / q);
    R bend = g * slope * muladd(g - R(1), pull, e.grad + e.grad);
    return {e.value, muladd(g, pull, e.grad), e.hess + bend / q};
  }

 private:
  template <class R> FOCAL_INLINE R smoothed(R y) const { return muladd(y, R(scale), R(shift)); }
};

struct SigmoidGeneralKernels : ElementWise<SigmoidGeneralKernels> {
  static constexpr bool gamma_per_class = true;

  template <class T, class F> static FOCAL_INLINE void exact(const FocalProblem &p, F f) {
    f(SigmoidGeneral<T, PowerAny<T>>(PowerAny<T>(p.gamma), static_cast<T>(1 - p.beta), static_cast<T>(p.beta / 2)));
  }
  static FOCAL_INLINE Element<double> at_end(const FocalProblem &p, double at, double y, double rest, double wp, double wn) {
    if (p.beta == 0) return entropy_at(at, y, rest, wp, wn, p.gamma, p.gamma);
    // A smoothed cross entropy is infinite at both ends. Where the label is right, its factor may make up for it.
    const double w = at == 1 && rest == 0 ? wp : at == 0 && y == 0 ? wn : -1;
    if (w < 0) return unbounded();
    return weighted(w, {p.gamma > 0 ? 0 : HUGE_VAL, p.gamma > 1 ? 0 : HUGE_VAL, p.gamma > 2 ? 0 : HUGE_VAL});
  }
};

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
