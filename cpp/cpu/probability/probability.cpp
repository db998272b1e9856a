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

DoubleElement element_of_probability(const Plan &plan, int64_t k, double given) {
  if (given != given) return {given, given, given};
  const FocalProblem &p = plan.problem;
  const ElementTerms of = terms_of(plan, k);
  const auto range = double_fallback::range_of(p.dtype);
  const double inside = given <= 0 ? range.least : given >= 1 ? range.below_one : given;
  DoubleElement e;
  double_fallback::with_kernels(p.loss, [&](auto kernels) {
    decltype(kernels)::template exact<double>(p, [&](const auto &loss) {
      e = double_element(loss.of_probability(double_fallback::logistic_of_probability(inside), of.y, of.rest, of.positive, of.negative));
    });
  });
  if (inside != given) take_limits(element_at_end(p, given, of.y, of.rest, of.positive, of.negative), &e.value, &e.grad, &e.hess);
  return e;
}

DoubleElement class_of_probability(const FocalProblem &problem, double gamma, double p, double weight) {
  return double_element(double_fallback::term_of_probability(problem, gamma, p, weight));
}

namespace {

// Of element k: is it in a row, and itself, neither masked out nor ignored?
bool is_valid(const Plan &plan, int64_t k) {
  const FocalProblem &p = plan.problem;
  const int64_t row = k / (plan.classes * plan.inner) * plan.inner + k % plan.inner;
  const auto masked = [&](int64_t at) { return number_at(p.mask, p.mask_dtype, at) == 0; };
  if (p.mask_per != FOCAL_ABSENT && masked(p.mask_per == FOCAL_PER_ROW ? row : k)) return false;
  const bool by_index = p.targets_kind == FOCAL_CLASS_INDEX;
  return !is_ignored_target(p, number_at(p.targets, p.targets_dtype, by_index ? row : k));
}

void note(std::atomic<int64_t> &first, int64_t at) {
  int64_t before = first.load(std::memory_order_relaxed);
  while (at < before && !first.compare_exchange_weak(before, at, std::memory_order_relaxed)) {
  }
}

}  // namespace

void ProbabilityCheck::scan_parts(int64_t first, int64_t last) {
  for (; first < last; first++) {
    const int64_t begin = first * part, end = begin + part < plan_.elements ? begin + part : plan_.elements;
    scan_elements(begin, end);
    // Rows as the elements of parts are shared out: every part has the rows that follow those of the part before
    if (plan_.problem.loss == FOCAL_SOFTMAX) scan_rows((begin + plan_.classes - 1) / plan_.classes, (end + plan_.classes - 1) / plan_.classes);
  }
}

void ProbabilityCheck::scan_elements(int64_t begin, int64_t end) {
  const FocalProblem &p = plan_.problem;
  if (!kernels_.look_at_labels(p.logits, p.dtype, begin, end - begin, 0.5).unusual) return;
  for (int64_t k = begin; k < end; k++) {
    const double value = number_at(p.logits, p.dtype, k);
    if (!is_outside(value) || !is_valid(plan_, k)) continue;
    if (is_far_outside(value, tolerance_of(p.dtype))) return note(error_, k);
    outside_.store(true, std::memory_order_relaxed);
  }
}

void ProbabilityCheck::scan_rows(int64_t begin, int64_t end) {
  constexpr int64_t most = 256;
  const FocalProblem &p = plan_.problem;
  double sums[most], numbers[most];
  for (int64_t row = begin, n; row < end; row += n) {
    if (plan_.inner == 1 || p.mask_per == FOCAL_PER_ELEMENT) {
      n = 1;
      sums[0] = sum_of(row);
    } else {
      // Neighbours in memory, class by class
      const int64_t inside = row % plan_.inner, first = row / plan_.inner * plan_.classes * plan_.inner + inside;
      n = plan_.inner - inside < end - row ? plan_.inner - inside : end - row;
      n = n < most ? n : most;
      for (int64_t k = 0; k < n; k++) sums[k] = 0;
      for (int64_t c = 0; c < plan_.classes; c++) {
        read_numbers(p.logits, p.dtype, first + c * plan_.inner, n, numbers);
        for (int64_t k = 0; k < n; k++) sums[k] += numbers[k];
      }
    }
    for (int64_t k = 0; k < n; k++) {
      if (is_bad_sum(sums[k]) && is_valid_row(row + k)) return note(bad_row_, row + k);
    }
  }
}

// Any class that is neither masked nor ignored makes a row of a softmax valid.
bool ProbabilityCheck::is_valid_row(int64_t row) const {
  const int64_t first = row / plan_.inner * plan_.classes * plan_.inner + row % plan_.inner;
  const int64_t looked_at = plan_.problem.mask_per == FOCAL_PER_ELEMENT ? plan_.classes : 1;
  for (int64_t c = 0; c < looked_at; c++)
    if (is_valid(plan_, first + c * plan_.inner)) return true;
  return false;
}

double ProbabilityCheck::sum_of(int64_t row) const {
  constexpr int64_t most = 256;
  const FocalProblem &p = plan_.problem;
  const bool of_classes = p.mask_per == FOCAL_PER_ELEMENT;
  const int64_t first = row / plan_.inner * plan_.classes * plan_.inner + row % plan_.inner;
  if (plan_.inner > 1 || of_classes) {
    double sum = 0;
    for (int64_t c = 0; c < plan_.classes; c++) {
      const int64_t at = first + c * plan_.inner;
      if (!of_classes || number_at(p.mask, p.mask_dtype, at) != 0) sum += number_at(p.logits, p.dtype, at);
    }
    return sum;
  }
  double sum = 0, numbers[most];
  constexpr int64_t lanes = 8;  // that do not wait for each other
  for (int64_t c = 0; c < plan_.classes; c += most) {
    const int64_t n = plan_.classes - c < most ? plan_.classes - c : most;
    read_numbers(p.logits, p.dtype, first + c, n, numbers);
    double sums[lanes] = {};
    int64_t k = 0;
    for (; k + lanes <= n; k += lanes)
      for (int64_t lane = 0; lane < lanes; lane++) sums[lane] += numbers[k + lane];
    for (; k < n; k++) sum += numbers[k];
    for (const double each : sums) sum += each;
  }
  return sum;
}

bool ProbabilityCheck::is_bad_sum(double sum) const {
  if (renormalizes(plan_.problem)) return sum <= 0;
  const double tolerance = sum_tolerance_of(plan_.problem.dtype);
  return sum - 1 > tolerance || 1 - sum > tolerance;
}

FocalStatus ProbabilityCheck::finish(FocalResult *result) const {
  const FocalProblem &p = plan_.problem;
  if (error_ != nowhere) {
    result->error_index = static_cast<double>(error_);
    result->error_value = number_at(p.logits, p.dtype, error_);
    return FOCAL_BAD_PROBABILITY;
  }
  if (bad_row_ == nowhere) return FOCAL_OK;
  result->error_index = static_cast<double>(bad_row_);
  result->error_value = sum_of(bad_row_);
  return FOCAL_BAD_ROW;
}

}  // namespace focal
