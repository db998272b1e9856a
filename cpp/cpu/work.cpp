#include "work.h"

namespace focal {

namespace {

double denominator_of(const FocalProblem &p, const FocalResult &result) {
  if (p.normalizer == p.normalizer) return p.normalizer;
  double count = 1;
  switch (p.reduction) {
    case FOCAL_MEAN: count = p.loss == FOCAL_SOFTMAX ? result.rows : result.elements; break;
    case FOCAL_MEAN_ROWS: count = result.rows; break;
    case FOCAL_MEAN_POSITIVES: count = result.positives; break;
    default: break;
  }
  return count > 1 ? count : 1;
}

}  // namespace

size_t Work::scratch_bytes(const Plan &plan, const Kernels &kernels) {
  return (kernels.scratch_bytes(plan) + 63) / 64 * 64;
}

size_t Work::shared_bytes(const Plan &plan) {
  return static_cast<size_t>(plan.blocks) * sizeof(double) + static_cast<size_t>(plan.elements / block_elements + 1);
}

FocalStatus Work::settle(FocalResult *result) {
  *result = FocalResult{};
  if (is_cancelled()) return FOCAL_CANCELLED;
  FocalStatus status = census_.finish(result);
  if (status == FOCAL_OK) status = probabilities_.finish(result);
  if (status != FOCAL_OK) return status;
  const FocalProblem &p = plan_.problem;
  result->denominator = denominator_of(p, *result);
  plan_.grad_divisor = result->denominator;
  plan_.value_divisor = p.normalizer == p.normalizer ? p.normalizer : 1;
  plan_.grad_scale = 1 / plan_.grad_divisor;
  plan_.value_scale = 1 / plan_.value_divisor;
  plan_.extreme_scale = !(plan_.grad_scale > 1e-30 && plan_.grad_scale < 1e30);
  return FOCAL_OK;
}

// The bits of a block depend on its own labels, never on whether those of other blocks are hard: so a call has the sums
// of its pieces.
void Work::compute_alike(int64_t first, int64_t last, char *scratch) {
  Plan plan = plan_;
  for (int64_t end; first < last; first = end) {
    plan.hard_labels = plan_.hard_blocks[first];
    for (end = first + 1; end < last && plan_.hard_blocks[end] == plan_.hard_blocks[first];) end++;
    kernels_.run_blocks(plan, first, end, scratch, sums_);
  }
}

FocalStatus Work::finish(FocalResult *result) const {
  if (is_cancelled()) return FOCAL_CANCELLED;
  double sum = plan_.problem.sum_before;
  for (int64_t block = 0; block < plan_.blocks; block++) sum += sums_[block];
  result->sum = sum;
  return FOCAL_OK;
}

FocalStatus Work::result_of_nothing(const FocalProblem &p, FocalResult *result) {
  *result = FocalResult{};
  result->denominator = denominator_of(p, *result);
  result->sum = p.sum_before;
  return FOCAL_OK;
}

}  // namespace focal
