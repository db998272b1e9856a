// What a block's formulas read: targets and weights as plain arrays of the logits' type, in memory order.
//
// Every option that is not part of a formula (class index or dense targets of any type, smoothing, class and user
// weights, masks, ignored elements, the class axis) ends here, so the kernels know nothing of them.
#pragma once

#include <string.h>

#include "elementary.h"
#include "pack.h"
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

// y[k] = the problem's target of element begin + k, smoothed, and rest[k] = 1 - y[k] unless `rest` is null. Both come from
// double where y alone would have lost the digits of the other.
template <class T>
FOCAL_NOINLINE void stage_targets(const Plan &plan, int64_t begin, int64_t end, T *y, T *rest, T *numbers) {
  const FocalProblem &p = plan.problem;
  const double scale = plan.target_scale, shift = plan.target_shift;
  if (p.targets_kind == FOCAL_DENSE) {
    if (!rest && scale == 1) return read_numbers(p.targets, p.targets_dtype, begin, end - begin, y);
    if (is_integer(p.targets_dtype)) {
      read_numbers(p.targets, p.targets_dtype, begin, end - begin, y);
      const T low = static_cast<T>(shift), high = static_cast<T>(scale + shift);
      for (int64_t k = 0; k < end - begin; k++) {
        const bool is_one = y[k] == 1;
        y[k] = is_one ? high : low;
        rest[k] = is_one ? low : high;
      }
      return;
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

// The weights of positives and negatives: those of their classes, or of all, times those of the call. `each` is room for a number an
// element.
template <class T>
FOCAL_NOINLINE void stage_weights(const Plan &plan, int64_t begin, int64_t end, T *positive, T *negative, T *each, T *numbers) {
  const FocalProblem &p = plan.problem;
  const int64_t n = end - begin;
  if (p.weights_per != FOCAL_ABSENT) stage_numbers(plan, begin, end, p.weights, p.weights_dtype, p.weights_per == FOCAL_PER_ROW, each, numbers);
  else for (int64_t k = 0; k < n; k++) each[k] = 1;
  if (p.class_positive) {
    each_run(plan, begin, end, [&](const Run &run) FOCAL_LAMBDA {
      for (int k = 0; k < run.count; k++) {
        const int64_t c = run.along_rows ? run.cls : run.cls + k;
        positive[run.offset + k] = static_cast<T>(p.class_positive[c]) * each[run.offset + k];
        negative[run.offset + k] = static_cast<T>(p.class_negative[c]) * each[run.offset + k];
      }
    });
    return;
  }
  const T of_positive = static_cast<T>(p.positive_weight), of_negative = static_cast<T>(p.negative_weight);
  for (int64_t k = 0; k < n; k++) {
    positive[k] = of_positive * each[k];
    negative[k] = of_negative * each[k];
  }
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

// valid[k] = all ones where element begin + k is valid (neither masked nor ignored), else 0. Returns whether one is not. `marks` and
// `of_rows` are room for a byte an element.
template <class Int>
FOCAL_NOINLINE bool stage_valid(const Plan &plan, int64_t begin, int64_t end, Int *valid, uint8_t *marks, uint8_t *of_rows) {
  const FocalProblem &p = plan.problem;
  const int64_t n = end - begin;
  const bool of_targets = p.targets_kind == FOCAL_CLASS_INDEX, ignores = p.ignore_index == p.ignore_index || ignores_nan(p);
  if (p.mask_per == FOCAL_PER_ELEMENT) mark_nonzero(p.mask, p.mask_dtype, begin, n, marks);
  if (p.mask_per == FOCAL_PER_ROW || (ignores && of_targets)) {
    const auto mark_rows = [&](int64_t first, int64_t count) {
      if (p.mask_per == FOCAL_PER_ROW) mark_nonzero(p.mask, p.mask_dtype, first, count, of_rows);
      else memset(of_rows, 1, static_cast<size_t>(count));
      if (ignores && of_targets) unmark_ignored(p, first, count, of_rows);
    };
    const bool joins = p.mask_per == FOCAL_PER_ELEMENT, along_classes = is_along_classes(plan);
    const int64_t first = begin / plan.classes;
    if (along_classes) mark_rows(first, (end - 1) / plan.classes - first + 1);
    each_run(plan, begin, end, [&](const Run &run) FOCAL_LAMBDA {
      uint8_t *const here = marks + run.offset;
      if (!along_classes) mark_rows(run.row, run.count);
      const uint8_t *const of_run = along_classes ? of_rows + (run.row - first) : of_rows;
      for (int k = 0; k < run.count; k++) here[k] = of_run[along_classes ? 0 : k] & (joins ? here[k] : 1);
    });
  } else if (p.mask_per == FOCAL_ABSENT) {
    memset(marks, 1, static_cast<size_t>(n));
  }
  if (ignores && !of_targets) unmark_ignored(p, begin, n, marks);
  Int all = -1;
  for (int64_t k = 0; k < n; k++) {
    valid[k] = -static_cast<Int>(marks[k]);
    all &= valid[k];
  }
  return all == 0;
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
