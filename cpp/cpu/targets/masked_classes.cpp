#include "masked_classes.h"

#include "numbers.h"

namespace focal {

namespace {

constexpr int64_t line = 256;  // numbers that are read at a time

class Look {
 public:
  explicit Look(const Plan &plan) : plan_(plan), p_(plan.problem), labels_(plan.problem.targets_kind == FOCAL_DENSE) {}

  MaskedRows at(int64_t begin, int64_t end) {
    const int64_t together = line / plan_.classes > 1 ? line / plan_.classes : 1;
    for (int64_t row = begin, n; row < end; row += n) {
      n = plan_.inner > 1 ? plan_.inner - row % plan_.inner : together;
      n = n < line ? n : line;
      n = n < end - row ? n : end - row;
      for (int64_t k = 0; k < n; k++) left_[k] = positives_[k] = wrong_[k] = missing_[k] = 0;
      if (plan_.inner > 1) classes_apart(row, n);
      else classes_together(row, n);
      if (labels_) take_labels(row, n);
      else take_indices(row, n);
    }
    return found_;
  }

 private:
  const Plan &plan_;
  const FocalProblem &p_;
  const bool labels_;
  MaskedRows found_{0, 0, 0, INT64_MAX, false};
  // Of each row at hand: classes, positive labels, whether a label must be looked at, and labels of its classes that are NaN
  int32_t left_[line], positives_[line], wrong_[line], missing_[line];
  double mask_[line], y_[line];

  int64_t element(int64_t row, int64_t c) const { return (row / plan_.inner * plan_.classes + c) * plan_.inner + row % plan_.inner; }
  bool is_masked(int64_t at) const { return number_at(p_.mask, p_.mask_dtype, at) == 0; }

  void read(int64_t at, int64_t n) {
    read_numbers(p_.mask, p_.mask_dtype, at, n, mask_);
    if (labels_) read_numbers(p_.targets, p_.targets_dtype, at, n, y_);
  }
  // Number k of those that were read is of a class of row `row`.
  void count(int64_t row, int64_t k) {
    const bool in = mask_[k] != 0;
    left_[row] += in;
    if (!labels_) return;
    const double y = y_[k];
    positives_[row] += in & (y >= p_.positive_from);
    missing_[row] += in & (y != y);
    found_.unusual |= !((y >= 0) & (y <= 1));
    wrong_[row] |= is_wrong(in, y);
  }
  // A row's labels may be NaN together, where that is ignored.
  bool is_wrong(bool in, double y) const { return in ? (y != y) | is_far_outside(y, tolerance_of(p_.targets_dtype)) : y > 0; }

  void classes_apart(int64_t row, int64_t n) {
    for (int64_t c = 0; c < plan_.classes; c++) {
      read(element(row, c), n);
      for (int64_t k = 0; k < n; k++) count(k, k);
    }
  }
  void classes_together(int64_t row, int64_t n) {
    const int64_t numbers = n * plan_.classes, first = row * plan_.classes;
    if (numbers <= line) {
      read(first, numbers);
      for (int64_t k = 0, at = 0; k < n; k++)
        for (int64_t c = 0; c < plan_.classes; c++, at++) count(k, at);
      return;
    }
    for (int64_t at = 0, m; at < numbers; at += m) {  // one long row
      m = numbers - at < line ? numbers - at : line;
      read(first + at, m);
      for (int64_t k = 0; k < m; k++) count(0, k);
    }
  }

  void take_labels(int64_t row, int64_t n) {
    for (int64_t k = 0; k < n; k++) {
      if (left_[k] == 0 || (ignores_nan(p_) && missing_[k] == left_[k])) continue;
      found_.rows++;
      found_.elements += left_[k];
      found_.positives += positives_[k];
      for (int64_t c = 0; wrong_[k] && c < plan_.classes; c++) {
        const int64_t at = element(row + k, c);
        if (is_wrong(!is_masked(at), number_at(p_.targets, p_.targets_dtype, at))) note(at);
      }
    }
  }
  void take_indices(int64_t row, int64_t n) {
    read_numbers(p_.targets, p_.targets_dtype, row, n, y_);
    for (int64_t k = 0; k < n; k++) {
      const double index = y_[k];
      found_.unusual |= index != index;
      if (left_[k] == 0 || is_ignored_target(p_, index)) continue;
      found_.rows++;
      found_.elements += left_[k];
      if (index == p_.background) continue;
      const bool is_class = index >= 0 && index < static_cast<double>(plan_.classes);
      if (!is_class || is_masked(element(row + k, static_cast<int64_t>(index)))) note(row + k);
      else found_.positives++;
    }
  }
  void note(int64_t at) { found_.error = at < found_.error ? at : found_.error; }
};

}  // namespace

MaskedRows look_at_masked_rows(const Plan &plan, int64_t begin, int64_t end) { return Look(plan).at(begin, end); }

}  // namespace focal
