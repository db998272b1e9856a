// What a block's formulas read: targets and weights as plain arrays of the logits' type, in memory order.
//
// Every option that is not part of a formula (class index or dense targets of any type, smoothing, class and user
// weights, masks, ignored elements, the class axis) ends here, so the kernels know nothing of them.
#pragma once

#include <string.h>

#include "elementary.h"
#include "pack.h"
#include "half.h"
#include "numbers.h"
#include "plan.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// A stretch of a block in which one index moves: along the classes of one row (inner == 1), or along the rows
// of one class.
struct Run {
  int offset, count;  // within the block
  int64_t row, cls;   // of the first element
  bool along_rows;
};

FOCAL_INLINE bool is_along_classes(const Plan &plan) { return plan.inner == 1 && plan.classes > 1; }

template <class F> FOCAL_INLINE void each_run(const Plan &plan, int64_t begin, int64_t end, F f) {
  const bool along_rows = !is_along_classes(plan);
  const int64_t length = along_rows ? plan.inner : plan.classes;
  for (int64_t at = begin; at < end;) {
    const int64_t line = at / length, position = at - line * length;
    const int64_t left = length - position, count = left < end - at ? left : end - at;
    Run run{static_cast<int>(at - begin), static_cast<int>(count), line, position, along_rows};
    if (along_rows) {
      run.cls = line % plan.classes;
      run.row = line / plan.classes * plan.inner + position;
    }
    f(run);
    at += count;
  }
}

// read_numbers of labels. Bytes, the common ones, are read here, where the compiler knows this instruction set.
template <class T> FOCAL_INLINE void read_labels(const FocalProblem &p, int64_t from, int64_t count, T *to) {
  if (p.targets_dtype != FOCAL_UINT8) return read_numbers(p.targets, p.targets_dtype, from, count, to);
  const uint8_t *const labels = static_cast<const uint8_t *>(p.targets) + from;
  for (int64_t k = 0; k < count; k++) to[k] = static_cast<T>(static_cast<int32_t>(labels[k]));
}

// y[k] = the problem's target of element begin + k, smoothed, and rest[k] = 1 - y[k]. Both come from double where y alone would have lost
// the digits of the other. Without `rest`, labels are as they are given.
template <class T>
FOCAL_NOINLINE void stage_targets(const Plan &plan, int64_t begin, int64_t end, T *y, T *rest, T *numbers) {
  const FocalProblem &p = plan.problem;
  const double scale = plan.target_scale, shift = plan.target_shift;
  if (p.targets_kind == FOCAL_DENSE) {
    if (!rest) return read_labels(p, begin, end - begin, y);
    if (is_integer(p.targets_dtype)) {
      const T low = static_cast<T>(shift), high = static_cast<T>(scale + shift);
      const auto smooth = [&](const auto *labels) FOCAL_LAMBDA {
        for (int64_t k = 0; k < end - begin; k++) {
          const bool is_one = labels[k] == 1;
          y[k] = is_one ? high : low;
          rest[k] = is_one ? low : high;
        }
      };
      if (p.targets_dtype == FOCAL_UINT8) return smooth(static_cast<const uint8_t *>(p.targets) + begin);
      read_numbers(p.targets, p.targets_dtype, begin, end - begin, y);
      return smooth(y);
    }
    constexpr int64_t size = 256;
    double labels[size];
    for (int64_t at = begin; at < end; at += size, y += size, rest += size) {
      const int64_t n = end - at < size ? end - at : size;
      read_numbers(p.targets, p.targets_dtype, at, n, labels);
      for (int64_t k = 0; k < n; k++) {
        y[k] = static_cast<T>(labels[k] * scale + shift);
        rest[k] = static_cast<T>((1 - labels[k]) * scale + shift);
      }
    }
    return;
  }
  // Of an index y is either of two numbers, and rest the other.
  const T low = static_cast<T>(shift), high = static_cast<T>(scale + shift);
  each_run_of_numbers(plan, begin, end, p.targets, p.targets_dtype, numbers, [&](const Run &run, const T *index) FOCAL_LAMBDA {
    T *const here = y + run.offset;
    if (run.along_rows) {
      // a background index that is also a class names no class
      const T high_here = static_cast<double>(run.cls) == p.background ? low : high, cls = static_cast<T>(run.cls);
      for (int k = 0; k < run.count; k++) here[k] = index[k] == cls ? high_here : low;
    } else {
      for (int k = 0; k < run.count; k++) here[k] = low;
      const T position = index[0] - static_cast<T>(run.cls);
      if (index[0] != static_cast<T>(p.background) && position >= 0 && position < static_cast<T>(run.count)) here[static_cast<int>(position)] = high;
    }
  });
  for (int64_t k = 0; rest && k < end - begin; k++) rest[k] = y[k] == low ? high : low;
}

