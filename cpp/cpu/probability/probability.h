// Losses of probabilities, which are in [0, 1]: what is outside, and what happens at the two ends.
//
// Everything is double here. At 0 and 1 an output is its limit there, or, where that is infinite, what it is at the
// nearest probability inside the interval that the arrays' type has with all its digits.
//
// Compiled once (probability.cpp), for every instruction set.
#pragma once

#include <atomic>

#include "cpu/double_fallback.h"
#include "cpu/isa/dispatch.h"

namespace focal {

// One element of an element-wise loss at p = 0 or p = 1: limits, infinite or NaN where there is none.
DoubleElement element_at_end(const FocalProblem &problem, double p, double y, double rest, double positive_weight,
                              double negative_weight);

// Outputs at 0 or 1 become their limits there, where these are finite.
inline void take_limits(const DoubleElement &limit, double *value, double *grad, double *hess) {
  if (__builtin_isfinite(limit.value)) *value = limit.value;
  if (__builtin_isfinite(limit.grad)) *grad = limit.grad;
  if (__builtin_isfinite(limit.hess)) *hess = limit.hess;
}

// Element k of an element-wise loss of probabilities, p, with its target and weights: any number from 0 to 1, or NaN.
DoubleElement element_of_probability(const Plan &plan, int64_t k, double p);

// w (1 - p)^gamma (-log p) and its derivatives with respect to p: a class of a softmax loss, whatever p the others have.
DoubleElement class_of_probability(const FocalProblem &problem, double gamma, double p, double weight);

// Is every valid probability in [0, 1], but for rounding, and is the sum of every row of a softmax 1? A NaN passes. Looked at in
// parts, by any threads; of logits there are none.
class ProbabilityCheck {
 public:
  ProbabilityCheck(const Plan &plan, const Kernels &kernels) : plan_(plan), kernels_(kernels) {}

  int64_t parts() const { return plan_.problem.inputs == FOCAL_PROBABILITIES ? (plan_.elements + part - 1) / part : 0; }
  void scan_parts(int64_t first, int64_t last);
  // FOCAL_OK, FOCAL_BAD_PROBABILITY or FOCAL_BAD_ROW with error_index and error_value of the first one.
  FocalStatus finish(FocalResult *result) const;
  // Once all parts have been scanned: is one outside of [0, 1] by no more than rounding?
  bool wants_repairs() const { return outside_; }

 private:
  static constexpr int64_t part = 4 * block_elements, nowhere = INT64_MAX;
  const Plan &plan_;
  const Kernels &kernels_;
  std::atomic<int64_t> error_{nowhere}, bad_row_{nowhere};
  std::atomic<bool> outside_{false};

  void scan_elements(int64_t begin, int64_t end);
  void scan_rows(int64_t begin, int64_t end);
  bool is_valid_row(int64_t row) const;
  double sum_of(int64_t row) const;
  bool is_bad_sum(double sum) const;
};

}  // namespace focal
