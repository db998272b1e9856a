// Rows that lie one after the other, as classes that do, and back: squares of 4 by 4 numbers, as many at a time as vectors hold.
#pragma once

#include "pack.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// Squares of four classes of `rows` rows: in each four numbers of a vector there is one.
template <class V> struct Squares {
  using T = typename V::Lane;
  static constexpr int side = 4, count = V::lanes > side ? V::lanes / side : 1, rows = side * count;
  typedef T Line __attribute__((vector_size(side * sizeof(T))));
  typedef T Lines __attribute__((vector_size(rows * sizeof(T))));
  Lines v[side];

  // Line i of each square is in v[i]: of row i, of row 4 + i, and so on.
  FOCAL_INLINE void load_rows(const T *from, int64_t step, int lines = side) {
    FOCAL_UNROLL for (int i = 0; i < side; i++) {
      Line line[4];
      if (i < lines) FOCAL_UNROLL for (int square = 0; square < count; square++) memcpy(&line[square], from + (square * lines + i) * step, sizeof(Line));
      if (i < lines) join(line, v[i]);
    }
  }
  FOCAL_INLINE void store_rows(T *to, int64_t step, int lines = side) const {
    FOCAL_UNROLL for (int square = 0; square < count; square++)
      FOCAL_UNROLL for (int i = 0; i < side; i++) {
        if (i < lines) store_line(v[i], square, to + (square * lines + i) * step);
      }
  }
  FOCAL_INLINE void load_classes(const T *from, int64_t step, int classes = side) {
    FOCAL_UNROLL for (int c = 0; c < side; c++) memcpy(&v[c], from + (c < classes ? c : 0) * step, sizeof(Lines));
  }
  FOCAL_INLINE void store_classes(T *to, int64_t step, int classes = side) const {
    FOCAL_UNROLL for (int c = 0; c < side; c++) if (c < classes) memcpy(to + c * step, &v[c], sizeof(Lines));
  }
  // One class alone.
  FOCAL_INLINE void load_column(const T *from, int64_t step) { read_column(from, step, v[0], std::make_integer_sequence<int, rows>()); }
  FOCAL_INLINE void store_column(T *to, int64_t step) const {
    FOCAL_UNROLL for (int lane = 0; lane < rows; lane++) to[lane * step] = v[0][lane];
  }
  FOCAL_INLINE void transpose() {
    Lines a, b, c, d;
    mix<0, 4, 1, 5>(v[0], v[1], a), mix<0, 4, 1, 5>(v[2], v[3], b), mix<2, 6, 3, 7>(v[0], v[1], c), mix<2, 6, 3, 7>(v[2], v[3], d);
    mix<0, 1, 4, 5>(a, b, v[0]), mix<2, 3, 6, 7>(a, b, v[1]), mix<0, 1, 4, 5>(c, d, v[2]), mix<2, 3, 6, 7>(c, d, v[3]);
  }
  // Rows of three classes, and of two, that lie one after the other, and back. Vectors of four squares have instructions that pick numbers from
  // anywhere in two vectors.
  FOCAL_INLINE void load_thirds(const T *from) {
    if constexpr (count == 4) {
      Lines a, b, c;
      load_whole(from, a), load_whole(from + rows, b), load_whole(from + 2 * rows, c);
      // Class k is the numbers k, k + 3, k + 6 and so on: those in a and b, then those in c
      v[0] = __builtin_shufflevector(__builtin_shufflevector(a, b, 0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 0, 0, 0, 0, 0), c, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 17, 20, 23, 26, 29);
      v[1] = __builtin_shufflevector(__builtin_shufflevector(a, b, 1, 4, 7, 10, 13, 16, 19, 22, 25, 28, 31, 0, 0, 0, 0, 0), c, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 18, 21, 24, 27, 30);
      v[2] = __builtin_shufflevector(__builtin_shufflevector(a, b, 2, 5, 8, 11, 14, 17, 20, 23, 26, 29, 0, 0, 0, 0, 0, 0), c, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 19, 22, 25, 28, 31);
    } else {
      FOCAL_UNROLL for (int i = 0; i < 3; i++) {
        Line line[4];
        FOCAL_UNROLL for (int square = 0; square < count; square++) memcpy(&line[square], from + (3 * square + i) * side, sizeof(Line));
        join(line, v[i]);
      }
      Lines ends, middle;
      mix<2, 3, 5, 6>(v[1], v[2], ends), mix<1, 2, 4, 5>(v[0], v[1], middle);
      mix<0, 3, 4, 6>(v[0], ends, v[0]), mix<0, 2, 5, 7>(middle, ends, v[1]), mix<1, 3, 4, 7>(middle, v[2], v[2]);
    }
  }
  FOCAL_INLINE void store_thirds(T *to) const {
    if constexpr (count == 4) {
      const Lines &a = v[0], &b = v[1], &c = v[2];
      store_whole(__builtin_shufflevector(__builtin_shufflevector(a, b, 0, 16, 0, 1, 17, 0, 2, 18, 0, 3, 19, 0, 4, 20, 0, 5), c, 0, 1, 16, 3, 4, 17, 6, 7, 18, 9, 10, 19, 12, 13, 20, 15), to);
      store_whole(__builtin_shufflevector(__builtin_shufflevector(a, b, 21, 0, 6, 22, 0, 7, 23, 0, 8, 24, 0, 9, 25, 0, 10, 26), c, 0, 21, 2, 3, 22, 5, 6, 23, 8, 9, 24, 11, 12, 25, 14, 15), to + rows);
      store_whole(__builtin_shufflevector(__builtin_shufflevector(a, b, 0, 11, 27, 0, 12, 28, 0, 13, 29, 0, 14, 30, 0, 15, 31, 0), c, 26, 1, 2, 27, 4, 5, 28, 7, 8, 29, 10, 11, 30, 13, 14, 31), to + 2 * rows);
    } else {
      Lines line[3], a, b, c;
      mix<0, 2, 4, 6>(v[0], v[1], a), mix<1, 3, 5, 7>(v[1], v[2], b), mix<0, 2, 5, 7>(v[2], v[0], c);
      mix<0, 2, 4, 6>(a, c, line[0]), mix<0, 2, 5, 7>(b, a, line[1]), mix<1, 3, 5, 7>(c, b, line[2]);
      FOCAL_UNROLL for (int square = 0; square < count; square++)
        FOCAL_UNROLL for (int i = 0; i < 3; i++) store_line(line[i], square, to + (3 * square + i) * side);
    }
  }
  FOCAL_INLINE void load_pairs(const T *from) {
    if constexpr (count == 4) {
      Lines a, b;
      load_whole(from, a), load_whole(from + rows, b);
      v[0] = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
      v[1] = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
    } else {
      load_rows(from, side, 2);
      const Lines a = v[0], b = v[1];
      mix<0, 2, 4, 6>(a, b, v[0]), mix<1, 3, 5, 7>(a, b, v[1]);
    }
  }
  FOCAL_INLINE void store_pairs(T *to) const {
    if constexpr (count == 4) {
      store_whole(__builtin_shufflevector(v[0], v[1], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), to);
      store_whole(__builtin_shufflevector(v[0], v[1], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), to + rows);
    } else {
      Lines a, b;
      mix<0, 4, 1, 5>(v[0], v[1], a), mix<2, 6, 3, 7>(v[0], v[1], b);
      FOCAL_UNROLL for (int square = 0; square < count; square++) store_line(a, square, to + 2 * square * side), store_line(b, square, to + (2 * square + 1) * side);
    }
  }

 private:
  static FOCAL_INLINE void load_whole(const T *from, Lines &to) { memcpy(&to, from, sizeof to); }
  static FOCAL_INLINE void store_whole(const Lines &from, T *to) { memcpy(to, &from, sizeof from); }
  static FOCAL_INLINE void store_line(const Lines &from, int square, T *to) {
    memcpy(to, reinterpret_cast<const char *>(&from) + static_cast<size_t>(square) * sizeof(Line), sizeof(Line));
  }
  template <int... Lane> static FOCAL_INLINE void read_column(const T *from, int64_t step, Lines &to, std::integer_sequence<int, Lane...>) {
    to = Lines{from[Lane * step]...};
  }
  // Of each square the numbers that are named: 0 to 3 are of a, 4 to 7 of b.
  template <int... Named> static FOCAL_INLINE void mix(const Lines &a, const Lines &b, Lines &to) {
    mix_lanes<Named...>(a, b, to, std::make_integer_sequence<int, rows>());
  }
  template <int... Named, int... Lane>
  static FOCAL_INLINE void mix_lanes(const Lines &a, const Lines &b, Lines &to, std::integer_sequence<int, Lane...>) {
    to = __builtin_shufflevector(a, b, lane_of<Named...>(Lane)...);
  }
  template <int... Named> static constexpr int lane_of(int lane) {
    constexpr int named[] = {Named...};
    return lane / side * side + named[lane % side] % side + (named[lane % side] < side ? 0 : rows);
  }
  static FOCAL_INLINE void join(const Line *line, Lines &to) {
    if constexpr (count == 1) to = line[0];
    else if constexpr (count == 2) to = __builtin_shufflevector(line[0], line[1], 0, 1, 2, 3, 4, 5, 6, 7);
#ifdef __AVX512F__
    else to = _mm512_insertf32x4(_mm512_insertf32x4(_mm512_insertf32x4(_mm512_castps128_ps512(line[0]), line[1], 1), line[2], 2), line[3], 3);
#endif
  }
};