// Calls f(run, numbers) for each run of a block, with the numbers that belong to its rows: one where it is along the classes.
template <class T, class F>
FOCAL_INLINE void each_run_of_numbers(const Plan &plan, int64_t begin, int64_t end, const void *array, int32_t dtype, T *numbers, F f) {
  const bool along_classes = is_along_classes(plan);
  const int64_t first = begin / plan.classes;
  if (along_classes) read_numbers(array, dtype, first, (end - 1) / plan.classes - first + 1, numbers);
  each_run(plan, begin, end, [&](const Run &run) FOCAL_LAMBDA {
    if (!along_classes) read_numbers(array, dtype, run.row, run.count, numbers);
    f(run, static_cast<const T *>(along_classes ? numbers + (run.row - first) : numbers));
  });
}

// to[k] = the number that belongs to element begin + k, or to its row.
template <class T>
FOCAL_NOINLINE void stage_numbers(const Plan &plan, int64_t begin, int64_t end, const void *array, int32_t dtype, bool by_row, T *to, T *numbers) {
  if (!by_row) return read_numbers(array, dtype, begin, end - begin, to);
  each_run_of_numbers(plan, begin, end, array, dtype, numbers, [&](const Run &run, const T *number) FOCAL_LAMBDA {
    T *const here = to + run.offset;
    if (run.along_rows)
      for (int k = 0; k < run.count; k++) here[k] = number[k];
    else
      for (int k = 0; k < run.count; k++) here[k] = number[0];
  });
}

// Writes up to 31 numbers past the end, for which there must be room. Runs that follow are written after.
template <class N> FOCAL_INLINE void fill(N *to, int count, N number) {
  typedef N Line __attribute__((vector_size(32)));
  constexpr int step = 32, width = static_cast<int>(sizeof(Line) / sizeof(N));
  const Line line = number - Line{};
  for (N *const stop = to + count; to < stop; to += step)
    FOCAL_UNROLL for (int i = 0; i < step; i += width) memcpy(to + i, &line, sizeof line);
}

// The largest magnitude of what it is shown, compared as integers, which compilers do several at a time; NaN is above all.
template <class T> struct LargestMagnitude {
  using Int = typename Bits<T>::Int;
  Int bits = 0;
  FOCAL_INLINE void see(T x) {
    const Int magnitude = as_int(absolute(x));
    bits = magnitude > bits ? magnitude : bits;
  }
  FOCAL_INLINE bool is_at_most(T limit) const { return as_float(bits) <= limit; }
};

// Weights are raised by a power of 2, and what comes of them is lowered by it: a product in the middle of a formula that is too small for
// a normal number would be 0 (cpu/flush_to_zero.h), even where what it is a part of, or is multiplied to, is none.
template <class T> constexpr double raise = sizeof(T) == sizeof(float) ? 0x1p28 : 1;
template <class T> constexpr double lowered = 1 / raise<T>;
template <class T> FOCAL_INLINE T raised_weight(double weight) { return static_cast<T>(weight * raise<T>); }

