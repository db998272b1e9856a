// The path of the elements, and the rows, that the vector kernels do not take: logits so large that an exponential would overflow,
// infinities, enormous weights. In double, one element after another.
//
// Compiled once (double_fallback.cpp), for every instruction set.
#pragma once

#include "plan.h"

namespace focal {

struct DoubleElement { double value, grad, hess; };

// What belongs to element k: its label, 1 less that, its weights, and its class.
struct ElementTerms {
  double y, rest, positive, negative;
  int64_t cls;
};
ElementTerms terms_of(const Plan &plan, int64_t k);

// Element k of an element-wise loss at any logit, finite or not, with its target and weights.
DoubleElement double_fallback_element(const Plan &plan, int64_t k, double logit);

// One row of a softmax loss: `amount[c]` is class c's weight times its target. `grad` [classes] and `hess` (null or the same) are of
// the row's value. `work` holds 3 * classes doubles. `gamma` is each class's; `target` is the row's class where the others have a
// factor of their own (FOCAL_ASYMMETRIC_ROWS), else -1.
template <class T>
double double_fallback_softmax_row(const FocalProblem &problem, const T *x, const double *amount, int64_t classes, double *work,
                           double *grad, double *hess, const double *gamma, int64_t target);

}  // namespace focal
