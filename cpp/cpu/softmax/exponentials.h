// The exponentials of a block's logits, and what of a row decides how they are taken.
//
// A row of logits of at most 40 in size is near: it needs no shift by its maximum. The exponentials of other rows are over
// a power of two of their own. Which it is depends on the row alone, and so do its bits: a block that has rows of both kinds
// gives a near row a shift by nothing.
#pragma once

#include "losses/softmax_focal.h"
#include "cpu/elementwise/block.h"
#include "masked_classes.h"

namespace focal {
namespace FOCAL_NAMESPACE {

template <class R, class S, class T> struct SoftmaxExponentials : SoftmaxMaskedClasses<R, S, T> {
  using Base = SoftmaxMaskedClasses<R, S, T>;
  using Base::Base;
  using typename Base::V, typename Base::Row, typename Base::RowVector;
  using Base::plan, Base::scratch, Base::C, Base::rows, Base::elements, Base::by_class, Base::problem, Base::target_position;

  const T near_reach = C <= 4096 ? Limits<T>::softmax : Limits<T>::softmax_long;

  // The largest |x| of each row.
  FOCAL_NOINLINE void measure_rows(const T *x, T *to) const {
    if (by_class) this->template each_row<RowVector>([&](const RowVector &row) { row.put(row.reach(x).magnitude, to); });
    else this->template each_row<Row>([&](const Row &row) { row.put(row.reach(x).magnitude, to); });
  }

  FOCAL_NOINLINE void exponentials(const T *x) {
    int64_t k = 0;
    for (; k + R::size <= elements; k += R::size) exponential(R::load(x + k)).store(scratch.e + k);
    if (k == elements) return;
    T rest[R::size] = {};
    memcpy(rest, x + k, static_cast<size_t>(elements - k) * sizeof(T));
    exponential(R::load(rest)).store(scratch.e + k);
  }

  // Of rows that are not near, over one power of two of each; `all`: of near ones too.
  FOCAL_NOINLINE void shifted_exponentials(const T *x, bool all) {
    by_class ? shift_rows<RowVector>(x, all) : shift_rows<Row>(x, all);
  }

 private:
  template <class Row> FOCAL_INLINE void shift_rows(const T *x, bool all) {
    this->template each_row<Row>([&](const Row &row) {
      if (all) return row.put(row.largest(x), scratch.row_max);
      const auto reach = row.reach(x);
      row.put(reach.largest, scratch.row_max);
      row.put(reach.magnitude, scratch.row_reach);
    });
    const V reach(near_reach);
    for (int64_t r = 0; r < rows; r += V::size) {
      const RowShift<V> shift(V::load(scratch.row_max + r));
      const auto is_far = all ? V(1) > V(0) : V::load(scratch.row_reach + r) > reach;
      select(is_far, shift.subtracted, V(0)).store(scratch.row_subtracted + r);
      select(is_far, shift.exponent, V(0)).store(scratch.row_exponent + r);
      select(is_far, shift.floor, V(near_floor)).store(scratch.row_floor + r);
      select(is_far, shift.top, V(0)).store(scratch.row_top + r);
    }
    this->template each_row<Row>([&](const Row &row) {
      const auto subtracted = row.of(scratch.row_subtracted), floor = row.of(scratch.row_floor),
                 over = row.of(scratch.row_exponent);
      row.map(x, scratch.e, [&](auto logits, int64_t) FOCAL_LAMBDA {
        using N = decltype(logits);
        return exponential_over(larger(N(floor), logits - N(subtracted)), N(over));
      });
    });
  }

 protected:
  static constexpr T near_floor = -Limits<T>::shifted;  // of rows that no floor holds up
};

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
