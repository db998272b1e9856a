#include "target_scan.h"

#include <string.h>

#include "masked_classes.h"
#include "numbers.h"

namespace focal {

// What was found in a part of the targets.
struct TargetScan::Count {
  int64_t elements = 0, rows = 0, positives = 0;
  int64_t error = nowhere;  // the first target that is not allowed
  bool hard = false, soft = false;
  bool unusual = false;     // a label outside of [0, 1], within rounding, or a NaN that is ignored
};

// The ways to look at a part, from row or element `begin` to `end`.
class TargetScan::Part {
 public:
  Part(const Plan &plan, const Kernels &kernels, uint8_t *hard_blocks) : plan_(plan), p_(plan.problem), kernels_(kernels), hard_blocks_(hard_blocks) {}

  // Nothing is masked: loops that vectorise.
  Count indices(int64_t begin, int64_t end) const {
    const Indices found = kernels_.look_at_indices(plan_, begin, end - begin);
    Count count{found.rows * plan_.classes, found.rows, found.positives};
    // None is found again where another thread has just written over it
    for (int64_t row = begin; found.bad && row < end && count.error == nowhere; row++)
      if (is_bad_index(target(row))) count.error = row;
    count.unusual = ignores_nan(p_) && found.rows < end - begin;
    return count;
  }
  Count labels(int64_t begin, int64_t end) const {
    Count count{end - begin};
    for (int64_t at = begin, next; at < end; at = next) {
      next = end - at > block_elements ? at + block_elements : end;
      const Labels found = kernels_.look_at_labels(p_.targets, p_.targets_dtype, at, next - at, p_.positive_from);
      count.positives += found.positives;
      (found.hard ? count.hard : count.soft) = true;
      hard_blocks_[at / block_elements] = found.hard;
      for (int64_t k = at; found.unusual && k < next; k++) check(target(k), k, &count);
    }
    return count;
  }

  Count rows_of_masked_classes(int64_t begin, int64_t end) const {
    const MaskedRows found = look_at_masked_rows(plan_, kernels_, begin, end);
    Count count{found.elements, found.rows, found.positives, found.error};
    count.unusual = found.unusual;
    return count;
  }

  // Indices of rows that have a mask, in a loop that vectorises.
  Count rows_of_indices(int64_t begin, int64_t end) const {
    Count count;
    uint8_t marks[together];
    double indices[together];
    const double classes = static_cast<double>(plan_.classes), ignored = p_.ignore_index, background = p_.background;
    const int32_t nan_is_ignored = ignores_nan(p_);
    for (int64_t row = begin, n; row < end; row += n) {
      n = end - row < together ? end - row : together;
      read_numbers(p_.targets, p_.targets_dtype, row, n, indices);
      mark_nonzero(p_.mask, p_.mask_dtype, row, n, marks);
      int32_t rows = 0, positives = 0, bad = 0, unusual = 0;
      for (int64_t k = 0; k < n; k++) {
        const double index = indices[k];
        const int32_t is_nan = index != index, is_class = (index >= 0) & (index < classes), is_other = index != background;
        const int32_t valid = (marks[k] != 0) & (index != ignored) & ~(is_nan & nan_is_ignored);
        unusual |= is_nan & nan_is_ignored;
        rows += valid;
        positives += valid & is_class & is_other;
        bad |= valid & ~is_class & is_other;
      }
      for (int64_t k = 0; bad && k < n && count.error == nowhere; k++)
        if (marks[k] != 0 && is_bad_index(indices[k])) count.error = row + k;
      count.rows += rows;
      count.positives += positives;
      count.unusual |= unusual != 0;
    }
    count.elements = count.rows * plan_.classes;
    return count;
  }
  Count rows_of_masked_elements(int64_t begin, int64_t end) const {
    Count count;
    for (int64_t row = begin; row < end; row++) {
      const double index = target(row);
      if (is_ignored(index, &count)) continue;
      const int64_t first = element(row, 0);
      int64_t elements = 0;
      for (int64_t c = 0; c < plan_.classes; c++) elements += lets_element_in(first + c * plan_.inner);
      if (elements == 0) continue;
      if (is_bad_index(index) && count.error == nowhere) count.error = row;
      count.rows++;
      count.elements += elements;
      count.positives += is_class(index) && index != p_.background && lets_element_in(first + static_cast<int64_t>(index) * plan_.inner);
    }
    return count;
  }

