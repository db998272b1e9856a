// Reading caller-owned arrays, whatever their type. The one place that knows them all.
#pragma once

#include "plan.h"

namespace focal {

// to[k] = array[from + k] for k in 0..count-1. T is float or double.
template <class T> void read_numbers(const void *array, int32_t dtype, int64_t from, int64_t count, T *to);

// What `count` (at most 2^30) labels of an array are, from `from` on.
struct Labels {
  int32_t positives;  // of at least 0.5
  bool bad;           // is one outside [0, 1]? A NaN is not
};
Labels look_at_labels(const void *array, int32_t dtype, int64_t from, int64_t count);

}  // namespace focal
