// The number types of the softmax losses: one row of a block with its classes along the vectors, or a vector of rows with
// its classes one after the other. A formula on either is the same.
#pragma once

#include "pack.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// ---- folds along one row: whole vectors, the last of them in part ---------------------------------------------------

template <class R, class T> FOCAL_INLINE R load(const T *from) {
  if constexpr (sizeof(R) == sizeof(T)) return *from;
  else return R::load(from);
}

// The sum of map(x) over n numbers, of chunks of 16 steps of a pack in double.
template <class R, class T, class Map> FOCAL_INLINE T sum_over(const T *x, int64_t n, Map map) {
  using V = decltype(fold(R()));
  constexpr int64_t chunk = 16 * R::size;
  const auto plus = [](auto a, auto b) { return a + b; };
  double chunks = 0;
  V partial(0);
  int64_t k = 0;
  for (int64_t stop = chunk; stop <= n; stop += chunk) {
    for (; k < stop; k += R::size) partial = partial + fold(map(R::load(x + k)));
    chunks += static_cast<double>(fold_lanes(partial, plus));
    partial = V(0);
  }
  for (; k + R::size <= n; k += R::size) partial = partial + fold(map(R::load(x + k)));
  for (; k + V::size <= n; k += V::size) partial = partial + map(V::load(x + k));
  if (k < n) partial = partial + first_lanes(map(V::load(x + k)), n - k, T(0));
  const T rest = fold_lanes(partial, plus);
  return n < chunk ? rest : static_cast<T>(chunks + static_cast<double>(rest));
}
template <class R, class T> FOCAL_INLINE T sum_of(const T *x, int64_t n) {
  return sum_over<R>(x, n, [](auto v) { return v; });
}

// The largest of n numbers; NaNs are passed over. Reads nothing past their end.
template <class R, class T> FOCAL_INLINE T largest_of(const T *x, int64_t n) {
  using V = decltype(fold_larger(R()));
  T result = -__builtin_inf();
  V largest(result);
  int64_t k = 0;
  for (; k + R::size <= n; k += R::size) largest = larger(fold_larger(R::load(x + k)), largest);
  for (; k + V::size <= n; k += V::size) largest = larger(V::load(x + k), largest);
  if (k > 0) result = fold_lanes(largest, [](auto a, auto b) { return larger(a, b); });
  for (; k < n; k++) result = larger(x[k], result);
  return result;
}


template <class One> struct Reach { One largest, magnitude; };  // of numbers, and of their sizes

template <class V, class T, class Size> FOCAL_INLINE Reach<T> reach_of(const T *x, int64_t n, Size size) {
  const auto either = [](auto a, auto b) { return larger(a, b); };
  V largest(-__builtin_inf()), magnitude(0);
  int64_t k = 0;
  for (; k + V::size <= n; k += V::size) {
    const V numbers = V::load(x + k);
    largest = larger(numbers, largest);
    magnitude = larger(size(numbers), magnitude);
  }
  Reach<T> reach{fold_lanes(largest, either), fold_lanes(magnitude, either)};
  for (; k < n; k++) reach = {larger(x[k], reach.largest), larger(size(x[k]), reach.magnitude)};
  return reach;
}

// ---- one row, or one vector of rows: formulas on either are the same ------------------------------------------------
//
// `One` is a quantity of a row. map() calls f(number type, k) for the elements k of the row, or of several.

