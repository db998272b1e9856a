#include "masked_classes.h"

#include "numbers.h"

namespace focal {

namespace {

constexpr int64_t line = 255;  // numbers that are read at a time: a byte counts them

class Look {
 public:
  Look(const Plan &plan, const Kernels &kernels) : plan_(plan), kernels_(kernels), p_(plan.problem), labels_(plan.problem.targets_kind == FOCAL_DENSE) {}

  MaskedRows at(int64_t begin, int64_t end) {
    for (int64_t row = begin, next; row < end; row = next) {
      next = end - row < line ? end : row + line;
      if (!have_classes_left(row, next - row)) look(row, next);
    }
    return found_;
  }

 private:
  const Plan &plan_;
  const Kernels &kernels_;
  const FocalProblem &p_;
  const bool labels_;
  const int64_t row_step_ = plan_.inner > 1 ? 1 : plan_.classes;
  MaskedRows found_{0, 0, 0, INT64_MAX, false};
  int64_t first_ = 0;  // the element of class 0 of the first row at hand
  // Of each row at hand: classes, positive labels, whether a label must be looked at, and labels of its classes that are NaN
  int32_t left_[line], positives_[line], wrong_[line], missing_[line];
  double y_[line], mask_[line];
  uint8_t in_[line];  // of each number that was read: is it not masked?

  // The common case, without a loop over the classes of each row: rows in a line, each with a class that a mask of bytes leaves to it.
  bool have_classes_left(int64_t row, int64_t n) {
    const int64_t classes = plan_.classes, numbers = n * classes;
    if (labels_ || plan_.inner > 1 || p_.mask_dtype != FOCAL_UINT8) return false;
    const uint8_t *const mask = static_cast<const uint8_t *>(p_.mask) + row * classes;
    if (kernels_.look_at_indices(plan_, row, n).positives < n) return false;
    read_numbers(p_.targets, p_.targets_dtype, row, n, y_);
    bool out = false;
    for (int64_t k = 0; k < n; k++) {
      const bool is_class = y_[k] >= 0 && y_[k] < static_cast<double>(classes);  // still: another thread may write to them
      out |= !is_class || mask[k * classes + static_cast<int64_t>(y_[k])] == 0;
    }
    if (out) return false;
    found_.rows += n;
    found_.positives += n;
    for (int64_t begin = 0; begin < numbers; begin += line) {
      const int64_t stop = numbers - begin < line ? numbers : begin + line;
      uint8_t left = 0;
      for (int64_t k = begin; k < stop; k++) left = static_cast<uint8_t>(left + (mask[k] != 0));
      found_.elements += left;
    }
    return true;
  }

  void look(int64_t begin, int64_t end) {
    const int64_t together = line / plan_.classes > 1 ? line / plan_.classes : 1;
    for (int64_t row = begin, n; row < end; row += n) {
      n = plan_.inner > 1 ? plan_.inner - row % plan_.inner : together;
      n = n < line ? n : line;
      n = n < end - row ? n : end - row;
      first_ = plan_.inner > 1 ? row / plan_.inner * plan_.classes * plan_.inner + row % plan_.inner : row * plan_.classes;
      for (int64_t k = 0; k < n; k++) left_[k] = 0;
      for (int64_t k = 0; labels_ && k < n; k++) positives_[k] = wrong_[k] = missing_[k] = 0;
      if (plan_.inner > 1) classes_apart(n);
      else classes_together(n);
      if (labels_) take_labels(n);
      else take_indices(row, n);
    }
  }

  int64_t element(int64_t k, int64_t c) const { return first_ + k * row_step_ + c * plan_.inner; }
  bool is_masked(int64_t at) const {
    return p_.mask_dtype == FOCAL_UINT8 ? static_cast<const uint8_t *>(p_.mask)[at] == 0 : number_at(p_.mask, p_.mask_dtype, at) == 0;
  }

