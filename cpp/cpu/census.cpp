#include "census.h"

#include "staging.h"

namespace focal {

namespace {

using scalar::with_type;

FocalStatus fail(FocalStatus status, int64_t index, double value, FocalResult *result) {
  result->error_index = static_cast<double>(index);
  result->error_value = value;
  return status;
}

bool is_masked_in(const FocalProblem &p, int64_t at) {
  bool in = true;
  with_type(p.mask, p.mask_dtype, [&](auto *mask) { in = mask[at] != 0; });
  return in;
}

// `counts(index)` says whether the mask lets a row or an element count.
template <class F> void with_mask(const FocalProblem &p, F f) {
  if (p.mask_per == FOCAL_ABSENT) f([](int64_t) { return true; });
  else f([&p](int64_t at) { return is_masked_in(p, at); });
}

// A row counts if any of its elements does.
template <class Counts> int64_t rows_with_any(const Plan &plan, Counts counts) {
  int64_t rows = 0;
  for (int64_t row = 0; row < plan.rows; row++) {
    const int64_t at = row / plan.inner * plan.classes * plan.inner + row % plan.inner;
    bool any = false;
    for (int64_t c = 0; c < plan.classes && !any; c++) any = counts(at + c * plan.inner);
    rows += any;
  }
  return rows;
}

template <class S, class Counts>
FocalStatus census_of_indices(const Plan &plan, const S *targets, Counts counts, FocalResult *result) {
  const FocalProblem &p = plan.problem;
  const bool by_element = p.mask_per == FOCAL_PER_ELEMENT;
  int64_t rows = 0, positives = 0, elements = 0;
  for (int64_t row = 0; row < plan.rows; row++) {
    const int64_t first = row / plan.inner * plan.classes * plan.inner + row % plan.inner;
    int64_t counting = plan.classes;
    if (by_element) {
      counting = 0;
      for (int64_t c = 0; c < plan.classes; c++) counting += counts(first + c * plan.inner);
    } else if (!counts(row)) {
      counting = 0;
    }
    if (counting == 0) continue;
    const double index = static_cast<double>(targets[row]);
    if (index == p.ignore_index) continue;
    const bool is_class = index >= 0 && index < static_cast<double>(plan.classes);
    if (!is_class && index != p.background) return fail(FOCAL_BAD_CLASS, row, index, result);
    rows++;
    elements += counting;
    if (is_class && index != p.background)
      positives += !by_element || counts(first + static_cast<int64_t>(index) * plan.inner);
  }
  result->rows = static_cast<double>(rows);
  result->elements = static_cast<double>(elements);
  result->positives = static_cast<double>(positives);
  return FOCAL_OK;
}

template <class S, class Counts>
FocalStatus census_of_labels(const Plan &plan, const S *targets, Counts counts, FocalResult *result) {
  const FocalProblem &p = plan.problem;
  const bool softmax = p.loss == FOCAL_SOFTMAX;
  const bool by_row = p.mask_per == FOCAL_PER_ROW && plan.classes > 1;
  const double ignored = softmax ? __builtin_nan("") : p.ignore_index;
  const auto row_of = [&](int64_t at) {
    return at / (plan.classes * plan.inner) * plan.inner + at % plan.inner;
  };
  const auto element_counts = [&](int64_t at) {
    return counts(by_row ? row_of(at) : at) && static_cast<double>(targets[at]) != ignored;
  };
  int64_t elements = 0, positives = 0;
  for (int64_t at = 0; at < plan.elements; at++) {
    if (!element_counts(at)) continue;
    const double y = static_cast<double>(targets[at]);
    if (y < 0 || y > 1) return fail(FOCAL_BAD_TARGET, at, y, result);
    elements++;
    positives += y >= 0.5;
  }
  const bool plain = p.mask_per == FOCAL_ABSENT && ignored != ignored;
  result->elements = static_cast<double>(elements);
  result->rows = static_cast<double>(plain ? plan.rows : rows_with_any(plan, element_counts));
  result->positives = static_cast<double>(positives);
  return FOCAL_OK;
}

}  // namespace

FocalStatus take_census(const Plan &plan, FocalResult *result) {
  const FocalProblem &p = plan.problem;
  FocalStatus status = FOCAL_OK;
  with_type(p.targets, p.targets_dtype, [&](auto *targets) {
    with_mask(p, [&](auto counts) {
      status = p.targets_kind == FOCAL_CLASS_INDEX ? census_of_indices(plan, targets, counts, result)
                                                   : census_of_labels(plan, targets, counts, result);
    });
  });
  return status;
}

}  // namespace focal
