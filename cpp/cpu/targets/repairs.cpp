#include "repairs.h"

#include <math.h>

#include "aligned_memory.h"
#include "numbers.h"

namespace focal {

namespace {

size_t bytes_of(int32_t dtype) { return dtype == FOCAL_FLOAT64 ? 8 : dtype == FOCAL_FLOAT32 ? 4 : 2; }
bool is_float(int32_t dtype) { return dtype == FOCAL_FLOAT32 || dtype == FOCAL_FLOAT64 || is_half(dtype); }

int64_t element(const Plan &plan, int64_t row, int64_t c) {
  return (row / plan.inner * plan.classes + c) * plan.inner + row % plan.inner;
}

// A row of a softmax whose labels are NaN is masked: as a row, or where classes are masked, as all of its classes.
uint8_t *mask_of(const Plan &plan) {
  const FocalProblem &p = plan.problem;
  const bool of_classes = p.mask_per == FOCAL_PER_ELEMENT;
  uint8_t *const mask = static_cast<uint8_t *>(allocate_aligned(static_cast<size_t>(of_classes ? plan.elements : plan.rows)));
  const auto lets_in = [&](int64_t at) { return p.mask_per == FOCAL_ABSENT || number_at(p.mask, p.mask_dtype, at) != 0; };
  for (int64_t row = 0; mask && row < plan.rows; row++) {
    // The first label that is not masked stands for all
    int64_t first = 0;
    while (of_classes && first + 1 < plan.classes && !lets_in(element(plan, row, first))) first++;
    const double label = number_at(p.targets, p.targets_dtype, element(plan, row, first));
    if (!of_classes) mask[row] = label == label && lets_in(row);
    for (int64_t c = 0; of_classes && c < plan.classes; c++) mask[element(plan, row, c)] = label == label && lets_in(element(plan, row, c));
  }
  return mask;
}

}  // namespace

Repairs::~Repairs() {
  free_aligned(targets_);
  free_aligned(mask_);
  free_aligned(probabilities_);
}

FocalStatus Repairs::mend_targets(Plan *plan) {
  FocalProblem &p = plan->problem;
  if (!is_float(p.targets_dtype)) return FOCAL_OK;
  const bool by_index = p.targets_kind == FOCAL_CLASS_INDEX, whole_rows = p.loss == FOCAL_SOFTMAX && !by_index;
  const int64_t count = by_index ? plan->rows : plan->elements;
  targets_ = allocate_aligned(static_cast<size_t>(count) * bytes_of(p.targets_dtype));
  if (ignores_nan(p) && whole_rows) {
    mask_ = mask_of(*plan);
    if (!mask_) return FOCAL_OUT_OF_MEMORY;
    p.mask = mask_;
    p.mask_dtype = FOCAL_UINT8;
    if (p.mask_per == FOCAL_ABSENT) p.mask_per = FOCAL_PER_ROW;
  }
  if (!targets_) return FOCAL_OUT_OF_MEMORY;
  // An index that nothing else is, where NaN is ignored; else it is masked, and stays what it is
  const double missing = whole_rows ? 0 : !ignores_nan(p) ? NAN : p.background == -1 ? -2 : -1;
  const double least = by_index ? -HUGE_VAL : 0, one = by_index ? HUGE_VAL : one_from(p);
  copy_labels(p.targets, p.targets_dtype, count, {least, one, missing, p.ignore_index}, targets_);
  if (ignores_nan(p) && !whole_rows) p.ignore_index = missing;
  p.targets = targets_;
  return FOCAL_OK;
}

FocalStatus Repairs::mend_probabilities(Plan *plan) {
  FocalProblem &p = plan->problem;
  probabilities_ = allocate_aligned(static_cast<size_t>(plan->elements) * bytes_of(p.dtype));
  if (!probabilities_) return FOCAL_OUT_OF_MEMORY;
  copy_labels(p.logits, p.dtype, plan->elements, {0, 1, NAN, NAN}, probabilities_);
  p.logits = probabilities_;
  return FOCAL_OK;
}

}  // namespace focal
