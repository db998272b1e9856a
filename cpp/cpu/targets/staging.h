// What a block's formulas read: targets and weights as plain arrays of the logits' type, in memory order.
//
// Every option that is not part of a formula (class index or dense targets of any type, smoothing, class and user
// weights, masks, ignored elements, the class axis) ends here, so the kernels know nothing of them.
#pragma once

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

template <class F> FOCAL_INLINE void each_run(const Plan &plan, int64_t begin, int64_t end, F f) {
  const bool along_rows = plan.inner > 1 || plan.classes == 1;
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
  each_run(plan, begin, end, [&](const Run &run) {
    T *const here = y + run.offset;
    if (run.along_rows) {
      read_numbers(p.targets, p.targets_dtype, run.row, run.count, numbers);
      // a background index that is also a class names no class
      const T high_here = static_cast<double>(run.cls) == p.background ? low : high;
      for (int k = 0; k < run.count; k++) here[k] = numbers[k] == static_cast<T>(run.cls) ? high_here : low;
    } else {
      for (int k = 0; k < run.count; k++) here[k] = low;
      double index;
      read_numbers(p.targets, p.targets_dtype, run.row, 1, &index);
      const double position = index - static_cast<double>(run.cls);
      if (index != p.background && position >= 0 && position < run.count) here[static_cast<int>(position)] = high;
    }
  });
  for (int64_t k = 0; rest && k < end - begin; k++) rest[k] = y[k] == low ? high : low;
}

// Calls f(k, number) for the elements begin + k, with the number that belongs to each or to its row.
template <class T, class F>
FOCAL_INLINE void each_number(const Plan &plan, int64_t begin, int64_t end, const void *array, int32_t dtype, bool by_row,
                              T *numbers, F f) {
  if (!by_row) {
    read_numbers(array, dtype, begin, end - begin, numbers);
    for (int64_t k = 0; k < end - begin; k++) f(k, numbers[k]);
    return;
  }
  each_run(plan, begin, end, [&](const Run &run) {
    read_numbers(array, dtype, run.row, run.along_rows ? run.count : 1, numbers);
    for (int k = 0; k < run.count; k++) f(run.offset + k, numbers[run.along_rows ? k : 0]);
  });
}

// The weights of positives and negatives: class weights times user weights.
template <class T>
FOCAL_NOINLINE void stage_weights(const Plan &plan, int64_t begin, int64_t end, T *positive, T *negative, T *numbers) {
  const FocalProblem &p = plan.problem;
  if (p.class_positive) {
    each_run(plan, begin, end, [&](const Run &run) {
      for (int k = 0; k < run.count; k++) {
        const int64_t c = run.along_rows ? run.cls : run.cls + k;
        positive[run.offset + k] = static_cast<T>(p.class_positive[c]);
        negative[run.offset + k] = static_cast<T>(p.class_negative[c]);
      }
    });
  } else {
    for (int64_t k = 0; k < end - begin; k++) {
      positive[k] = static_cast<T>(p.positive_weight);
      negative[k] = static_cast<T>(p.negative_weight);
    }
  }
  if (p.weights_per == FOCAL_ABSENT) return;
  each_number(plan, begin, end, p.weights, p.weights_dtype, p.weights_per == FOCAL_PER_ROW, numbers,
              [&](int64_t k, T weight) {
                positive[k] *= weight;
                negative[k] *= weight;
              });
}

// skipped[k] = 1 where element begin + k is not valid (masked out or ignored). Returns whether any is.
template <class T>
FOCAL_NOINLINE bool stage_skipped(const Plan &plan, int64_t begin, int64_t end, uint8_t *skipped, T *numbers) {
  const FocalProblem &p = plan.problem;
  const int64_t n = end - begin;
  for (int64_t k = 0; k < n; k++) skipped[k] = 0;
  if (p.mask_per != FOCAL_ABSENT)
    each_number(plan, begin, end, p.mask, p.mask_dtype, p.mask_per == FOCAL_PER_ROW, numbers,
                [&](int64_t k, T in) { skipped[k] = in == 0; });
  if (p.ignore_index == p.ignore_index)
    each_number(plan, begin, end, p.targets, p.targets_dtype, p.targets_kind == FOCAL_CLASS_INDEX, numbers,
                [&](int64_t k, T target) { skipped[k] |= target == static_cast<T>(p.ignore_index); });
  int any = 0;
  for (int64_t k = 0; k < n; k++) any |= skipped[k];
  return any != 0;
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