// The raised weights of positives and negatives: those of their classes, or of all, times those of the call. `each` is room for a number an
// element. Returns whether all are at most `limit` in size. Where `of_rows` is given and rows have weights, positives may get theirs there
// alone, one a row; then rows without a mark in `row_marks`, if that is given, have the weight 0.
template <class T>
FOCAL_NOINLINE bool stage_weights(const Plan &plan, int64_t begin, int64_t end, T limit, T *positive, T *negative, T *each, T *numbers, const T **of_rows = nullptr,
                                  const uint8_t *row_marks = nullptr) {
  const FocalProblem &p = plan.problem;
  const int64_t n = end - begin;
  const bool by_row = p.weights_per == FOCAL_PER_ROW;
  LargestMagnitude<T> largest;
  const T of_positive = raised_weight<T>(p.positive_weight), of_negative = raised_weight<T>(p.negative_weight);
  if (!p.class_positive && by_row && is_along_classes(plan)) {
    const int64_t first = begin / plan.classes, rows = (end - 1) / plan.classes - first + 1;
    read_numbers(p.weights, p.weights_dtype, first, rows, numbers);
    for (int64_t row = 0; row < rows; row++) {
      each[row] = of_positive * numbers[row];
      largest.see(each[row]);
      largest.see(of_negative * numbers[row]);
    }
    const bool is_light = largest.is_at_most(limit), has_of_rows = of_rows && is_light;
    const auto spread = [&](T *to, T weight) FOCAL_LAMBDA {
      for (int64_t row = 0, at = begin, next = (first + 1) * plan.classes; row < rows; row++, at = next, next += plan.classes)
        fill(to + (at - begin), static_cast<int>((next < end ? next : end) - at), weight * numbers[row]);
    };
    for (int64_t row = 0; has_of_rows && row_marks && row < rows; row++) numbers[row] = row_marks[row] ? numbers[row] : T(0);
    spread(negative, of_negative);
    if (has_of_rows) *of_rows = each;
    else spread(positive, of_positive);
    return is_light;
  }
  const bool in_place = p.weights_per == FOCAL_PER_ELEMENT && p.weights_dtype == Stored<T>::dtype;
  const T *const weight = in_place ? static_cast<const T *>(p.weights) + begin : each;
  if (p.weights_per == FOCAL_ABSENT) for (int64_t k = 0; k < n; k++) each[k] = 1;
  else if (!in_place) stage_numbers(plan, begin, end, p.weights, p.weights_dtype, by_row, each, numbers);
  if (p.class_positive) {
    each_run(plan, begin, end, [&](const Run &run) FOCAL_LAMBDA {
      for (int k = 0; k < run.count; k++) {
        const int64_t c = run.along_rows ? run.cls : run.cls + k;
        positive[run.offset + k] = raised_weight<T>(p.class_positive[c]) * weight[run.offset + k];
        negative[run.offset + k] = raised_weight<T>(p.class_negative[c]) * weight[run.offset + k];
      }
    });
    for (int64_t k = 0; k < n; k++) largest.see(larger(absolute(positive[k]), absolute(negative[k])));
    return largest.is_at_most(limit);
  }
  for (int64_t k = 0; k < n; k++) {
    largest.see(weight[k]);
    positive[k] = of_positive * weight[k];
    negative[k] = of_negative * weight[k];
  }
  const T factor = larger(T(1), larger(absolute(of_positive), absolute(of_negative)));
  return factor <= limit && largest.is_at_most(limit / factor);
}

// high[k] + low[k] = the gamma of element begin + k's class, in the two parts that a power wants (elementary.h).
template <class T> FOCAL_NOINLINE void stage_gammas(const Plan &plan, int64_t begin, int64_t end, T *high, T *low) {
  each_run(plan, begin, end, [&](const Run &run) FOCAL_LAMBDA {
    for (int k = run.offset; k < run.offset + run.count; k++) {
      const double gamma = gamma_of_class(plan.problem, run.along_rows ? run.cls : run.cls + (k - run.offset));
      high[k] = leading_bits(static_cast<T>(gamma));
      low[k] = static_cast<T>(gamma - static_cast<double>(high[k]));
    }
  });
}

// marks[k] = 1 where row first + k is neither masked nor, by its index, ignored, else 0.
inline void mark_rows(const FocalProblem &p, int64_t first, int64_t count, bool ignores, uint8_t *marks) {
  if (p.mask_per == FOCAL_PER_ROW) mark_nonzero(p.mask, p.mask_dtype, first, count, marks);
  else memset(marks, 1, static_cast<size_t>(count));
  if (ignores) unmark_ignored(p, first, count, marks);
}

// Are all elements of a row valid or none, which lie one after the other?
inline bool has_valid_rows(const Plan &plan) {
  const FocalProblem &p = plan.problem;
  const bool ignores = p.ignore_index == p.ignore_index || ignores_nan(p);
  return is_along_classes(plan) && p.mask_per != FOCAL_PER_ELEMENT && (p.targets_kind == FOCAL_CLASS_INDEX || !ignores);
}

