// The path of the blocks that the vector kernels do not take: logits so large that an exponential would overflow,
// infinities, enormous weights. In double, one element after another.
//
// Compiled once (double_fallback.cpp), for every instruction set.
#pragma once

#include "plan.h"

namespace focal {

struct DoubleElement { double value, grad, hess; };

// One element of an element-wise loss at any logit, finite or not; rest is 1 - y.
DoubleElement double_fallback_element(const FocalProblem &problem, double x, double y, double rest, double positive_weight,
                               double negative_weight);

// One row of a softmax loss: `amount[c]` is class c's weight times its target. `grad` (null or [classes]) is of
// the row's value. `work` holds 2 * classes doubles.
template <class T>
double double_fallback_softmax_row(const FocalProblem &problem, const T *x, const T *amount, int64_t classes, double *work,
                           double *grad);

}  // namespace focal
