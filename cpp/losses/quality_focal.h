// Quality focal loss (Li et al. 2020, arXiv:2006.04388): |y - p|^beta times the cross entropy of a soft label y.
//
// With d = y - p, v = p (1 - p), u = |d|^beta and B the cross entropy: L = u B,
//   dL/dx = -u (d + beta r B),   d2L/dx2 = u (beta r ((beta - 1) r - (c - s)) B + (2 beta + 1) v),   r = v / d.
#pragma once

#include "ends.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// With `constant_modulator` u is differentiated as a constant: beta in the derivatives is 0.
template <class Power, class Slope = Power> struct QualityFocal {
  Power power;  // of beta
  Slope slope;

  template <bool H, class R> FOCAL_INLINE Element<R> soft(R x, R y, R rest, R wp, R wn) const {
    using C = Constants<typename Number<R>::Lane>;
    const R beta(slope.gamma);
    Logistic<R> l = logistic(x);
    R d = muladd(y, l.c, -(rest * l.s)), v = l.s * l.c;
    // Only rounding brings |d| this far below v, or an exact hit: r is to be finite there
    R distance = larger(larger(absolute(d), v * R(C::least_ratio)), R(C::smallest_normal));
    R sign = d / distance, r = v / distance;
    R entropy = cross_entropy(l, x, y, rest);
    R u = power(distance) * muladd(y, wp, rest * wn);
    R pull = beta * sign * r;
    Element<R> e;
    e.value = u * entropy;
    e.grad = -(u * muladd(pull, entropy, d));
    // In this order: u may be 0 where a power of beta or r is past the largest number
    if constexpr (H) e.hess = muladd(e.value * r * (beta * sign), (beta - R(1)) * sign * r - (l.c - l.s), u * ((beta + beta + R(1)) * v));
    return e;
  }

  template <class R> FOCAL_INLINE Element<R> of_probability(const Logistic<R> &l, R y, R rest, R wp, R wn) const {
    using C = Constants<typename Number<R>::Lane>;
    const R beta(slope.gamma);
    R d = y - l.s, v = l.s * l.c;  // a difference of what was given: it rounds nothing where it is small
    R distance = larger(larger(absolute(d), v * R(C::least_ratio)), R(C::smallest_normal));
    R sign = d / distance;
    R u = power(distance) * muladd(y, wp, rest * wn);
    Element<R> e = cross_entropy_of_probability(l, y, rest, u);
    R pull = u * beta * (entropy_of_probability(l, y, rest) / distance);
    R bend = muladd(beta - R(1), pull, -((beta + beta) * sign * e.grad));
    return {e.value, e.grad - sign * pull, e.hess + bend / distance};
  }
};

struct QualityFocalKernels : ElementWise<QualityFocalKernels> {
  template <class T, class F> static FOCAL_INLINE void soft(const FocalProblem &p, F f) {
    if constexpr (sizeof(T) == sizeof(float))
      if (p.beta == 2 && !p.constant_modulator) return f(QualityFocal<Power2>{Power2(2), Power2(2)});
    exact<T>(p, f);
  }
  template <class T, class F> static FOCAL_INLINE void exact(const FocalProblem &p, F f) {
    f(QualityFocal<PowerAny<T>, Slope<T>>{PowerAny<T>(p.beta), Slope<T>(p, p.beta)});
  }
  static FOCAL_INLINE Element<double> at_end(const FocalProblem &p, double at, double y, double rest, double wp, double wn) {
    return entropy_at(at, y, rest, wp, wn, p.beta, p.beta, p.constant_modulator != 0);
  }
};

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
