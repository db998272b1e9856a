// Softmax focal loss and its exact gradient, on the sums of exponentials of one row.
//
// 1 - p_c is the sum of the other classes' exponentials over the whole, never a subtraction from 1, and
// -log p_c is log1p(others / e_c): both keep their relative accuracy however sure the row is.
#pragma once

#include "../elementary.h"

namespace focal {
namespace FOCAL_NAMESPACE {

template <class R> struct SoftmaxTerm {
  R value;  // a q^g (-log p), a the class's weight times its target
  R pull;   // B = a q^g (g p (-log p) / q + 1): dL/dx_j = p_j sum_{c != j} B_c - q_j B_j
  R q;      // 1 - p
};

template <class Power> struct SoftmaxFocal {
  Power power;

  // `others` is the sum of every exponential of the row but e
  template <class R> FOCAL_INLINE SoftmaxTerm<R> operator()(R e, R others, R a) const {
    R nll = log_one_plus(others / e);
    R inverse = R(1) / (e + others);
    R p = e * inverse, q = others * inverse;
    R m = a * power(q);
    // nll / q tends to 1 as q does to 0; with a single class it would be 0 / 0
    R ratio = select(q > R(0), nll / q, R(1));
    return {m * nll, muladd(R(power.gamma) * p * ratio, m, m), q};
  }
};

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
