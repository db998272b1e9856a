#define FOCAL_NAMESPACE double_fallback
#define FOCAL_LIBM

#include "probability.h"

#include "losses/list.h"
#include "losses/softmax_focal.h"
#include "cpu/targets/numbers.h"

namespace focal {

namespace {

DoubleElement double_element(const double_fallback::Element<double> &e) { return {e.value, e.grad, e.hess}; }

}  // namespace

DoubleElement element_at_end(const FocalProblem &problem, double p, double y, double rest, double wp, double wn) {
  DoubleElement e;
  double_fallback::with_kernels(problem.loss, [&](auto kernels) {
    e = double_element(decltype(kernels)::at_end(problem, p, y, rest, wp, wn));
  });
  return e;
}

DoubleElement class_of_probability(const FocalProblem &problem, double p, double weight) {
  return double_element(double_fallback::term_of_probability(problem, p, weight));
}

namespace {

// Of element k: is it in a row, and itself, neither masked out nor ignored?
bool is_valid(const Plan &plan, int64_t k) {
  const FocalProblem &p = plan.problem;
  const int64_t row = k / (plan.classes * plan.inner) * plan.inner + k % plan.inner;
  const auto masked = [&](int64_t at) { return number_at(p.mask, p.mask_dtype, at) == 0; };
  if (p.mask_per != FOCAL_ABSENT && masked(p.mask_per == FOCAL_PER_ROW ? row : k)) return false;
  const bool by_index = p.targets_kind == FOCAL_CLASS_INDEX;
  return p.ignore_index != p.ignore_index || number_at(p.targets, p.targets_dtype, by_index ? row : k) != p.ignore_index;
}

}  // namespace

void ProbabilityCheck::scan_parts(int64_t first, int64_t last) {
  const FocalProblem &p = plan_.problem;
  const int64_t begin = first * part, end = last * part < plan_.elements ? last * part : plan_.elements;
  if (!look_at_labels(p.logits, p.dtype, begin, end - begin, 0.5).bad) return;
  for (int64_t k = begin; k < end; k++) {
    const double value = number_at(p.logits, p.dtype, k);
    if (!(value < 0 || value > 1) || !is_valid(plan_, k)) continue;
    int64_t before = error_.load(std::memory_order_relaxed);
    while (k < before && !error_.compare_exchange_weak(before, k, std::memory_order_relaxed)) {
    }
    return;
  }
}

FocalStatus ProbabilityCheck::finish(FocalResult *result) const {
  if (error_ == nowhere) return FOCAL_OK;
  result->error_index = static_cast<double>(error_);
  result->error_value = number_at(plan_.problem.logits, plan_.problem.dtype, error_);
  return FOCAL_BAD_PROBABILITY;
}

}  // namespace focal
