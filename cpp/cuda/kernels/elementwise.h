// Kernels of the element-wise losses: value, gradient and hessian in one pass. A warp computes a tile and adds it up.
//
//   uniform_kernel   float, one weight for all, nothing ignored, no hessian: eight logits a thread and step, in accesses of
//                    sixteen bytes. Class indices cost a comparison, and no array of zeros and ones.
//   general_kernel   float, everything else: one logit a thread and step.
//   double_kernel    logits of double, and probabilities of any type.
// A logit or a weight that float formulas do not take goes through the C library in double, by itself.
#pragma once

#include "losses/anywhere.h"
#include "position.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// Writes what is asked for of element k.
template <class T> FOCAL_ON_DEVICE void put(const FocalProblem &p, int64_t k, T value, T grad, T hess) {
  if (p.grad) put_number(p.grad, p.grad_dtype, k, grad);
  if (p.values) put_number(p.values, p.dtype, k, value);
  if (p.hess) put_number(p.hess, p.hess_dtype, k, larger(static_cast<T>(p.least_hess), hess));
}

// Calls f with the problem as an element of class `cls` has it.
template <class Kernels, class F> FOCAL_ON_DEVICE void with_problem_of_class(const FocalProblem &p, int64_t cls, F f) {
  if constexpr (Kernels::gamma_per_class) {
    FocalProblem of_class = p;
    of_class.gamma = gamma_of_class(p, cls);
    f(of_class);
  } else {
    f(p);
  }
}

// Element k in double, for any finite or infinite logit and any weight. Returns its loss.
template <class Kernels> FOCAL_ON_DEVICE_APART double double_fallback_element(const Plan &plan, double grad_divisor, double value_divisor, int64_t k) {
  const FocalProblem &p = plan.problem;
  const Position at = position_of(plan, k);
  const Target<double> target = target_of<double>(plan, k, at);
  const ElementWeights<double> weights = weights_of<double>(p, k, at);
  const double x = number_at<double>(p.logits, p.dtype, k);
  Element<double> e;
  with_problem_of_class<Kernels>(p, at.cls, [&](const FocalProblem &own) {
    e = element_anywhere<Kernels>(own, x, target.y, target.rest, weights.positive, weights.negative);
  });
  put(p, k, e.value / value_divisor, e.grad / grad_divisor, e.hess / grad_divisor);
  return e.value;
}

// The same where the logits are probabilities: limits at 0 and 1, where they are finite. A label that is NaN has none.
template <class Kernels> FOCAL_ON_DEVICE double probability_element(const Plan &plan, const Divisors &divisors, int64_t k) {
  const FocalProblem &p = plan.problem;
  const Position at = position_of(plan, k);
  const Target<double> target = target_of<double>(plan, k, at);
  const ElementWeights<double> weights = weights_of<double>(p, k, at);
  const double y = target.y;
  const double read = number_at<double>(p.logits, p.dtype, k), given = read < 0 ? 0 : read > 1 ? 1 : read;
  const NumberRange range = range_of(p.dtype);
  const double inside = given <= 0 ? range.least : given >= 1 ? range.below_one : larger(Constants<double>::smallest_normal, given);
  Element<double> e = {given, given, given};
  Element<double> limit = {NAN, NAN, NAN};
  with_problem_of_class<Kernels>(p, at.cls, [&](const FocalProblem &own) {
    if (given == given)
      Kernels::template exact<double>(own, [&](const auto &loss) {
        e = loss.of_probability(logistic_of_probability(inside), y, target.rest, weights.positive, weights.negative);
      });
    if ((given == 0 || given == 1) && y == y) limit = Kernels::at_end(own, given, y, target.rest, weights.positive, weights.negative);
  });
  if ((given == 0 || given == 1) && y == y) {
    if (::isfinite(limit.value)) e.value = limit.value;
    if (::isfinite(limit.grad)) e.grad = limit.grad;
    if (::isfinite(limit.hess)) e.hess = limit.hess;
  }
  put(p, k, e.value / divisors.value_divisor, within(range_of(p.grad_dtype), e.grad / divisors.grad_divisor),
      within(range_of(p.hess_dtype), e.hess / divisors.grad_divisor));
  return e.value;
}

