#include "census.h"

#include "numbers.h"

namespace focal {

namespace {

// A caller-owned array, read a stretch at a time: rows and elements are looked at in order.
class Reader {
 public:
  Reader(const void *array, int32_t dtype, int64_t length) : array_(array), dtype_(dtype), length_(length) {}

  double at(int64_t index) {
    if (index < begin_ || index >= begin_ + size) {
      begin_ = index;
      read_numbers(array_, dtype_, begin_, length_ - begin_ < size ? length_ - begin_ : size, numbers_);
    }
    return numbers_[index - begin_];
  }

 private:
  static constexpr int64_t size = 512;
  const void *array_;
  int32_t dtype_;
  int64_t length_, begin_ = -size;
  double numbers_[size];
};

struct Census {
  const Plan &plan;
  const FocalProblem &p;
  FocalResult *result;
  Reader targets, mask;

  Census(const Plan &from, FocalResult *to)
      : plan(from),
        p(from.problem),
        result(to),
        targets(p.targets, p.targets_dtype, p.targets_kind == FOCAL_CLASS_INDEX ? plan.rows : plan.elements),
        mask(p.mask, p.mask_dtype, p.mask_per == FOCAL_PER_ROW ? plan.rows : plan.elements) {}

  int64_t element(int64_t row, int64_t c) const { return (row / plan.inner * plan.classes + c) * plan.inner + row % plan.inner; }
  int64_t row_of(int64_t element) const {
    return element / (plan.classes * plan.inner) * plan.inner + element % plan.inner;
  }
  bool lets_in(int64_t row, int64_t element) {
    if (p.mask_per == FOCAL_ABSENT) return true;
    return mask.at(p.mask_per == FOCAL_PER_ROW ? row : element) != 0;
  }

  FocalStatus fail(FocalStatus status, int64_t index, double value) {
    result->error_index = static_cast<double>(index);
    result->error_value = value;
    return status;
  }
  FocalStatus count(int64_t elements, int64_t rows, int64_t positives) {
    result->elements = static_cast<double>(elements);
    result->rows = static_cast<double>(rows);
    result->positives = static_cast<double>(positives);
    return FOCAL_OK;
  }

  FocalStatus of_indices() {
    int64_t elements = 0, rows = 0, positives = 0;
    for (int64_t row = 0; row < plan.rows; row++) {
      int64_t counting = plan.classes;
      if (p.mask_per != FOCAL_ABSENT) {
        counting = 0;
        for (int64_t c = 0; c < plan.classes; c++) counting += lets_in(row, element(row, c));
        if (counting == 0) continue;
      }
      const double index = targets.at(row);
      if (index == p.ignore_index) continue;
      const bool is_class = index >= 0 && index < static_cast<double>(plan.classes);
      if (!is_class && index != p.background) return fail(FOCAL_BAD_CLASS, row, index);
      rows++;
      elements += counting;
      positives += is_class && index != p.background && lets_in(row, element(row, static_cast<int64_t>(index)));
    }
    return count(elements, rows, positives);
  }

  FocalStatus of_labels() {
    if (p.mask_per == FOCAL_ABSENT && p.ignore_index != p.ignore_index) return of_labels_that_all_count();
    int64_t elements = 0, positives = 0;
    for (int64_t at = 0; at < plan.elements; at++) {
      const double y = targets.at(at);
      if (y == p.ignore_index || !lets_in(row_of(at), at)) continue;
      if (y < 0 || y > 1) return fail(FOCAL_BAD_TARGET, at, y);
      elements++;
      positives += y >= 0.5;
    }
    return count(elements, rows_with_a_label(), positives);
  }

  // The common case, in loops that vectorise.
  FocalStatus of_labels_that_all_count() {
    constexpr int64_t size = 4096;
    int64_t positives = 0;
    for (int64_t begin = 0; begin < plan.elements; begin += size) {
      const int64_t n = plan.elements - begin < size ? plan.elements - begin : size;
      const Labels labels = look_at_labels(p.targets, p.targets_dtype, begin, n);
      positives += labels.positives;
      for (int64_t k = 0; labels.bad && k < n; k++) {
        const double y = targets.at(begin + k);
        if (y < 0 || y > 1) return fail(FOCAL_BAD_TARGET, begin + k, y);
      }
    }
    return count(plan.elements, plan.rows, positives);
  }

  // A row counts if any of its elements does.
  int64_t rows_with_a_label() {
    int64_t rows = 0;
    for (int64_t row = 0; row < plan.rows; row++) {
      bool any = false;
      for (int64_t c = 0; c < plan.classes && !any; c++)
        any = lets_in(row, element(row, c)) && targets.at(element(row, c)) != p.ignore_index;
      rows += any;
    }
    return rows;
  }
};

}  // namespace

FocalStatus take_census(const Plan &plan, FocalResult *result) {
  Census census(plan, result);
  return plan.problem.targets_kind == FOCAL_CLASS_INDEX ? census.of_indices() : census.of_labels();
}

}  // namespace focal