  // Labels of a softmax, where NaN is ignored: in whole rows.
  Count rows_of_distributions(int64_t begin, int64_t end) const {
    Count count;
    for (int64_t row = begin; row < end; row++) {
      if (!lets_row_in(row)) continue;
      int64_t missing = 0, first_missing = nowhere, positives = 0;
      for (int64_t c = 0; c < plan_.classes; c++) {
        const int64_t k = element(row, c);
        const double y = target(k);
        if (y == y) {
          check(y, k, &count);
          positives += y >= p_.positive_from;
        } else if (missing++ == 0) {
          first_missing = k;
        }
      }
      if (missing == plan_.classes) {
        count.unusual = true;
        continue;
      }
      if (first_missing < count.error) count.error = first_missing;
      count.rows++;
      count.elements += plan_.classes;
      count.positives += positives;
    }
    return count;
  }

  // A row is valid if any of its elements is.
  Count rows_of_labels(int64_t begin, int64_t end) const {
    return plan_.inner == 1 ? labels_along_classes(begin, end) : labels_along_rows(begin, end);
  }

 private:
  const Plan &plan_;
  const FocalProblem &p_;
  const Kernels &kernels_;
  uint8_t *const hard_blocks_;

  double target(int64_t index) const { return number_at(p_.targets, p_.targets_dtype, index); }
  bool is_class(double index) const { return index >= 0 && index < static_cast<double>(plan_.classes); }
  bool is_bad_index(double index) const {
    return !is_ignored_target(p_, index) && !is_class(index) && index != p_.background;
  }
  bool is_ignored(double target, Count *count) const {
    if (!is_ignored_target(p_, target)) return false;
    count->unusual |= target != target;
    return true;
  }
  // Label k, which is valid.
  void check(double y, int64_t k, Count *count) const {
    if (y >= 0 && y <= 1) return;
    if (y != y || is_far_outside(y, tolerance_of(p_.targets_dtype))) count->error = k < count->error ? k : count->error;
    count->unusual = true;
  }

  bool lets_row_in(int64_t row) const {
    return p_.mask_per != FOCAL_PER_ROW || number_at(p_.mask, p_.mask_dtype, row) != 0;
  }
  bool lets_element_in(int64_t at) const {
    return p_.mask_per != FOCAL_PER_ELEMENT || number_at(p_.mask, p_.mask_dtype, at) != 0;
  }
  int64_t element(int64_t row, int64_t c) const {
    const int64_t outer = row / plan_.inner;
    return (outer * plan_.classes + c) * plan_.inner + (row - outer * plan_.inner);
  }

  // A row is valid if any of its elements is. Rows are looked at together, as many as have so many elements.
  static constexpr int64_t together = 1024;

  Count labels_along_classes(int64_t begin, int64_t end) const {
    Count count;
    uint8_t marks[together];
    const int64_t classes = plan_.classes, most = classes < together ? together / classes : 1;
    for (int64_t row = begin, rows; row < end; row += rows) {
      rows = end - row < most ? end - row : most;
      bool any = false;  // where they are parts of one row
      for (int64_t from = row * classes, stop = from + rows * classes, n; from < stop; from += n) {
        n = stop - from < together ? stop - from : together;
        if (p_.mask_per == FOCAL_PER_ROW)
          for (int64_t k = 0; k < n; k += classes) memset(marks + k, lets_row_in((from + k) / classes), static_cast<size_t>(n < classes ? n : classes));
        mark(from, n, marks, &count);
        if (most == 1) any |= is_any_marked(marks, n);
        else for (int64_t k = 0; k < n; k += classes) count.rows += marks[k] != 0 || is_any_marked(marks + k, classes);
      }
      count.rows += any;
    }
    return count;
  }
  Count labels_along_rows(int64_t begin, int64_t end) const {
    Count count;
    uint8_t marks[together];
    for (int64_t row = begin, n; row < end; row += n) {
      n = plan_.inner - row % plan_.inner;
      n = n < together ? n : together;
      n = n < end - row ? n : end - row;
      uint8_t any[together];
      for (int64_t c = 0; c < plan_.classes; c++) {
        if (p_.mask_per == FOCAL_PER_ROW) mark_nonzero(p_.mask, p_.mask_dtype, row, n, marks);
        mark(element(row, c), n, marks, &count);
        if (c == 0) memcpy(any, marks, static_cast<size_t>(n));
        else for (int64_t k = 0; k < n; k++) any[k] |= marks[k];
      }
      if (plan_.classes > 1) count.rows += sum_of_bytes(any, n).sum;
    }
    if (plan_.classes == 1) count.rows = count.elements;
    return count;
  }