  void read(int64_t at, int64_t n) {
    if (p_.mask_dtype == FOCAL_UINT8) {
      const uint8_t *const mask = static_cast<const uint8_t *>(p_.mask) + at;
      for (int64_t k = 0; k < n; k++) in_[k] = mask[k] != 0;
    } else {
      read_numbers(p_.mask, p_.mask_dtype, at, n, mask_);
      for (int64_t k = 0; k < n; k++) in_[k] = mask_[k] != 0;
    }
    if (labels_) read_numbers(p_.targets, p_.targets_dtype, at, n, y_);
  }
  // Label y is of a class of row k.
  void count(int64_t k, bool in, double y) {
    positives_[k] += in & (y >= p_.positive_from);
    missing_[k] += in & (y != y);
    found_.unusual |= !((y >= 0) & (y <= 1));
    wrong_[k] |= is_wrong(in, y);
  }
  // A row's labels may be NaN together, where that is ignored.
  bool is_wrong(bool in, double y) const { return in ? (y != y) | is_far_outside(y, tolerance_of(p_.targets_dtype)) : y > 0; }

  void classes_apart(int64_t n) {
    for (int64_t c = 0; c < plan_.classes; c++) {
      read(element(0, c), n);
      for (int64_t k = 0; k < n; k++) left_[k] += in_[k];
      for (int64_t k = 0; labels_ && k < n; k++) count(k, in_[k], y_[k]);
    }
  }
  void classes_together(int64_t n) {
    const int64_t numbers = n * plan_.classes;
    for (int64_t at = 0, m; at < numbers; at += m) {  // all of several rows, or a part of one
      m = numbers - at < line ? numbers - at : line;
      read(first_ + at, m);
      const int64_t width = numbers <= line ? plan_.classes : m;
      count_left(m, width);
      if (labels_)
        for (int64_t k = 0, begin = 0; begin < m; k++, begin += width)
          for (int64_t c = 0; c < width; c++) count(k, in_[begin + c], y_[begin + c]);
    }
  }

  // Of m numbers of rows of `width` each.
  void count_left(int64_t m, int64_t width) {
    if (width < 16) {  // loops over the few classes of a row would begin and end more than they count
      for (int64_t c = 0; c < width; c++)
        for (int64_t k = 0, at = c; at < m; k++, at += width) left_[k] += in_[at];
      return;
    }
    for (int64_t k = 0, begin = 0; begin < m; k++, begin += width) {
      uint8_t left = 0;
      for (int64_t c = 0; c < width; c++) left = static_cast<uint8_t>(left + in_[begin + c]);
      left_[k] += left;
    }
  }

  void take_labels(int64_t n) {
    for (int64_t k = 0; k < n; k++) {
      if (left_[k] == 0 || (ignores_nan(p_) && missing_[k] == left_[k])) continue;
      found_.rows++;
      found_.elements += left_[k];
      found_.positives += positives_[k];
      for (int64_t c = 0; wrong_[k] && c < plan_.classes; c++) {
        const int64_t at = element(k, c);
        if (is_wrong(!is_masked(at), number_at(p_.targets, p_.targets_dtype, at))) note(at);
      }
    }
  }
  void take_indices(int64_t row, int64_t n) {
    read_numbers(p_.targets, p_.targets_dtype, row, n, y_);
    const double classes = static_cast<double>(plan_.classes), ignored = p_.ignore_index, background = p_.background;
    int64_t positives = 0, elements = 0;
    for (int64_t k = 0; k < n; k++) {
      const double index = y_[k];
      if (!(index >= 0 && index < classes) || index == ignored || index == background) {
        take_special(row + k, index, left_[k]);
      } else if (left_[k] != 0) {
        elements += left_[k];
        positives++;
        if (is_masked(element(k, static_cast<int64_t>(index)))) note(row + k);
      }
    }
    found_.rows += positives;
    found_.positives += positives;
    found_.elements += elements;
  }
  // An index that means no class.
  void take_special(int64_t row, double index, int32_t left) {
    found_.unusual |= index != index;
    if (left == 0 || is_ignored_target(p_, index)) return;
    found_.rows++;
    found_.elements += left;
    if (index != p_.background) note(row);
  }
  void note(int64_t at) { found_.error = at < found_.error ? at : found_.error; }
};

}  // namespace

MaskedRows look_at_masked_rows(const Plan &plan, const Kernels &kernels, int64_t begin, int64_t end) { return Look(plan, kernels).at(begin, end); }

}  // namespace focal