// Calls square(r, c) for the squares that cover `rows` rows of C >= 4 classes, the last of either with some of the one before; gives back how
// many rows they cover, which is none of too few. Where one class is left over, it is column(r, c). Classes are the outer loop: what is added
// to an address is the same in all of the inner one.
template <class V, class F, class G> FOCAL_INLINE int64_t each_square(int64_t rows, int64_t C, F square, G column) {
  constexpr int64_t some = Squares<V>::rows;
  if (rows < some) return 0;
  const auto each = [&](int64_t c, auto f) FOCAL_LAMBDA {
    for (int64_t r = 0; r + some <= rows; r += some) f(r, c);
    if (rows % some != 0) f(rows - some, c);
  };
  int64_t c = 0;
  for (; c + 4 <= C; c += 4) each(c, square);
  if (c + 1 == C) each(c, column);
  else if (c < C) each(C - 4, square);
  return rows;
}

// to[c * step + r] = from[r * C + c]
template <class V, class T> FOCAL_NOINLINE void classes_apart(const T *from, int64_t rows, int64_t C, T *to, int64_t step) {
  constexpr int64_t some = Squares<V>::rows;
  Squares<V> squares;
  int64_t r = 0;
  if (C >= 4) {
    r = each_square<V>(rows, C, [&](int64_t at, int64_t c) FOCAL_LAMBDA {
      squares.load_rows(from + at * C + c, C);
      squares.transpose();
      squares.store_classes(to + c * step + at, step);
    }, [&](int64_t at, int64_t c) FOCAL_LAMBDA {
      squares.load_column(from + at * C + c, C);
      squares.store_classes(to + c * step + at, step, 1);
    });
  } else if (C == 3) {
    for (; r + some <= rows; r += some) {
      squares.load_thirds(from + r * 3);
      squares.store_classes(to + r, step, 3);
    }
  } else if (C == 2) {
    for (; r + some <= rows; r += some) {
      squares.load_pairs(from + r * 2);
      squares.store_classes(to + r, step, 2);
    }
  }
  for (; r < rows; r++)
    for (int64_t c = 0; c < C; c++) to[c * step + r] = from[r * C + c];
}

// to[r * C + c] = from[c * step + r]
template <class V, class T> FOCAL_NOINLINE void rows_together(const T *from, int64_t step, int64_t rows, int64_t C, T *to) {
  constexpr int64_t some = Squares<V>::rows;
  Squares<V> squares;
  int64_t r = 0;
  if (C >= 4) {
    r = each_square<V>(rows, C, [&](int64_t at, int64_t c) FOCAL_LAMBDA {
      squares.load_classes(from + c * step + at, step);
      squares.transpose();
      squares.store_rows(to + at * C + c, C);
    }, [&](int64_t at, int64_t c) FOCAL_LAMBDA {
      squares.load_classes(from + c * step + at, step, 1);
      squares.store_column(to + at * C + c, C);
    });
  } else if (C == 3) {
    for (; r + some <= rows; r += some) {
      squares.load_classes(from + r, step, 3);
      squares.store_thirds(to + r * 3);
    }
  } else if (C == 2) {
    for (; r + some <= rows; r += some) {
      squares.load_classes(from + r, step, 2);
      squares.store_pairs(to + r * 2);
    }
  }
  for (; r < rows; r++)
    for (int64_t c = 0; c < C; c++) to[r * C + c] = from[c * step + r];
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
