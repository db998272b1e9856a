// Reading caller-owned arrays, whatever their type. The one place that knows them all.
#pragma once

#include "plan.h"

namespace focal {

inline bool is_integer(int32_t dtype) { return dtype >= FOCAL_INT8 && dtype <= FOCAL_UINT32; }

// to[k] = array[from + k] for k in 0..count-1. T is float or double.
template <class T> void read_numbers(const void *array, int32_t dtype, int64_t from, int64_t count, T *to);

// A copy in the array's own type, a float's, but that a number below `least` is 0, one from `one_from` on is 1, and NaN is
// `missing`; `kept` is kept.
struct LabelChanges { double least, one_from, missing, kept; };
void copy_labels(const void *array, int32_t dtype, int64_t count, const LabelChanges &changes, void *to);

// Is there a byte that is `value`? Else no_byte.
constexpr int32_t no_byte = -1;
inline int32_t byte_of(double value) { return value >= 0 && value <= 255 && value == static_cast<uint8_t>(value) ? static_cast<int32_t>(value) : no_byte; }

double number_at(const void *array, int32_t dtype, int64_t index);

// The sum of bytes, where all are at most 1; and what bits are set in one of them, of any.
struct ByteSum { int32_t sum; uint8_t bits; };
ByteSum sum_of_bytes(const uint8_t *bytes, int64_t count);

// What is neither masked nor ignored, as one byte an element, 1 or 0.
// marks[k] = array[from + k] is not 0.
void mark_nonzero(const void *array, int32_t dtype, int64_t from, int64_t count, uint8_t *marks);
// marks[k] becomes 0 where the problem's target from + k is one that is ignored.
void unmark_ignored(const FocalProblem &problem, int64_t from, int64_t count, uint8_t *marks);
bool is_any_marked(const uint8_t *marks, int64_t count);

}  // namespace focal
