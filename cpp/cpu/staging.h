// What a block's formulas read: targets and weights as plain arrays of the logits' type, in memory order.
//
// Every option that is not part of a formula (class index or dense targets of any type, smoothing, class and user
// weights, masks, ignored places, the class axis) ends here, so the kernels know nothing of them.
#pragma once

#include "../pack.h"
#include "plan.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// Calls f with a typed pointer to an array of `dtype`.
template <class F> FOCAL_INLINE void with_type(const void *array, int32_t dtype, F f) {
  switch (dtype) {
    case FOCAL_FLOAT32: return f(static_cast<const float *>(array));
    case FOCAL_FLOAT64: return f(static_cast<const double *>(array));
    case FOCAL_INT8: return f(static_cast<const int8_t *>(array));
    case FOCAL_UINT8: return f(static_cast<const uint8_t *>(array));
    case FOCAL_INT16: return f(static_cast<const int16_t *>(array));
    case FOCAL_UINT16: return f(static_cast<const uint16_t *>(array));
    case FOCAL_INT32: return f(static_cast<const int32_t *>(array));
    default: return f(static_cast<const uint32_t *>(array));
  }
}

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
    const int64_t line = at / length, place = at - line * length;
    const int64_t left = length - place, count = left < end - at ? left : end - at;
    Run run{static_cast<int>(at - begin), static_cast<int>(count), line, place, along_rows};
    if (along_rows) {
      run.cls = line % plan.classes;
      run.row = line / plan.classes * plan.inner + place;
    }
    f(run);
    at += count;
  }
}

// dst[k] = the problem's target of element begin + k, smoothed
template <class T> FOCAL_NOINLINE void stage_targets(const Plan &plan, int64_t begin, int64_t end, T *dst) {
  const FocalProblem &p = plan.problem;
  const T scale = static_cast<T>(plan.target_scale), shift = static_cast<T>(plan.target_shift);
  const T low = shift, high = static_cast<T>(plan.target_scale + plan.target_shift);
  with_type(p.targets, p.targets_dtype, [&](auto *targets) {
    if (p.targets_kind == FOCAL_DENSE) {
      const int64_t n = end - begin;
      for (int64_t k = 0; k < n; k++) dst[k] = static_cast<T>(targets[begin + k]) * scale + shift;
      return;
    }
    each_run(plan, begin, end, [&](const Run &run) {
      T *y = dst + run.offset;
      if (run.along_rows) {
        for (int k = 0; k < run.count; k++) {
          const bool hit = static_cast<double>(targets[run.row + k]) == static_cast<double>(run.cls);
          y[k] = hit ? high : low;
        }
        // a background index that is also a class names no class
        if (static_cast<double>(run.cls) == p.background)
          for (int k = 0; k < run.count; k++) y[k] = low;
      } else {
        for (int k = 0; k < run.count; k++) y[k] = low;
        const double index = static_cast<double>(targets[run.row]);
        const double place = index - static_cast<double>(run.cls);
        if (index != p.background && place >= 0 && place < run.count) y[static_cast<int>(place)] = high;
      }
    });
  });
}

// The weights of positives and negatives: class weights times user weights. Either may be null.
template <class T> FOCAL_NOINLINE void stage_weights(const Plan &plan, int64_t begin, int64_t end, T *positive, T *negative) {
  const FocalProblem &p = plan.problem;
  const int64_t n = end - begin;
  const auto fill = [&](T *dst, double everywhere, const double *per_class) {
    if (!dst) return;
    if (!per_class) {
      for (int64_t k = 0; k < n; k++) dst[k] = static_cast<T>(everywhere);
      return;
    }
    each_run(plan, begin, end, [&](const Run &run) {
      for (int k = 0; k < run.count; k++)
        dst[run.offset + k] = static_cast<T>(per_class[run.along_rows ? run.cls : run.cls + k]);
    });
  };
  fill(positive, p.positive_weight, p.class_positive);
  fill(negative, p.negative_weight, p.class_negative);
  if (p.weights_per == FOCAL_ABSENT) return;
  with_type(p.weights, p.weights_dtype, [&](auto *weights) {
    const auto scale = [&](T *dst) {
      if (!dst) return;
      if (p.weights_per == FOCAL_PER_ELEMENT) {
        for (int64_t k = 0; k < n; k++) dst[k] *= static_cast<T>(weights[begin + k]);
        return;
      }
      each_run(plan, begin, end, [&](const Run &run) {
        for (int k = 0; k < run.count; k++)
          dst[run.offset + k] *= static_cast<T>(weights[run.along_rows ? run.row + k : run.row]);
      });
    };
    scale(positive);
    scale(negative);
  });
}

// skipped[k] = 1 where element begin + k does not count (masked out or ignored). Returns whether any is.
FOCAL_NOINLINE inline bool stage_skipped(const Plan &plan, int64_t begin, int64_t end, uint8_t *skipped) {
  const FocalProblem &p = plan.problem;
  const int64_t n = end - begin;
  for (int64_t k = 0; k < n; k++) skipped[k] = 0;
  if (p.mask_per != FOCAL_ABSENT)
    with_type(p.mask, p.mask_dtype, [&](auto *mask) {
      if (p.mask_per == FOCAL_PER_ELEMENT) {
        for (int64_t k = 0; k < n; k++) skipped[k] = mask[begin + k] == 0;
        return;
      }
      each_run(plan, begin, end, [&](const Run &run) {
        for (int k = 0; k < run.count; k++)
          skipped[run.offset + k] = mask[run.along_rows ? run.row + k : run.row] == 0;
      });
    });
  if (p.ignore_index == p.ignore_index)
    with_type(p.targets, p.targets_dtype, [&](auto *targets) {
      if (p.targets_kind == FOCAL_DENSE) {
        for (int64_t k = 0; k < n; k++) skipped[k] |= static_cast<double>(targets[begin + k]) == p.ignore_index;
        return;
      }
      each_run(plan, begin, end, [&](const Run &run) {
        for (int k = 0; k < run.count; k++)
          skipped[run.offset + k] |=
              static_cast<double>(targets[run.along_rows ? run.row + k : run.row]) == p.ignore_index;
      });
    });
  int any = 0;
  for (int64_t k = 0; k < n; k++) any |= skipped[k];
  return any != 0;
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
