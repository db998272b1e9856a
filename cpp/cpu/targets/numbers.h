// Reading caller-owned arrays, whatever their type. The one place that knows them all.
#pragma once

#include "plan.h"

namespace focal {

// to[k] = array[from + k] for k in 0..count-1. T is float or double.
template <class T> void read_numbers(const void *array, int32_t dtype, int64_t from, int64_t count, T *to);

// A copy in the array's own type, a float's, but that a number below `least` is 0, one from `one_from` on is 1, and NaN is
// `missing`; `kept` is kept.
struct LabelChanges { double least, one_from, missing, kept; };
void copy_labels(const void *array, int32_t dtype, int64_t count, const LabelChanges &changes, void *to);

double number_at(const void *array, int32_t dtype, int64_t index);

// What `count` (at most 2^30) labels of an array are, from `from` on.
struct Labels {
  int32_t positives;  // of at least positive_from, which is above 0
  bool unusual;       // is one outside [0, 1], or NaN?
  bool hard;          // is each exactly 0 or 1?
};
Labels look_at_labels(const void *array, int32_t dtype, int64_t from, int64_t count, double positive_from);

// What `count` (at most 2^30) class indices of an array are, from `from` on.
struct Indices {
  int32_t rows;       // that are not ignored
  int32_t positives;  // of a class that is not the background
  bool bad;           // is one neither a class nor background nor ignored?
};
Indices look_at_indices(const Plan &plan, int64_t from, int64_t count);

}  // namespace focal
