// Blocks of element-wise losses whose inputs are probabilities: in double, whatever the arrays hold, value and both
// derivatives with respect to the probability in one pass. Speed matters less here than one way for all.
#pragma once

#include "../half.h"
#include "../losses/ends.h"
#include "probability.h"
#include "staging.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// Scratch of one worker.
struct StagedProbabilities {
  static constexpr int size = block_elements + 16;  // room for a whole pack past the end
  alignas(64) double p[size], y[size], rest[size], positive[size], negative[size], value[size], grad[size], hess[size];
  double numbers[size];
  uint8_t skipped[size];
};

// The formulas, with the nearest probability inside for 0 and 1.
template <class R, class Loss> FOCAL_NOINLINE void probability_formulas(StagedProbabilities &staged, int n, const NumberRange &range, const Loss &loss) {
  for (int k = n; k % R::size != 0; k++) staged.p[k] = staged.y[k] = staged.rest[k] = staged.positive[k] = staged.negative[k] = 0.5;
  for (int k = 0; k < n; k += R::size) {
    const R given = R::load(staged.p + k);
    R p = select(given > R(0), larger(R(Constants<double>::smallest_normal), given), R(range.least));
    p = select(R(1) > given, p, R(range.below_one));
    const Element<R> e = loss.of_probability(logistic_of_probability(p), R::load(staged.y + k), R::load(staged.rest + k),
                                             R::load(staged.positive + k), R::load(staged.negative + k));
    const R not_number = given * R(0);  // or 0
    (e.value + not_number).store(staged.value + k);
    (e.grad + not_number).store(staged.grad + k);
    (e.hess + not_number).store(staged.hess + k);
  }
}

// Limits at 0 and 1, where they are finite. A label that is NaN has none.
FOCAL_NOINLINE inline void probability_ends(const FocalProblem &problem, StagedProbabilities &staged, int n) {
  const auto put = [](double limit, double *to) {
    if (__builtin_isfinite(limit)) *to = limit;
  };
  for (int k = 0; k < n; k++) {
    const double p = staged.p[k], y = staged.y[k];
    if ((p != 0 && p != 1) || y != y) continue;
    const CarefulElement limit = element_at_end(problem, p, y, staged.rest[k], staged.positive[k], staged.negative[k]);
    put(limit.value, staged.value + k);
    put(limit.grad, staged.grad + k);
    put(limit.hess, staged.hess + k);
  }
}

// To an array of the problem's, if there is one.
FOCAL_NOINLINE inline void write_numbers(const FocalProblem &p, void *array, int64_t begin, int n, const double *numbers) {
  if (!array) return;
  const auto put = [&](auto *to) { copy_numbers(numbers, n, to); };
  if (p.dtype == FOCAL_FLOAT64) with_stored<double>(array, p.dtype, begin, put);
  else with_stored<float>(array, p.dtype, begin, put);
}

template <class R, class Loss>
double probability_block(const Plan &plan, StagedProbabilities &staged, int64_t begin, int64_t end, const Loss &loss) {
  const FocalProblem &p = plan.problem;
  const int n = static_cast<int>(end - begin);
  const NumberRange range = range_of(p.dtype);
  read_numbers(p.logits, p.dtype, begin, n, staged.p);
  stage_targets(plan, begin, end, staged.y, staged.rest, staged.numbers);
  stage_weights(plan, begin, end, staged.positive, staged.negative, staged.numbers);
  const bool skips = plan.skips() && stage_skipped(plan, begin, end, staged.skipped, staged.numbers);
  for (int k = 0; skips && k < n; k++)
    if (staged.skipped[k]) staged.p[k] = staged.y[k] = staged.rest[k] = staged.positive[k] = staged.negative[k] = 0.5;
  probability_formulas<R>(staged, n, range, loss);
  probability_ends(p, staged, n);
  double sum = 0;
  for (int k = 0; k < n; k++) {
    if (skips && staged.skipped[k]) {
      staged.value[k] = staged.grad[k] = staged.hess[k] = 0;
      continue;
    }
    sum += staged.value[k];
    staged.value[k] /= plan.value_divisor;
    staged.grad[k] = within(range, staged.grad[k] / plan.grad_divisor);
    staged.hess[k] = within(range, larger(p.least_hess, staged.hess[k] / plan.grad_divisor));
  }
  write_numbers(p, p.values, begin, n, staged.value);
  write_numbers(p, p.grad, begin, n, staged.grad);
  write_numbers(p, p.hess, begin, n, staged.hess);
  return sum;
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
