// What labels are, before anything is computed: one pass over memory, which is worth the vectors of each instruction set.
#pragma once

#include <string.h>

#include <type_traits>

#include "cpu/isa/dispatch.h"
#include "numbers.h"
#include "typed.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// Counters as wide as the labels let the loops vectorise. A piece has no more labels than they can count.
template <size_t bytes> struct Counter { using Type = int8_t; static constexpr int64_t piece = 112; };
template <> struct Counter<2> { using Type = int16_t; static constexpr int64_t piece = 1024; };
template <> struct Counter<4> { using Type = int32_t; static constexpr int64_t piece = 1024; };
template <> struct Counter<8> { using Type = int64_t; static constexpr int64_t piece = 1024; };

// Of whole numbers that are not all 0 or 1: each is either of them, or unusual.
template <class S> FOCAL_NOINLINE Labels look_at_soft(const S *labels, int64_t count) {
  Labels found{0, true, false};
  for (int64_t k = 0; k < count; k++) found.positives += labels[k] >= S(1);
  return found;
}

// Hard labels, the common ones, take fewer operations: they are taken for hard until one is not, which is seen soon.
template <class S> FOCAL_NOINLINE Labels look(const S *labels, int64_t count, double positive_from) {
  using I = typename Counter<sizeof(S)>::Type;
  constexpr int64_t first_piece = 64, piece = Counter<sizeof(S)>::piece;
  const S least_positive = std::is_integral_v<S> ? S(1) : static_cast<S>(positive_from);
  Labels found{0, false, true};
  if constexpr (sizeof(S) == 1) {
    const ByteSum bytes = sum_of_bytes(reinterpret_cast<const uint8_t *>(labels), count);
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
inline Labels look_at_labels(const void *array, int32_t dtype, int64_t from, int64_t count, double positive_from) {
  return with_type(array, dtype, from, [&](auto *labels) { return look(labels, count, positive_from); });
}

template <class S> FOCAL_NOINLINE Labels look_at_marked(const S *labels, int64_t count, double positive_from, const uint8_t *marks) {
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
inline Labels look_at_marked_labels(const void *array, int32_t dtype, int64_t from, int64_t count, double positive_from, const uint8_t *marks) {
  return with_type(array, dtype, from, [&](auto *labels) { return look_at_marked(labels, count, positive_from, marks); });
}

template <bool Masked, bool Ignores>
FOCAL_NOINLINE MarkedLabels mark_bytes(const uint8_t *labels, const uint8_t *mask, uint8_t ignored, int64_t count, uint8_t *marks) {
  typedef uint8_t Bytes __attribute__((vector_size(FOCAL_VECTOR_BYTES)));
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
inline bool mark_byte_labels(const FocalProblem &p, int64_t from, int64_t count, uint8_t *marks, MarkedLabels *found) {
  const bool masked = p.mask_per == FOCAL_PER_ELEMENT;
  if (p.targets_dtype != FOCAL_UINT8 || ignores_nan(p) || p.mask_per == FOCAL_PER_ROW || (masked && p.mask_dtype != FOCAL_UINT8)) return false;
  const uint8_t *const labels = static_cast<const uint8_t *>(p.targets) + from, *const mask = masked ? static_cast<const uint8_t *>(p.mask) + from : nullptr;
  const int32_t ignored = byte_of(p.ignore_index);
  const auto marker = masked ? (ignored == no_byte ? mark_bytes<true, false> : mark_bytes<true, true>) : ignored == no_byte ? mark_bytes<false, false> : mark_bytes<false, true>;
  *found = marker(labels, mask, static_cast<uint8_t>(ignored), count, marks);
  return true;
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
