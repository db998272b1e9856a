// Softmax focal loss and its exact gradient, for one class of one row.
//
// 1 - p_c is the sum of the other classes' exponentials over the whole, never a subtraction from 1, and
// -log p_c comes from a log1p: both keep their relative accuracy however sure the row is.
#pragma once

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