// Classes one after the other: the vectors are along the row.
template <class R, class T> struct RowByRow {
  using V = decltype(fold(R()));
  using One = T;
  static constexpr int64_t step = 1;
  int64_t r, C, begin, end;  // the row's first element, and the block's end

  template <class Rows> RowByRow(const Rows &rows, int64_t row)
      : r(row), C(rows.C), begin(row * rows.C), end(rows.elements) {}
  One of(const T *array) const { return array[r]; }
  void put(One a, T *array) const { array[r] = a; }
  One largest(const T *x) const { return largest_of<R>(x + begin, C); }
  template <class Size> FOCAL_INLINE Reach<One> reach(const T *x, Size size) const { return reach_of<V>(x + begin, C, size); }
  template <class Map> FOCAL_INLINE One sum(const T *x, Map map) const { return sum_over<R>(x + begin, C, map); }
  // Whole vectors may be written past the row's end, up to the block's, where rows to come will be written. What f reads has
  // room for them past that end too: a number by itself might be rounded in another way.
  template <class F> FOCAL_INLINE void write(T *to, F f) const {
    int64_t k = begin;
    for (; k < begin + C && k + V::size <= end; k += V::size) f(V(), k).store(to + k);
    for (; k < begin + C; k += V::size) {
      T rest[V::size];
      f(V(), k).store(rest);
      memcpy(to + k, rest, static_cast<size_t>(begin + C - k < V::size ? begin + C - k : V::size) * sizeof(T));
    }
  }
  // to[k] = f(x[k], k), in whole vectors: `to` has room for them past the block's end, and rows to come are written after.
  template <class F> FOCAL_INLINE void map(const T *x, T *to, F f) const {
    int64_t k = begin;
    for (; k + R::size <= begin + C; k += R::size) f(R::load(x + k), k).store(to + k);
    for (; k < begin + C && k + V::size <= end; k += V::size) f(V::load(x + k), k).store(to + k);
    for (; k < begin + C; k += V::size) {
      T rest[V::size] = {};
      memcpy(rest, x + k, static_cast<size_t>(end - k < V::size ? end - k : V::size) * sizeof(T));
      f(V::load(rest), k).store(to + k);
    }
  }
};

// Classes apart: a vector is one class of several rows.
template <class R, class T> struct RowsByClass {
  using V = decltype(fold(R()));
  using One = V;
  static constexpr int64_t step = V::size;
  int64_t r, end, class_step;

  template <class Rows> RowsByClass(const Rows &rows, int64_t row) : r(row), end(rows.elements), class_step(rows.class_step) {}
  One of(const T *array) const { return V::load(array + r); }
  void put(One a, T *array) const { a.store(array + r); }
  FOCAL_INLINE One largest(const T *x) const {
    V result = V::load(x + r);
    for (int64_t k = r + class_step; k < end; k += class_step) result = larger(V::load(x + k), result);
    return result;
  }
  template <class Size> FOCAL_INLINE Reach<One> reach(const T *x, Size size) const {
    Reach<One> reach{V(-__builtin_inf()), V(0)};
    for (int64_t k = r; k < end; k += class_step) {
      const V numbers = V::load(x + k);
      reach = {larger(numbers, reach.largest), larger(size(numbers), reach.magnitude)};
    }
    return reach;
  }
  template <class Map> FOCAL_INLINE One sum(const T *x, Map map) const {
    V result(0);
    for (int64_t k = r; k < end; k += class_step) result = result + map(V::load(x + k));
    return result;
  }
  template <class F> FOCAL_INLINE void write(T *to, F f) const {
    for (int64_t k = r; k < end; k += class_step) f(V(), k).store(to + k);
  }
  template <class F> FOCAL_INLINE void map(const T *x, T *to, F f) const {
    for (int64_t k = r; k < end; k += class_step) f(V::load(x + k), k).store(to + k);
  }
};

// Of numbers that are added up: for each, the sum of the others. Of the largest, and so of every other one, that
// keeps its relative accuracy however much larger it is than the rest.
template <class One> struct Others {
  One largest, beside_largest, whole;

  template <class Row, class T> FOCAL_INLINE Others(const Row &row, const T *x) : largest(row.largest(x)) {
    const One top = largest;
    const One rest = row.sum(x, [top](auto v) FOCAL_LAMBDA { return select(decltype(v)(top) > v, v, v - v); });
    const One tops = row.sum(x, [top](auto v) FOCAL_LAMBDA {
      return select(decltype(v)(top) > v, decltype(v)(0), decltype(v)(1));
    });
    beside_largest = muladd(tops - One(1), top, rest);
    whole = beside_largest + top;
  }
  template <class R> FOCAL_INLINE R operator()(R v) const {
    return select(R(largest) > v, R(whole) - v, R(beside_largest));
  }
};

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
