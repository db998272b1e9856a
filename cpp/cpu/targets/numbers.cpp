#include "numbers.h"

#include "half.h"

#include <string.h>

#include <cmath>
#include <limits>
#include <type_traits>

namespace focal {

namespace {

using scalar::BFloat16;
using scalar::Float16;

// Counters as wide as the labels let the loops vectorise. A piece has no more labels than they can count.
template <size_t bytes> struct Counter { using Type = int8_t; static constexpr int64_t piece = 112; };
template <> struct Counter<2> { using Type = int16_t; static constexpr int64_t piece = 1024; };
template <> struct Counter<4> { using Type = int32_t; static constexpr int64_t piece = 1024; };
template <> struct Counter<8> { using Type = int64_t; static constexpr int64_t piece = 1024; };

// Of whole numbers that are not all 0 or 1: each is either of them, or unusual.
template <class S> Labels look_at_soft(const S *labels, int64_t count) {
  Labels found{0, true, false};
  for (int64_t k = 0; k < count; k++) found.positives += labels[k] >= S(1);
  return found;
}

struct BytesTogether { int32_t sum; uint8_t bits; };  // of bytes that are at most 1 a sum, and of any what bits are set in one of them

BytesTogether together(const uint8_t *bytes, int64_t count) {
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

// Hard labels, the common ones, take fewer operations: they are taken for hard until one is not, which is seen soon.
template <class S> Labels look(const S *labels, int64_t count, double positive_from) {
  using I = typename Counter<sizeof(S)>::Type;
  constexpr int64_t first_piece = 64, piece = Counter<sizeof(S)>::piece;
  const S least_positive = std::is_integral_v<S> ? S(1) : static_cast<S>(positive_from);
  Labels found{0, false, true};
  if constexpr (sizeof(S) == 1) {
    const BytesTogether bytes = together(reinterpret_cast<const uint8_t *>(labels), count);
    return bytes.bits <= 1 ? Labels{bytes.sum, false, true} : look_at_soft(labels, count);
  }
  for (int64_t begin = 0, end; begin < count; begin = end) {
    end = begin == 0 ? first_piece : begin + piece;
    end = end < count ? end : count;
    I soft = 0, unusual = 0, positives = 0;
    if (found.hard) {
      for (int64_t k = begin; k < end; k++) {
        const I one = -I(labels[k] == S(1));
        soft |= -I(labels[k] != S(0)) & ~one;
        positives -= one;
      }
      found.hard = soft == 0;
    }
    if (!found.hard) {
      positives = 0;
      for (int64_t k = begin; k < end; k++) {
        unusual |= -I(!(labels[k] >= S(0))) | -I(!(labels[k] <= S(1)));
        positives -= -I(labels[k] >= least_positive);
      }
    }
    found.positives += static_cast<int32_t>(positives);
    found.unusual |= unusual != 0;
  }
  return found;
}

template <class S> Labels look_at_marked(const S *labels, int64_t count, double positive_from, const uint8_t *marks) {
  using I = typename Counter<sizeof(S)>::Type;
  constexpr int64_t piece = Counter<sizeof(S)>::piece;
  const S least_positive = std::is_integral_v<S> ? S(1) : static_cast<S>(positive_from);
  Labels found{0, false, false};
  for (int64_t begin = 0; begin < count; begin += piece) {
    const int64_t end = count - begin < piece ? count : begin + piece;
    I unusual = 0, positives = 0;
    for (int64_t k = begin; k < end; k++) {
      const I marked = -I(marks[k]);
      unusual |= marked & (-I(!(labels[k] >= S(0))) | -I(!(labels[k] <= S(1))));
      positives -= marked & -I(labels[k] >= least_positive);
    }
    found.positives += static_cast<int32_t>(positives);
    found.unusual |= unusual != 0;
  }
  return found;
}

// Is there a number of S that is `value`? Then `to` is that one.
template <class S> bool has_number(double value, S *to) {
  if (std::is_integral_v<S> && !(value >= static_cast<double>(std::numeric_limits<S>::min()) && value <= static_cast<double>(std::numeric_limits<S>::max()))) return false;
  *to = static_cast<S>(static_cast<std::conditional_t<std::is_integral_v<S> || std::is_same_v<S, double>, double, float>>(value));
  return static_cast<double>(*to) == value;
}

constexpr double most_int32 = 2147483647.0;

// An index with a meaning of its own, or none at all, to be compared with many. All ones is true.
template <class I> struct Special {
  I index = 0;
  int32_t some = 0;

  explicit Special(double from) {
    if (std::is_integral_v<I> && !(from >= -most_int32 - 1 && from <= most_int32 && from == std::trunc(from))) return;
    index = static_cast<I>(from);
    some = -1;
  }
  int32_t is(I other) const { return -(index == other) & some; }
  bool may_be(I last_class) const { return some != 0 && index >= I(0) && index <= last_class; }
};

// Integers are compared as such where 32 bits hold them.
template <class S> Indices look_at(const S *indices, int64_t count, const Plan &plan) {
  using I = std::conditional_t<std::is_integral_v<S> && !std::is_same_v<S, uint32_t>, int32_t, double>;
  const Special<I> background(plan.problem.background), ignored(plan.problem.ignore_index);
  const double classes = static_cast<double>(plan.classes);
  const I last_class = static_cast<I>(classes > most_int32 ? most_int32 : classes - 1);
  const int32_t nan_is_ignored = -int32_t(ignores_nan(plan.problem));
  int32_t bad = 0, rows = 0, positives = 0;
  if constexpr (std::is_same_v<S, int32_t>) {
    if (!background.may_be(last_class) && !ignored.may_be(last_class)) {  // the common case, in a quarter of the time
      int32_t signs = 0;  // an index's own sign, or that of what is left up to the last class
      for (int64_t k = 0; k < count; k++) signs |= indices[k] | (last_class - indices[k]);
      if (signs >= 0) return {static_cast<int32_t>(count), static_cast<int32_t>(count), false};
    }
  }
  for (int64_t k = 0; k < count; k++) {
    const I index = static_cast<I>(indices[k]);
    const int32_t in_range = -(index >= I(0)) & (std::is_integral_v<I> ? -(index <= last_class) : -(index < classes));
    const int32_t valid = ~(ignored.is(index) | (-(index != index) & nan_is_ignored)), foreground = ~background.is(index);
    bad |= valid & foreground & ~in_range;
    rows -= valid;
    positives -= valid & foreground & in_range;
  }
  return {rows, positives, bad != 0};
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

typedef uint8_t Bytes __attribute__((vector_size(16)));

template <bool Masked, bool Ignores> MarkedLabels mark_bytes(const uint8_t *labels, const uint8_t *mask, uint8_t ignored, int64_t count, uint8_t *marks) {
  constexpr int64_t width = sizeof(Bytes), piece = 255 * width;  // no lane counts farther
  MarkedLabels found{0, 0, false};
  Bytes bits = {};
  int64_t k = 0;
  for (int64_t end; k + width <= count; k = end) {
    end = count - k < piece ? k + (count - k) / width * width : k + piece;
    Bytes elements = {}, positives = {};
    for (int64_t at = k; at < end; at += width) {
      Bytes label, kept, valid = ~Bytes{};
      memcpy(&label, labels + at, width);
      if (Masked) {
        memcpy(&kept, mask + at, width);
        valid = (Bytes)(kept != 0);
      }
      if (Ignores) valid &= (Bytes)(label != ignored);
      const Bytes marked = label & valid, mark = valid & 1;
      memcpy(marks + at, &mark, width);
      bits |= marked;
      positives += marked;
      elements -= valid;
    }
    for (int lane = 0; lane < width; lane++) {
      found.elements += elements[lane];
      found.positives += positives[lane];
    }
  }
  for (; k < count; k++) {
    marks[k] = (!Masked || mask[k] != 0) && (!Ignores || labels[k] != ignored);
    const uint8_t marked = marks[k] ? labels[k] : 0;
    bits[0] |= marked;
    found.elements += marks[k];
    found.positives += marked;
  }
  for (int lane = 0; lane < width; lane++) found.unusual |= bits[lane] > 1;
  return found;
}

// Calls f with the array's address, typed, from `from` on.
template <class F> auto with_type(const void *array, int32_t dtype, int64_t from, F f) {
  switch (dtype) {
    case FOCAL_FLOAT32: return f(static_cast<const float *>(array) + from);
    case FOCAL_FLOAT64: return f(static_cast<const double *>(array) + from);
    case FOCAL_INT8: return f(static_cast<const int8_t *>(array) + from);
    case FOCAL_UINT8: return f(static_cast<const uint8_t *>(array) + from);
    case FOCAL_INT16: return f(static_cast<const int16_t *>(array) + from);
    case FOCAL_UINT16: return f(static_cast<const uint16_t *>(array) + from);
    case FOCAL_INT32: return f(static_cast<const int32_t *>(array) + from);
    case FOCAL_FLOAT16: return f(static_cast<const Float16 *>(array) + from);
    case FOCAL_BFLOAT16: return f(static_cast<const BFloat16 *>(array) + from);
    default: return f(static_cast<const uint32_t *>(array) + from);
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

Labels look_at_labels(const void *array, int32_t dtype, int64_t from, int64_t count, double positive_from) {
  return with_type(array, dtype, from, [&](auto *labels) { return look(labels, count, positive_from); });
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

Labels look_at_marked_labels(const void *array, int32_t dtype, int64_t from, int64_t count, double positive_from, const uint8_t *marks) {
  return with_type(array, dtype, from, [&](auto *labels) { return look_at_marked(labels, count, positive_from, marks); });
}

bool mark_byte_labels(const FocalProblem &p, int64_t from, int64_t count, uint8_t *marks, MarkedLabels *found) {
  const bool masked = p.mask_per == FOCAL_PER_ELEMENT;
  if (p.targets_dtype != FOCAL_UINT8 || ignores_nan(p) || p.mask_per == FOCAL_PER_ROW || (masked && p.mask_dtype != FOCAL_UINT8)) return false;
  const uint8_t *const labels = static_cast<const uint8_t *>(p.targets) + from, *const mask = masked ? static_cast<const uint8_t *>(p.mask) + from : nullptr;
  const int32_t ignored = byte_of(p.ignore_index);
  const auto marker = masked ? (ignored == no_byte ? mark_bytes<true, false> : mark_bytes<true, true>) : ignored == no_byte ? mark_bytes<false, false> : mark_bytes<false, true>;
  *found = marker(labels, mask, static_cast<uint8_t>(ignored), count, marks);
  return true;
}

int32_t sum_of_marks(const uint8_t *marks, int64_t count) { return together(marks, count).sum; }

bool is_any_marked(const uint8_t *marks, int64_t count) { return memchr(marks, 1, static_cast<size_t>(count)) != nullptr; }

Indices look_at_indices(const Plan &plan, int64_t from, int64_t count) {
  const FocalProblem &p = plan.problem;
  return with_type(p.targets, p.targets_dtype, from, [&](auto *indices) { return look_at(indices, count, plan); });
}

}  // namespace focal