// Calls f(k) for the elements of each tile, a warp's lanes beside each other, and adds up what it returns.
template <class F> FOCAL_ON_DEVICE void each_element(const Work &work, F f) {
  for (int64_t tile = work.first_tile + warp_of_grid(); tile < work.last_tile; tile += warps_of_grid()) {
    const int64_t begin = tile * tile_elements, left = work.plan.elements - begin;
    const int count = static_cast<int>(left < tile_elements ? left : tile_elements);
    double sum = 0;
    for (int at = lane_of_warp(); at < count; at += warp_lanes) sum += f(begin + at);
    finish_tile(work, tile, sum_of_warp(sum));
  }
}

template <class Kernels> __global__ void __launch_bounds__(block_threads) double_kernel(const __grid_constant__ Work work) {
  const Plan &plan = work.plan;
  Divisors divisors;
  if (!begin(work, divisors)) return;
  const FocalProblem &p = plan.problem;
  each_element(work, [&](int64_t k) {
    if (plan.skips() && is_skipped(p, k, position_of(plan, k).row)) {
      if (p.grad) put_number(p.grad, p.grad_dtype, k, 0.0);
      if (p.values) put_number(p.values, p.dtype, k, 0.0);
      if (p.hess) put_number(p.hess, p.hess_dtype, k, 0.0);
      return 0.0;
    }
    return p.inputs == FOCAL_PROBABILITIES ? probability_element<Kernels>(plan, divisors, k) : double_fallback_element<Kernels>(plan, divisors.grad_divisor, divisors.value_divisor, k);
  });
}

template <bool H, class Kernels, class Loss>
__global__ void __launch_bounds__(block_threads) general_kernel(const __grid_constant__ Work work, const Loss loss) {
  const Plan &plan = work.plan;
  Divisors divisors;
  if (!begin(work, divisors)) return;
  const FocalProblem &p = plan.problem;
  const float reach = static_cast<float>(Kernels::reach(p, Limits<float>::logistic));
  const float grad_scale = static_cast<float>(divisors.grad_scale), value_scale = static_cast<float>(divisors.value_scale);
  each_element(work, [&](int64_t k) -> double {
    const Position at = position_of(plan, k);
    if (plan.skips() && is_skipped(p, k, at.row)) {
      if (p.grad) put_number(p.grad, p.grad_dtype, k, 0.0f);
      if (p.values) put_number(p.values, p.dtype, k, 0.0f);
      if (H) put_number(p.hess, p.hess_dtype, k, 0.0f);
      return 0;
    }
    const float x = number_at<float>(p.logits, p.dtype, k);
    const ElementWeights<float> weights = weights_of<float>(p, k, at);
    const bool is_light = absolute(weights.positive) <= Limits<float>::weight && absolute(weights.negative) <= Limits<float>::weight;
    // A NaN among weights is left to the double-precision fallback too, one among logits comes through the formulas
    if (divisors.extreme_scale || absolute(x) > reach || !is_light) return double_fallback_element<Kernels>(plan, divisors.grad_divisor, divisors.value_divisor, k);
    const Target<float> target = target_of<float>(plan, k, at);
    const auto of = [&](const auto &formula) { return formula.template soft<H>(x, target.y, target.rest, weights.positive, weights.negative); };
    Element<float> e;
    if constexpr (Kernels::gamma_per_class) e = of(loss.with(PowerAny<float>(gamma_of_class(p, at.cls))));
    else e = of(loss);
    if (p.grad) put_number(p.grad, p.grad_dtype, k, e.grad * grad_scale);
    if (p.values) put_number(p.values, p.dtype, k, e.value * value_scale);
    if constexpr (H) put_number(p.hess, p.hess_dtype, k, larger(static_cast<float>(p.least_hess), e.hess * grad_scale));
    return static_cast<double>(e.value);
  });
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
