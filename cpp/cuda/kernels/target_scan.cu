// One look at targets and probabilities before anything is written: are their values allowed, and how many count?
#include "cuda/kernels/kernels.h"
#include "cuda/kernels/position.h"

namespace focal {
namespace FOCAL_NAMESPACE {

namespace {

// What one thread has found.
struct Found {
  unsigned long long elements = 0, rows = 0, positives = 0, bad_target = nowhere, bad_probability = nowhere, bad_row = nowhere;
};

FOCAL_ON_DEVICE unsigned long long total_of_warp(unsigned long long x) {
  for (int lane = 16; lane > 0; lane /= 2) x += __shfl_xor_sync(all_lanes, x, lane);
  return x;
}

FOCAL_ON_DEVICE void add_to(State &state, const Found &found) {
  const unsigned long long elements = total_of_warp(found.elements), rows = total_of_warp(found.rows), positives = total_of_warp(found.positives);
  if (lane_of_warp() == 0 && rows + elements > 0) {
    atomicAdd(&state.elements, elements);
    atomicAdd(&state.rows, rows);
    atomicAdd(&state.positives, positives);
  }
  if (found.bad_target != nowhere) atomicMin(&state.bad_target, found.bad_target);
  if (found.bad_probability != nowhere) atomicMin(&state.bad_probability, found.bad_probability);
  if (found.bad_row != nowhere) atomicMin(&state.bad_row, found.bad_row);
}

FOCAL_ON_DEVICE int64_t first_of_thread() { return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; }
FOCAL_ON_DEVICE int64_t threads() { return static_cast<int64_t>(gridDim.x) * blockDim.x; }

FOCAL_ON_DEVICE void note(unsigned long long &first, int64_t at) {
  if (static_cast<unsigned long long>(at) < first) first = static_cast<unsigned long long>(at);
}

FOCAL_ON_DEVICE int64_t element_of(const Plan &plan, int64_t row, int64_t cls) {
  const int64_t outer = divided(row, plan.inner);
  return (outer * plan.classes + cls) * plan.inner + (row - outer * plan.inner);
}

// A class index a row.
FOCAL_ON_DEVICE void look_at_indices(const Plan &plan, Found &found) {
  const FocalProblem &p = plan.problem;
  const double classes = static_cast<double>(plan.classes);
  for (int64_t row = first_of_thread(); row < plan.rows; row += threads()) {
    const double index = number_at<double>(p.targets, p.targets_dtype, row);
    if (is_ignored_target(p, index) || (p.mask_per == FOCAL_PER_ROW && is_masked(p, 0, row))) continue;
    const bool is_class = index >= 0 && index < classes, foreground = is_class && index != p.background;
    int64_t elements = plan.classes;
    bool positive = foreground;
    if (p.mask_per == FOCAL_PER_ELEMENT) {
      elements = 0;
      for (int64_t c = 0; c < plan.classes; c++) elements += !is_masked(p, element_of(plan, row, c), row);
      if (elements == 0) continue;
      positive = foreground && !is_masked(p, element_of(plan, row, static_cast<int64_t>(index)), row);
      if (p.loss == FOCAL_SOFTMAX && foreground && !positive) note(found.bad_target, row);
    }
    if (!is_class && index != p.background) note(found.bad_target, row);
    found.rows++;
    found.elements += static_cast<unsigned long long>(elements);
    found.positives += positive;
  }
}

FOCAL_ON_DEVICE bool is_bad_label(const FocalProblem &p, double y) { return y != y || is_far_outside(y, tolerance_of(p.targets_dtype)); }

FOCAL_ON_DEVICE void look_at_label(const FocalProblem &p, double y, int64_t k, Found &found) {
  found.elements++;
  found.positives += y >= p.positive_from;
  if (is_bad_label(p, y)) note(found.bad_target, k);
}

// A label an element, of which all count.
FOCAL_ON_DEVICE void look_at_labels(const Plan &plan, bool aligned, Found &found) {
  const FocalProblem &p = plan.problem;
  const int64_t fours = aligned && p.targets_dtype != FOCAL_FLOAT64 ? plan.elements / 4 : 0;
  const float positive_from = static_cast<float>(p.positive_from);
  for (int64_t four = first_of_thread(); four < fours; four += threads()) {
    float y[4];
    read_four(p.targets, p.targets_dtype, 4 * four, y);
    bool bad = false;
    for (int j = 0; j < 4; j++) {
      found.positives += y[j] >= positive_from;
      bad |= !(y[j] >= 0 && y[j] <= 1);
    }
    found.elements += 4;
    for (int j = 0; bad && j < 4; j++)
      if (is_bad_label(p, static_cast<double>(y[j]))) note(found.bad_target, 4 * four + j);
  }
  for (int64_t k = 4 * fours + first_of_thread(); k < plan.elements; k += threads())
    look_at_label(p, number_at<double>(p.targets, p.targets_dtype, k), k, found);
  if (first_of_thread() == 0) found.rows += static_cast<unsigned long long>(plan.rows);
}

// The same where some do not: a row is valid if any of its elements is. A softmax's row has no label of a class that it has not.
FOCAL_ON_DEVICE void look_at_some_labels(const Plan &plan, Found &found) {
  const FocalProblem &p = plan.problem;
  for (int64_t row = first_of_thread(); row < plan.rows; row += threads()) {
    const unsigned long long before = found.elements;
    // Labels of a softmax are ignored in whole rows, and a class that is masked has none
    int64_t ignored = 0, left = 0, first_ignored = -1, contradicted = -1;
    for (int64_t c = 0; c < plan.classes; c++) {
      const int64_t k = element_of(plan, row, c);
      const double y = number_at<double>(p.targets, p.targets_dtype, k);
      if (is_masked(p, k, row)) {
        if (p.loss == FOCAL_SOFTMAX && y > 0 && contradicted < 0) contradicted = k;
        continue;
      }
      left++;
      if (!is_ignored(p, k, row)) look_at_label(p, y, k, found);
      else if (ignored++ == 0) first_ignored = k;
    }
    if (found.elements == before) continue;
    found.rows++;
    if (contradicted >= 0) note(found.bad_target, contradicted);
    if (p.loss == FOCAL_SOFTMAX && ignored > 0 && ignored < left) note(found.bad_target, first_ignored);
  }
}

FOCAL_ON_DEVICE void look_at_probabilities(const Plan &plan, Found &found) {
  const FocalProblem &p = plan.problem;
  for (int64_t k = first_of_thread(); k < plan.elements; k += threads()) {
    const double probability = number_at<double>(p.logits, p.dtype, k);
    if (!is_far_outside(probability, tolerance_of(p.dtype))) continue;
    if (!plan.skips() || !is_skipped(p, k, position_of(plan, k).row)) note(found.bad_probability, k);
  }
}

FOCAL_ON_DEVICE void look_at_sums(const Plan &plan, Found &found) {
  const FocalProblem &p = plan.problem;
  const double tolerance = sum_tolerance_of(p.dtype);
  for (int64_t row = first_of_thread(); row < plan.rows; row += threads()) {
    double sum = 0;
    bool valid = !plan.skips();
    for (int64_t c = 0; c < plan.classes; c++) {
      const int64_t k = element_of(plan, row, c);
      if (p.mask_per == FOCAL_PER_ELEMENT && is_masked(p, k, row)) continue;
      sum += number_at<double>(p.logits, p.dtype, k);
      valid = valid || !is_skipped(p, k, row);
    }
    const bool bad = renormalizes(p) ? sum <= 0 : sum - 1 > tolerance || 1 - sum > tolerance;
    if (bad && valid) note(found.bad_row, row);
  }
}

__global__ void __launch_bounds__(block_threads) target_scan_kernel(const __grid_constant__ Work work) {
  const Plan &plan = work.plan;
  Found found;
  if (plan.problem.targets_kind == FOCAL_CLASS_INDEX) look_at_indices(plan, found);
  else if (plan.skips()) look_at_some_labels(plan, found);
  else look_at_labels(plan, work.aligned, found);
  if (plan.problem.inputs == FOCAL_PROBABILITIES) look_at_probabilities(plan, found);
  if (plan.problem.inputs == FOCAL_PROBABILITIES && plan.problem.loss == FOCAL_SOFTMAX) look_at_sums(plan, found);
  add_to(*work.state, found);
}

}  // namespace

cudaError_t launch_target_scan(const Work &work, int multiprocessors, cudaStream_t stream) {
  const Plan &plan = work.plan;
  const bool by_row = plan.problem.targets_kind == FOCAL_CLASS_INDEX || plan.skips();
  const int64_t items = plan.problem.inputs == FOCAL_PROBABILITIES ? plan.elements : by_row ? plan.rows : (plan.elements + 3) / 4;
  unsigned blocks = 0;
  const cudaError_t error = blocks_for(target_scan_kernel, multiprocessors, block_threads, (items + block_threads - 1) / block_threads, &blocks);
  return error != cudaSuccess ? error : launch(target_scan_kernel, blocks, block_threads, stream, work);
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
