// Losses of a probability p that is 0 or 1: what a loss's `at_end` is made of. An output is its limit there with respect to
// p, infinite or NaN where it has none. Plain double and the C library: the ends are few.
#pragma once

#include <math.h>

#include "element.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// Of an array's type: the smallest normal number, the largest below 1, and the largest of all.
struct NumberRange { double least, below_one, largest; };

FOCAL_INLINE NumberRange range_of(int32_t dtype) {
  switch (dtype) {
    case FOCAL_FLOAT64: return {0x1p-1022, 1 - 0x1p-53, 0x1.fffffffffffffp1023};
    case FOCAL_FLOAT16: return {0x1p-14, 1 - 0x1p-11, 65504};
    case FOCAL_BFLOAT16: return {0x1p-126, 1 - 0x1p-8, 0x1.fep127};
    default: return {0x1p-126, 1 - 0x1p-24, 0x1.fffffep127};
  }
}

// A derivative as far as the arrays' type reaches.
FOCAL_INLINE double within(const NumberRange &range, double x) {
  return x > range.largest ? range.largest : x < -range.largest ? -range.largest : x;
}

FOCAL_INLINE Element<double> unbounded() { return {HUGE_VAL, HUGE_VAL, HUGE_VAL}; }

// What weighs nothing costs nothing, infinite as it may be.
FOCAL_INLINE Element<double> weighted(double w, Element<double> e) {
  if (w == 0) return {0, 0, 0};
  return {w * e.value, w * e.grad, w * e.hess};
}

// p^g (-log(1 - p)), where p^g is differentiated as if to the power of `slope`.
FOCAL_INLINE Element<double> negative_at(double p, double g, double slope) {
  if (p == 1) return unbounded();
  const double bend = slope == 0 ? 0 : slope * (slope + 1) * ::pow(0.0, g - 1), whole = g == 0 ? 1 : 0;
  return {0, whole, whole + bend};
}

// A positive at p is a negative at 1 - p, seen in the mirror.
FOCAL_INLINE Element<double> positive_at(double p, double g, double slope) { return mirror(negative_at(1 - p, g, slope)); }

// p^g_negative (-log(1 - p)) for y = 0 and (1 - p)^g_positive (-log p) for y = 1. For a label between, cross entropy is
// infinite at both ends, and no factor makes up for it. `constant`: powers are differentiated as constants.
FOCAL_INLINE Element<double> entropy_at(double p, double y, double rest, double wp, double wn, double g_positive, double g_negative, bool constant = false) {
  if (y > 0 && rest > 0) return unbounded();
  return y > 0 ? weighted(wp, positive_at(p, g_positive, constant ? 0 : g_positive)) : weighted(wn, negative_at(p, g_negative, constant ? 0 : g_negative));
}

// y L(1) + (1 - y) L(0)
FOCAL_INLINE Element<double> mixture_at(double y, double rest, double wp, double wn, Element<double> positive, Element<double> negative) {
  return sum<true>(weighted(wp * y, positive), weighted(wn * rest, negative));
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
