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
        if (i >= lines) continue;
        memcpy(to + (square * lines + i) * step, reinterpret_cast<const char *>(&v[i]) + static_cast<size_t>(square) * sizeof(Line), sizeof(Line));
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
  // Of three classes: lines of a row and a third each.
  FOCAL_INLINE void load_thirds(const T *from) {
    FOCAL_UNROLL for (int i = 0; i < 3; i++) {
      Line line[4];
      FOCAL_UNROLL for (int square = 0; square < count; square++) memcpy(&line[square], from + (3 * square + i) * side, sizeof(Line));
      join(line, v[i]);
    }
  }
  FOCAL_INLINE void store_thirds(T *to) const {
    FOCAL_UNROLL for (int square = 0; square < count; square++)
      FOCAL_UNROLL for (int i = 0; i < 3; i++)
        memcpy(to + (3 * square + i) * side, reinterpret_cast<const char *>(&v[i]) + static_cast<size_t>(square) * sizeof(Line), sizeof(Line));
  }
  FOCAL_INLINE void part_thirds() {
    Lines ends, middle;
    mix<2, 3, 5, 6>(v[1], v[2], ends), mix<1, 2, 4, 5>(v[0], v[1], middle);
    mix<0, 3, 4, 6>(v[0], ends, v[0]), mix<0, 2, 5, 7>(middle, ends, v[1]), mix<1, 3, 4, 7>(middle, v[2], v[2]);
  }
  FOCAL_INLINE void join_thirds() {
    Lines a, b, c;
    mix<0, 2, 4, 6>(v[0], v[1], a), mix<1, 3, 5, 7>(v[1], v[2], b), mix<0, 2, 5, 7>(v[2], v[0], c);
    mix<0, 2, 4, 6>(a, c, v[0]), mix<0, 2, 5, 7>(b, a, v[1]), mix<1, 3, 5, 7>(c, b, v[2]);
  }
  // Of two classes: lines of two rows each.
  FOCAL_INLINE void part_pairs() {
    const Lines a = v[0], b = v[1];
    mix<0, 2, 4, 6>(a, b, v[0]), mix<1, 3, 5, 7>(a, b, v[1]);
  }
  FOCAL_INLINE void join_pairs() {
    const Lines a = v[0], b = v[1];
    mix<0, 4, 1, 5>(a, b, v[0]), mix<2, 6, 3, 7>(a, b, v[1]);
  }

 private:
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
    else to = __builtin_shufflevector(__builtin_shufflevector(line[0], line[1], 0, 1, 2, 3, 4, 5, 6, 7),
                                      __builtin_shufflevector(line[2], line[3], 0, 1, 2, 3, 4, 5, 6, 7), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
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
      squares.part_thirds();
      squares.store_classes(to + r, step, 3);
    }
  } else if (C == 2) {
    for (; r + some <= rows; r += some) {
      squares.load_rows(from + r * 2, 4, 2);
      squares.part_pairs();
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
      squares.join_thirds();
      squares.store_thirds(to + r * 3);
    }
  } else if (C == 2) {
    for (; r + some <= rows; r += some) {
      squares.load_classes(from + r, step, 2);
      squares.join_pairs();
      squares.store_rows(to + r * 2, 4, 2);
    }
  }
  for (; r < rows; r++)
    for (int64_t c = 0; c < C; c++) to[r * C + c] = from[c * step + r];
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
