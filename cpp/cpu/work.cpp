#include "work.h"

namespace focal {

size_t Work::scratch_bytes(const Plan &plan, const Kernels &kernels) {
  return (kernels.scratch_bytes(plan) + 63) / 64 * 64;
}

size_t Work::shared_bytes(const Plan &plan) {
  return static_cast<size_t>(plan.blocks) * sizeof(double) + static_cast<size_t>(plan.elements / block_elements + 1);
}

FocalStatus Work::finish_scan(FocalResult *result) {
  *result = FocalResult{};
  if (is_cancelled()) return FOCAL_CANCELLED;
  FocalStatus status = target_scan_.finish(result);
  if (status == FOCAL_OK) status = probabilities_.finish(result);
  if (status == FOCAL_OK && target_scan_.wants_repairs()) status = repairs_.mend_targets(&plan_);
  if (status == FOCAL_OK && probabilities_.wants_repairs()) status = repairs_.mend_probabilities(&plan_);
  if (status != FOCAL_OK) return status;
  const FocalProblem &p = plan_.problem;
  result->denominator = denominator_of(p, result->elements, result->rows, result->positives);
  plan_.divide_by(p, result->denominator);
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

}  // namespace focal
