// Focal star loss (Lin et al. 2017, arXiv:1708.02002, appendix A): -log(sigmoid(gamma x_t + beta)) / gamma.
//
// With z = -(gamma x_t + beta) and w / gamma = v: L = v softplus(z), dL/dz = v sigmoid(z),
// d2L/dz2 = v sigmoid(z) sigmoid(-z), and dz/dx is gamma for a negative, -gamma for a positive.
#pragma once

#include "ends.h"

namespace focal {
namespace FOCAL_NAMESPACE {

template <class T> struct FocalStar {
  T gamma, inverse;  // inverse = 1 / gamma
  T gamma_high, gamma_low, beta_high, beta_low;  // each pair adds up to more digits than T has

  FOCAL_INLINE FocalStar(double g, double b)
      : gamma(static_cast<T>(g)), inverse(static_cast<T>(1 / g)), gamma_high(leading_bits(gamma)), beta_high(static_cast<T>(b)) {
    gamma_low = static_cast<T>(g - static_cast<double>(gamma_high));
    beta_low = static_cast<T>(b - static_cast<double>(beta_high));
  }

  template <bool H, class R> FOCAL_INLINE Element<R> hard(R x, R y, R wp, R wn) const {
    const auto is_positive = y > R(0.5);
    Element<R> e = mirror(is_positive, negative<H>(negated(is_positive, x), select(is_positive, wp, wn)));
    e.grad = e.grad + R(0);  // no negative zero, which soft labels do not give
    return e;
  }

  // y L(1) + (1 - y) L(0)
  template <bool H, class R> FOCAL_INLINE Element<R> soft(R x, R y, R rest, R wp, R wn) const {
    return sum<H>(negative<H>(x, wn * rest), mirror(negative<H>(-x, wp * y)));
  }

  template <class R> FOCAL_INLINE Element<R> of_probability(const Logistic<R> &l, R y, R rest, R wp, R wn) const {
    return sum<true>(negative_of_probability(l, wn * rest), mirror(negative_of_probability(l.mirrored(), wp * y)));
  }

 private:
  // target 0: with S = sigmoid(z) / p the derivatives are w S / (1 - p), w ((gamma - 1) S / p + S (2 - gamma S)) / (1 - p)^2
  template <class R> FOCAL_INLINE Element<R> negative_of_probability(const Logistic<R> &l, R w) const {
    const R g(gamma), far(700), farther(708);  // as far as logistic() and exponential() go
    R z = muladd(g, l.softplus - l.softplus_minus, -R(beta_high));
    Logistic<R> of_z = logistic(larger(-far, smaller(z, far)));
    // Below 1/2, from logarithms: sigmoid(z) may be no normal number where S and S / p are
    const auto is_high = l.s > R(0.5);
    R log_scale = muladd(g, l.softplus, -R(beta_high)), log_S = muladd(R(1) - g, l.softplus_minus, log_scale);
    R S = select(is_high, of_z.s / l.s, exponential(larger(-farther, smaller(log_S, farther))) * of_z.c);
    R log_S_over_p = muladd(R(2) - g, l.softplus_minus, log_scale);
    R over_p = select(log_S > -far, w * S / l.s, w * exponential(larger(-farther, smaller(log_S_over_p, farther))) * of_z.c);
    R low = muladd(g - R(1), over_p, w * S * (R(2) - g * S));
    // above 1/2 the same without the difference of 2 and gamma S
    R high = w * S / l.s * muladd(g, of_z.c, l.s - l.c);
    R hess = select(is_high, high, low) / l.c / l.c;
    // what a positive adds is larger still, and infinite before this is
    return {w * R(inverse) * (of_z.softplus + larger(R(0), z - far)), w * S / l.c, larger(R(-0x1.fffffffffffffp1023), hess)};
  }

  // target 0
  template <bool H, class R> FOCAL_INLINE Element<R> negative(R x, R w) const {
    // What rounding gamma x - beta loses is large beside a tail e^z, so it is put back, to first order. The product of two
    // leading halves is exact: nothing changes where a compiler makes one operation of it and the subtraction.
    R high = leading_bits(x), product = R(gamma_high) * high;
    R near = product - R(beta_high);
    R back = near - product;
    R missing = muladd(R(gamma_high), x - high, muladd(R(gamma_low), x, -R(beta_low)));
    missing = missing + ((product - (near - back)) - (back + R(beta_high)));
    R z = near + missing, lost = missing - (z - near);
    Logistic<R> l = logistic(z);
    R s = l.s * w, back_in_c = l.c * lost;  // the weight first: without it the product of s and what was lost may be too small
    Element<R> e;
    e.value = muladd(s, lost, l.softplus * w) * R(inverse);
    // softplus is NaN where x is
    e.grad = muladd(l.softplus, R(0), muladd(s, back_in_c, s));
    if constexpr (H) e.hess = R(gamma) * e.grad * (l.c - l.s * back_in_c);
    return e;
  }
};

struct FocalStarKernels : ElementWise<FocalStarKernels> {
  static constexpr bool two_labels = true;

  template <class T, class F> static FOCAL_INLINE void exact(const FocalProblem &p, F f) { f(FocalStar<T>(p.gamma, p.beta)); }
  template <class T, class F> static FOCAL_INLINE void hard(const FocalProblem &p, F f) { exact<T>(p, f); }
  static FOCAL_INLINE double reach(const FocalProblem &p, double limit) {
    return (limit - (p.beta < 0 ? -p.beta : p.beta)) / p.gamma;
  }
  static FOCAL_INLINE Element<double> at_end(const FocalProblem &p, double at, double y, double rest, double wp, double wn) {
    return mixture_at(y, rest, wp, wn, mirror(negative_at_end(p, 1 - at)), negative_at_end(p, at));
  }

 private:
  // With S = sigmoid(z) / p, which near 0 is e^-beta p^(gamma - 1).
  static FOCAL_INLINE Element<double> negative_at_end(const FocalProblem &p, double at) {
    if (at == 1) return unbounded();
    const double slope = ::exp(-p.beta) * ::pow(0.0, p.gamma - 1);
    const double bend = p.gamma == 1 ? 0 : (p.gamma - 1) * ::exp(-p.beta) * ::pow(0.0, p.gamma - 2);
    return {0, slope, bend + slope * (2 - p.gamma * slope)};
  }
};

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
