// Element-wise losses whose inputs are probabilities of float, value and gradient: the formulas of block.h in float, in one sweep. What
// is so near to 0 or 1 that a quotient may overflow, the two ends, and NaN are computed apart, in double.
#pragma once

#include "cpu/elementwise/block.h"
#include "losses/ends.h"
#include "probability.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// What the formulas take: numbers inside (0, 1), in a distance from both ends.
class Probabilities {
 public:
  FOCAL_INLINE bool is_beyond(float p) const { return !(smaller(p, 1 - p) > least); }
  static DoubleElement apart(const Plan &plan, int64_t k, float p) { return element_of_probability(plan, k, p); }
  static double bounded(double derivative) { return within(range_of(FOCAL_FLOAT32), derivative); }
  template <class One> FOCAL_INLINE uint32_t lanes_beyond(One p) const { return lanes_above(ones_beyond(p), 0.0f); }
  template <class R> FOCAL_INLINE bool may_be_beyond(R p) const { return any_lane_above(fold(ones_beyond(p)), 0.0f); }

 private:
  static constexpr float least = 0x1p-60f;

  template <class R> static FOCAL_INLINE R ones_beyond(R p) { return select(smaller(p, R(1) - p) > R(least), R(0), R(1)); }
};

// Derivatives up to the largest weight (plan.h) over the least probability, times so much, are finite.
constexpr double largest_probability_scale = 1000;

inline bool is_for_probability_sweep(const Plan &plan) {
  const FocalProblem &p = plan.problem;
  return p.dtype == FOCAL_FLOAT32 && !p.hess && !plan.extreme_scale && plan.grad_scale <= largest_probability_scale &&
         plan.value_scale <= largest_probability_scale;
}

// A loss of a probability as a sweep calls a loss of a logit.
template <class Loss> struct OfProbability {
  Loss loss;

  template <bool H, class R> FOCAL_INLINE Element<R> soft(R p, R y, R rest, R wp, R wn) const {
    return loss.of_probability(logistic_of_probability(p), y, rest, wp, wn);
  }
};

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
