// What an element-wise loss gives for one element (or one pack of elements): value, first and second
// derivative with respect to the logit.
//
// A loss is a struct with a power policy (elementary.h) and four members, on any number type R:
//   negative<H>(x, w)          target 0, weight w
//   positive<H>(x, w)          target 1, weight w
//   hard<H>(x, y, wp, wn)      target y, which is 0 or 1; wp and wn are the weights of a positive and a negative
//   soft<H>(x, y, rest, wp, wn)  any target y in [0, 1]. rest is 1 - y with all its digits, which y itself has lost
//                              where it is near 1
// H says whether the second derivative is wanted. A weight w may be a Unit. |x| is within logistic()'s range, and as a
// function of x each is a straight line outside of it to within rounding: the driver extends it along its tangent
// (cpu/careful.h).
#pragma once

#include "../elementary.h"

namespace focal {
namespace FOCAL_NAMESPACE {

template <class R> struct Element { R value, grad, hess; };

// The weight 1, which costs no multiplication.
struct Unit {};
template <class R> FOCAL_INLINE R operator*(R a, Unit) { return a; }

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
