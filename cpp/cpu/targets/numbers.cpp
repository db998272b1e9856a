#include "numbers.h"

#include "typed.h"

#include <string.h>

#include <cmath>
#include <limits>
#include <type_traits>

namespace focal {

namespace {

using scalar::with_type;

// Is there a number of S that is `value`? Then `to` is that one.
template <class S> bool has_number(double value, S *to) {
  if (std::is_integral_v<S> && !(value >= static_cast<double>(std::numeric_limits<S>::min()) && value <= static_cast<double>(std::numeric_limits<S>::max()))) return false;
  *to = static_cast<S>(static_cast<std::conditional_t<std::is_integral_v<S> || std::is_same_v<S, double>, double, float>>(value));
  return static_cast<double>(*to) == value;
}

template <class S> void copy(const S *labels, int64_t count, const LabelChanges &changes, S *to) {
  if constexpr (!std::is_integral_v<S>)
    for (int64_t k = 0; k < count; k++) {
      const double y = static_cast<double>(labels[k]);
      if (y == changes.kept) to[k] = labels[k];
      else if (y != y) to[k] = S(static_cast<float>(changes.missing));
      else to[k] = y >= changes.one_from ? S(1.0f) : y < changes.least ? S(0.0f) : labels[k];
    }
}

}  // namespace

template <class T> void read_numbers(const void *array, int32_t dtype, int64_t from, int64_t count, T *to) {
  with_type(array, dtype, from, [&](auto *source) {
    for (int64_t k = 0; k < count; k++) to[k] = static_cast<T>(source[k]);
  });
}

template void read_numbers(const void *, int32_t, int64_t, int64_t, float *);
template void read_numbers(const void *, int32_t, int64_t, int64_t, double *);

double number_at(const void *array, int32_t dtype, int64_t index) {
  return with_type(array, dtype, index, [](auto *number) { return static_cast<double>(*number); });
}

void copy_labels(const void *array, int32_t dtype, int64_t count, const LabelChanges &changes, void *to) {
  with_type(array, dtype, 0, [&](auto *labels) {
    using S = std::remove_const_t<std::remove_pointer_t<decltype(labels)>>;
    copy(labels, count, changes, static_cast<S *>(to));
  });
}

void mark_nonzero(const void *array, int32_t dtype, int64_t from, int64_t count, uint8_t *marks) {
  with_type(array, dtype, from, [&](auto *numbers) {
    using S = std::remove_const_t<std::remove_pointer_t<decltype(numbers)>>;
    for (int64_t k = 0; k < count; k++) marks[k] = !(numbers[k] == S(0));
  });
}

void unmark_ignored(const FocalProblem &p, int64_t from, int64_t count, uint8_t *marks) {
  with_type(p.targets, p.targets_dtype, from, [&](auto *targets) {
    using S = std::remove_const_t<std::remove_pointer_t<decltype(targets)>>;
    S ignored;
    if (has_number(p.ignore_index, &ignored))
      for (int64_t k = 0; k < count; k++) marks[k] &= !(targets[k] == ignored);
    if constexpr (!std::is_integral_v<S>)
      if (ignores_nan(p))
        for (int64_t k = 0; k < count; k++) marks[k] &= targets[k] == targets[k];
  });
}

ByteSum sum_of_bytes(const uint8_t *bytes, int64_t count) {
  constexpr int64_t piece = 8 * 255;  // eight sums of bytes at once
  uint64_t bits = 0;
  int32_t sum = 0;
  int64_t k = 0;
  for (int64_t end; k + 8 <= count; k = end) {
    end = count - k < piece ? k + (count - k) / 8 * 8 : k + piece;
    uint64_t sums = 0;
    for (int64_t at = k; at < end; at += 8) {
      uint64_t eight;
      memcpy(&eight, bytes + at, 8);
      bits |= eight;
      sums += eight;
    }
    constexpr uint64_t every_other = 0x00FF00FF00FF00FF;
    sums = (sums & every_other) + (sums >> 8 & every_other);
    sum += static_cast<int32_t>(sums * 0x0001000100010001 >> 48);
  }
  for (; k < count; k++) {
    bits |= bytes[k];
    sum += bytes[k];
  }
  bits |= bits >> 32;
  bits |= bits >> 16;
  return {sum, static_cast<uint8_t>(bits | bits >> 8)};
}

bool is_any_marked(const uint8_t *marks, int64_t count) { return memchr(marks, 1, static_cast<size_t>(count)) != nullptr; }

}  // namespace focal