  // Elements `at` and those that follow it in memory: `marks` is set for those that are valid, which are counted. Where the mask is one
  // of rows, it has been set by that.
  void mark(int64_t at, int64_t n, uint8_t *marks, Count *count) const {
    MarkedLabels found;
    if (!kernels_.mark_byte_labels(p_, at, n, marks, &found)) {
      if (p_.mask_per == FOCAL_PER_ELEMENT) mark_nonzero(p_.mask, p_.mask_dtype, at, n, marks);
      else if (p_.mask_per == FOCAL_ABSENT) memset(marks, 1, static_cast<size_t>(n));
      const int32_t unmasked = ignores_nan(p_) ? sum_of_bytes(marks, n).sum : 0;
      unmark_ignored(p_, at, n, marks);
      found.elements = sum_of_bytes(marks, n).sum;
      const Labels labels = kernels_.look_at_marked_labels(p_.targets, p_.targets_dtype, at, n, p_.positive_from, marks);
      found.positives = labels.positives;
      found.unusual = labels.unusual;
      count->unusual |= ignores_nan(p_) && found.elements < unmasked;
    }
    count->elements += found.elements;
    count->positives += found.positives;
    for (int64_t k = 0; found.unusual && k < n; k++)
      if (marks[k]) check(target(at + k), at + k, count);
  }
};

TargetScan::TargetScan(Plan &plan, const Kernels &kernels, uint8_t *hard_blocks)
    : plan_(plan), kernels_(kernels), hard_blocks_(hard_blocks), by_index_(plan.problem.targets_kind == FOCAL_CLASS_INDEX) {
  part_ = 4 * block_elements;
  if (by_index_ && plan.problem.mask_per == FOCAL_ABSENT) {
    size_ = plan.rows;
    how_ = &Part::indices;
  } else if (!by_index_ && !plan.skips()) {
    size_ = plan.elements;
    how_ = &Part::labels;
  } else {
    size_ = plan.rows;
    part_ = part_ > plan.classes ? part_ / (plan.classes > 0 ? plan.classes : 1) : 1;
    const bool of_classes = plan.problem.loss == FOCAL_SOFTMAX && plan.problem.mask_per == FOCAL_PER_ELEMENT;
    const bool whole_rows = plan.problem.loss == FOCAL_SOFTMAX && ignores_nan(plan.problem);
    how_ = of_classes ? &Part::rows_of_masked_classes
           : by_index_ ? (plan.problem.mask_per == FOCAL_PER_ROW ? &Part::rows_of_indices : &Part::rows_of_masked_elements)
           : whole_rows ? &Part::rows_of_distributions
                        : &Part::rows_of_labels;
  }
  parts_ = size_ <= part_ ? 1 : (size_ + part_ - 1) / part_;
}

void TargetScan::scan_parts(int64_t first, int64_t last) {
  const Part part(plan_, kernels_, hard_blocks_);
  for (int64_t begin = first * part_; first < last; first++, begin += part_) {
    const Count count = (part.*how_)(begin, begin + part_ < size_ ? begin + part_ : size_);
    if (parts_ == 1) {  // nobody else adds to them, and locked additions take long
      elements_.store(count.elements, std::memory_order_relaxed);
      rows_.store(count.rows, std::memory_order_relaxed);
      positives_.store(count.positives, std::memory_order_relaxed);
    } else {
      elements_.fetch_add(count.elements, std::memory_order_relaxed);
      rows_.fetch_add(count.rows, std::memory_order_relaxed);
      positives_.fetch_add(count.positives, std::memory_order_relaxed);
    }
    int64_t first_error = error_.load(std::memory_order_relaxed);
    while (count.error < first_error && !error_.compare_exchange_weak(first_error, count.error, std::memory_order_relaxed)) {
    }
    if (count.hard) hard_.store(true, std::memory_order_relaxed);
    if (count.soft) soft_.store(true, std::memory_order_relaxed);
    if (count.unusual) unusual_.store(true, std::memory_order_relaxed);
  }
}

bool TargetScan::wants_repairs() const {
  const FocalProblem &p = plan_.problem;
  return unusual_ || (!by_index_ && one_from(p) < 1);
}

FocalStatus TargetScan::finish(FocalResult *result) const {
  const FocalProblem &p = plan_.problem;
  if (error_ != nowhere) {
    result->error_index = static_cast<double>(error_);
    result->error_value = number_at(p.targets, p.targets_dtype, error_);
    return by_index_ ? FOCAL_BAD_CLASS : FOCAL_BAD_TARGET;
  }
  const bool some_hard = hard_ && p.loss != FOCAL_SOFTMAX && p.label_smoothing == 0;
  plan_.hard_labels = some_hard && !soft_;
  plan_.hard_blocks = some_hard && soft_ ? hard_blocks_ : nullptr;
  plan_.every_row_has_class = by_index_ && p.loss == FOCAL_SOFTMAX && positives_ == plan_.rows;
  result->elements = static_cast<double>(elements_);
  result->rows = static_cast<double>(how_ == &Part::labels ? plan_.rows : rows_.load());
  result->positives = static_cast<double>(positives_);
  return FOCAL_OK;
}

}  // namespace focal
