// Blocks of element-wise losses whose inputs are probabilities: in double, whatever the arrays hold, value and both
// derivatives with respect to the probability in one pass. Speed matters less here than one way for all.
#pragma once

#include "half.h"
#include "losses/ends.h"
#include "probability.h"
#include "cpu/targets/staging.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// Scratch of one worker.
struct ProbabilityScratch {
  static constexpr int size = block_elements + 32;  // room for a whole pack past the end, and what fill() writes there
  alignas(64) double p[size], y[size], rest[size], positive[size], negative[size], value[size], grad[size], hess[size];
  double numbers[size];
  int64_t valid[size];
  uint8_t marks[size], row_marks[size];
};

// The formulas, with the nearest probability inside for 0 and 1.
template <class R, class Loss> FOCAL_NOINLINE void probability_formulas(ProbabilityScratch &scratch, int n, const NumberRange &range, const Loss &loss) {
  for (int k = n; k % R::size != 0; k++) scratch.p[k] = scratch.y[k] = scratch.rest[k] = scratch.positive[k] = scratch.negative[k] = 0.5;
  for (int k = 0; k < n; k += R::size) {
    const R given = R::load(scratch.p + k);
    R p = select(given > R(0), larger(R(Constants<double>::smallest_normal), given), R(range.least));
    p = select(R(1) > given, p, R(range.below_one));
    const auto of = [&](const auto &formula) {
      return formula.of_probability(logistic_of_probability(p), R::load(scratch.y + k), R::load(scratch.rest + k), R::load(scratch.positive + k), R::load(scratch.negative + k));
    };
    Element<R> e;
    if constexpr (requires { typename Loss::PowerPerElement; }) e = of(loss.with(PowerAny<R>(R::load(scratch.value + k), R::load(scratch.grad + k))));
    else e = of(loss);
    const R not_number = given * R(0);  // or 0
    (e.value + not_number).store(scratch.value + k);
    (e.grad + not_number).store(scratch.grad + k);
    (e.hess + not_number).store(scratch.hess + k);
  }
}

// Limits at 0 and 1, where they are finite. A label that is NaN has none.
FOCAL_NOINLINE inline void probability_ends(const Plan &plan, ProbabilityScratch &scratch, int64_t begin, int n) {
  FocalProblem problem = plan.problem;  // of the class
  for (int k = 0; k < n; k++) {
    const double p = scratch.p[k], y = scratch.y[k];
    if ((p != 0 && p != 1) || y != y) continue;
    problem.gamma = gamma_of_class(plan.problem, (begin + k) / plan.inner % plan.classes);
    const DoubleElement limit = element_at_end(problem, p, y, scratch.rest[k], scratch.positive[k], scratch.negative[k]);
    take_limits(limit, scratch.value + k, scratch.grad + k, scratch.hess + k);
  }
}

// To an array of the problem's, if there is one.
FOCAL_NOINLINE inline void write_numbers(void *array, int32_t dtype, int64_t begin, int n, const double *numbers) {
  if (!array) return;
  const auto put = [&](auto *to) { copy_numbers(numbers, n, to); };
  if (dtype == FOCAL_FLOAT64) with_stored<double>(array, dtype, begin, put);
  else with_stored<float>(array, dtype, begin, put);
}

template <class R, class Loss>
double probability_block(const Plan &plan, ProbabilityScratch &scratch, int64_t begin, int64_t end, const Loss &loss) {
  const FocalProblem &p = plan.problem;
  const int n = static_cast<int>(end - begin);
  const NumberRange range = range_of(p.dtype), of_grad = range_of(p.grad_dtype), of_hess = range_of(p.hess_dtype);
  read_numbers(p.logits, p.dtype, begin, n, scratch.p);
  const bool skips = plan.skips() && stage_valid(plan, begin, end, scratch.valid, scratch.marks, scratch.row_marks);
  stage_targets(plan, begin, end, scratch.y, scratch.rest, scratch.numbers);
  stage_weights(plan, begin, end, Limits<double>::weight, scratch.positive, scratch.negative, scratch.value, scratch.numbers);
  if (p.weights_per != FOCAL_ABSENT)
    for (int k = 0; k < n; k++) scratch.positive[k] = weight_or_nan(scratch.positive[k]), scratch.negative[k] = weight_or_nan(scratch.negative[k]);
  for (int k = 0; skips && k < n; k++)
    if (scratch.valid[k] == 0) scratch.p[k] = scratch.y[k] = scratch.rest[k] = scratch.positive[k] = scratch.negative[k] = 0.5;
  // Where values and gradients are to be, of which a pack is read before it is written
  if constexpr (requires { typename Loss::PowerPerElement; }) stage_gammas(plan, begin, end, scratch.value, scratch.grad);
  probability_formulas<R>(scratch, n, range, loss);
  probability_ends(plan, scratch, begin, n);
  double sum = 0;
  for (int k = 0; k < n; k++) {
    if (skips && scratch.valid[k] == 0) {
      scratch.value[k] = scratch.grad[k] = scratch.hess[k] = 0;
      continue;
    }
    sum += scratch.value[k];
    scratch.value[k] /= plan.value_divisor;
    scratch.grad[k] = within(of_grad, scratch.grad[k] / plan.grad_divisor);
    scratch.hess[k] = within(of_hess, larger(p.least_hess, scratch.hess[k] / plan.grad_divisor));
  }
  write_numbers(p.values, p.dtype, begin, n, scratch.value);
  write_numbers(p.grad, p.grad_dtype, begin, n, scratch.grad);
  write_numbers(p.hess, p.hess_dtype, begin, n, scratch.hess);
  return sum;
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
