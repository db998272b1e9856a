// Rows that lie one after the other, as classes that do, and back: 4 by 4 numbers at a time.
#pragma once

#include "pack.h"

namespace focal {
namespace FOCAL_NAMESPACE {

template <class T> struct FourByFour {
  typedef T Four __attribute__((vector_size(4 * sizeof(T))));
  Four v[4];

  FOCAL_INLINE void load(const T *from, int64_t step) {
    FOCAL_UNROLL for (int i = 0; i < 4; i++) memcpy(&v[i], from + i * step, sizeof(Four));
  }
  FOCAL_INLINE void store(T *to, int64_t step, int count = 4) const {
    FOCAL_UNROLL for (int i = 0; i < 4; i++) if (i < count) memcpy(to + i * step, &v[i], sizeof(Four));
  }
  FOCAL_INLINE void transpose() {
    const Four a = __builtin_shufflevector(v[0], v[1], 0, 4, 1, 5), b = __builtin_shufflevector(v[2], v[3], 0, 4, 1, 5),
               c = __builtin_shufflevector(v[0], v[1], 2, 6, 3, 7), d = __builtin_shufflevector(v[2], v[3], 2, 6, 3, 7);
    v[0] = __builtin_shufflevector(a, b, 0, 1, 4, 5), v[1] = __builtin_shufflevector(a, b, 2, 3, 6, 7);
    v[2] = __builtin_shufflevector(c, d, 0, 1, 4, 5), v[3] = __builtin_shufflevector(c, d, 2, 3, 6, 7);
  }
};

// Calls f(r, c) for the squares that cover `rows` rows of C >= 4 classes but the last few rows: the last square of four rows overlaps.
template <class F> FOCAL_INLINE int64_t each_square(int64_t rows, int64_t C, F f) {
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    for (int64_t c = 0; c + 4 < C; c += 4) f(r, c);
    f(r, C - 4);
  }
  return r;
}

// to[c * step + r] = from[r * C + c]
template <class T> FOCAL_NOINLINE void classes_apart(const T *from, int64_t rows, int64_t C, T *to, int64_t step) {
  FourByFour<T> square;
  int64_t r = 0;
  if (C >= 4) {
    r = each_square(rows, C, [&](int64_t at, int64_t c) FOCAL_LAMBDA {
      square.load(from + at * C + c, C);
      square.transpose();
      square.store(to + c * step + at, step);
    });
  } else if (C == 3) {
    for (; r + 4 < rows; r += 4) {  // four numbers of a row: the last is the next row's
      square.load(from + r * 3, 3);
      square.transpose();
      square.store(to + r, step, 3);
    }
  } else if (C == 2) {
    for (; r + 4 <= rows; r += 4) {
      square.load(from + r * 2, 4);
      const auto a = square.v[0], b = square.v[1];
      square.v[0] = __builtin_shufflevector(a, b, 0, 2, 4, 6), square.v[1] = __builtin_shufflevector(a, b, 1, 3, 5, 7);
      square.store(to + r, step, 2);
    }
  }
  for (; r < rows; r++)
    for (int64_t c = 0; c < C; c++) to[c * step + r] = from[r * C + c];
}

// to[r * C + c] = from[c * step + r]
template <class T> FOCAL_NOINLINE void rows_together(const T *from, int64_t step, int64_t rows, int64_t C, T *to) {
  FourByFour<T> square;
  int64_t r = 0;
  if (C >= 4) {
    r = each_square(rows, C, [&](int64_t at, int64_t c) FOCAL_LAMBDA {
      square.load(from + c * step + at, step);
      square.transpose();
      square.store(to + at * C + c, C);
    });
  } else if (C == 3) {
    for (; r + 4 < rows; r += 4) {  // the fourth number is overwritten by the next row's first
      FOCAL_UNROLL for (int c = 0; c < 3; c++) memcpy(&square.v[c], from + c * step + r, sizeof square.v[c]);
      square.v[3] = square.v[2];
      square.transpose();
      square.store(to + r * 3, 3);
    }
  } else if (C == 2) {
    for (; r + 4 <= rows; r += 4) {
      FOCAL_UNROLL for (int c = 0; c < 2; c++) memcpy(&square.v[c], from + c * step + r, sizeof square.v[c]);
      const auto a = square.v[0], b = square.v[1];
      square.v[0] = __builtin_shufflevector(a, b, 0, 4, 1, 5), square.v[1] = __builtin_shufflevector(a, b, 2, 6, 3, 7);
      square.store(to + r * 2, 4, 2);
    }
  }
  for (; r < rows; r++)
    for (int64_t c = 0; c < C; c++) to[r * C + c] = from[c * step + r];
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