// valid[k] = all ones where element begin + k is valid (neither masked nor ignored), else 0. Returns whether one is not. `marks` and
// `of_rows` are room for a byte an element; where it has_valid_rows, `of_rows` is 1 for each that is.
template <class Int>
FOCAL_NOINLINE bool stage_valid(const Plan &plan, int64_t begin, int64_t end, Int *valid, uint8_t *marks, uint8_t *of_rows) {
  const FocalProblem &p = plan.problem;
  const int64_t n = end - begin;
  const bool of_targets = p.targets_kind == FOCAL_CLASS_INDEX, ignores = p.ignore_index == p.ignore_index || ignores_nan(p);
  if (has_valid_rows(plan)) {
    const int64_t first = begin / plan.classes, count = (end - 1) / plan.classes - first + 1;
    mark_rows(p, first, count, ignores, of_rows);
    fill(valid, static_cast<int>(n), static_cast<Int>(-1));
    bool some = false;
    for (int64_t row = 0; row < count; row++) {
      if (of_rows[row]) continue;
      const int64_t from = (first + row) * plan.classes, to = from + plan.classes;
      const int64_t at = from < begin ? begin : from;
      memset(valid + (at - begin), 0, static_cast<size_t>((to < end ? to : end) - at) * sizeof(Int));
      some = true;
    }
    return some;
  }
  Int all = -1;
  const bool masked = p.mask_per == FOCAL_PER_ELEMENT;
  if (!of_targets && (masked ? p.mask_dtype == FOCAL_UINT8 : p.mask_per == FOCAL_ABSENT) && (!ignores || (p.targets_dtype == FOCAL_UINT8 && !ignores_nan(p)))) {
    // Bytes, the common ones, need no marks
    const uint8_t *const mask = static_cast<const uint8_t *>(p.mask) + begin, *const labels = static_cast<const uint8_t *>(p.targets) + begin;
    const int32_t ignored = ignores ? byte_of(p.ignore_index) : no_byte;
    const auto each = [&](auto is_valid) FOCAL_LAMBDA {
      for (int64_t k = 0; k < n; k++) {
        valid[k] = -static_cast<Int>(is_valid(k));
        all &= valid[k];
      }
    };
    if (ignored == no_byte && masked) each([&](int64_t k) FOCAL_LAMBDA { return mask[k] != 0; });
    else if (masked) each([&](int64_t k) FOCAL_LAMBDA { return (mask[k] != 0) & (labels[k] != static_cast<uint8_t>(ignored)); });
    else if (ignored != no_byte) each([&](int64_t k) FOCAL_LAMBDA { return labels[k] != static_cast<uint8_t>(ignored); });
    else each([](int64_t) FOCAL_LAMBDA { return true; });
    return all == 0;
  }
  if (masked) mark_nonzero(p.mask, p.mask_dtype, begin, n, marks);
  if (p.mask_per == FOCAL_PER_ROW || (ignores && of_targets)) {
    const bool along_classes = is_along_classes(plan);
    const int64_t first = begin / plan.classes;
    if (along_classes) mark_rows(p, first, (end - 1) / plan.classes - first + 1, ignores && of_targets, of_rows);
    each_run(plan, begin, end, [&](const Run &run) FOCAL_LAMBDA {
      uint8_t *const here = marks + run.offset;
      if (!along_classes) mark_rows(p, run.row, run.count, ignores && of_targets, of_rows);
      const uint8_t *const of_run = along_classes ? of_rows + (run.row - first) : of_rows;
      for (int k = 0; k < run.count; k++) here[k] = of_run[along_classes ? 0 : k] & (masked ? here[k] : 1);
    });
  } else if (p.mask_per == FOCAL_ABSENT) {
    memset(marks, 1, static_cast<size_t>(n));
  }
  if (ignores && !of_targets) unmark_ignored(p, begin, n, marks);
  for (int64_t k = 0; k < n; k++) {
    valid[k] = -static_cast<Int>(marks[k]);
    all &= valid[k];
  }
  return all == 0;
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
