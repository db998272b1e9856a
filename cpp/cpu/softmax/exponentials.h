// The exponentials of a block's logits, and what of a row decides how they are taken.
//
// A row of logits of at most 40 in size is near: it needs no shift by its maximum. Nor do logits below -256 beside such, as of classes
// that are switched off: they are gone, their exponentials are 0. The exponentials of other rows are over a power of two of
// their own. Which it is depends on the row alone, and so do its bits: a block that has rows of both kinds gives a near row a
// shift by nothing.
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
    const auto size = [](auto logits) FOCAL_LAMBDA { return absolute(logits); };
    if (by_class) this->template each_row<RowVector>([&](const RowVector &row) { row.put(row.reach(x, size).magnitude, to); });
    else this->template each_row<Row>([&](const Row &row) { row.put(row.reach(x, size).magnitude, to); });
  }

  // Of near rows; with logits that are gone or without.
  template <bool with_gone> FOCAL_NOINLINE void exponentials(const T *x) {
    const auto of = [](R logits) FOCAL_LAMBDA { return exponential(with_gone ? larger(R(near_floor), logits) : logits); };
    int64_t k = 0;
    for (; k + R::size <= elements; k += R::size) of(R::load(x + k)).store(scratch.e + k);
    if (k == elements) return;
    T rest[R::size] = {};
    memcpy(rest, x + k, static_cast<size_t>(elements - k) * sizeof(T));
    of(R::load(rest)).store(scratch.e + k);
  }

  // Is every one of the block's logits near or gone? Looks no further than some packs past the first that is not.
  FOCAL_NOINLINE bool has_near_and_gone_only(const T *x) const {
    constexpr int64_t some = 8 * R::size;
    R largest(0);
    int64_t k = 0;
    for (int64_t stop = some; stop <= elements; stop += some) {
      for (; k < stop; k += R::size) largest = larger(magnitude_of_near(R::load(x + k)), largest);
      if (largest_lane(fold_larger(largest)) > near_reach) return false;
    }
    for (; k + R::size <= elements; k += R::size) largest = larger(magnitude_of_near(R::load(x + k)), largest);
    T last = largest_lane(fold_larger(largest));
    for (; k < elements; k++) last = larger(magnitude_of_near(x[k]), last);
    return !(last > near_reach);
  }

  // Of rows that are not near, over one power of two of each; `all`: of near ones too.
  FOCAL_NOINLINE void shifted_exponentials(const T *x, bool all) {
    by_class ? shift_rows<RowVector>(x, all) : shift_rows<Row>(x, all);
  }

 private:
  template <class Row> FOCAL_INLINE void shift_rows(const T *x, bool all) {
    this->template each_row<Row>([&](const Row &row) {
      if (all) return row.put(row.largest(x), scratch.row_max);
      const auto reach = row.reach(x, [](auto logits) FOCAL_LAMBDA { return magnitude_of_near(logits); });
      row.put(reach.largest, scratch.row_max);
      row.put(reach.magnitude, scratch.row_reach);
    });
    for (int64_t r = 0; r < rows; r += V::size) {
      const V max = V::load(scratch.row_max + r);
      const auto is_far = all ? V(1) > V(0) : is_far_row(max, V::load(scratch.row_reach + r));
      const RowShift<V> shift = shift_of(is_far, max);
      shift.subtracted.store(scratch.row_subtracted + r);
      shift.exponent.store(scratch.row_exponent + r);
      shift.floor.store(scratch.row_floor + r);
      shift.top.store(scratch.row_top + r);
      select(is_far, V(1), V(0)).store(scratch.row_reach + r);
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
  static constexpr T gone = -Limits<T>::far;
  static constexpr T near_floor = -static_cast<T>(Constants<T>::bias) * Constants<T>::ln2;  // its exponential is 0

  template <class N> static FOCAL_INLINE N magnitude_of_near(N logits) { return select(N(gone) > logits, N(0), absolute(logits)); }
  // Of the row's largest logit, and the size of those that are not gone.
  template <class N> FOCAL_INLINE auto is_far_row(N max, N magnitude) const { return larger(magnitude, -max) > N(near_reach); }
  // A near row's is one by nothing.
  template <class N, class Mask> static FOCAL_INLINE RowShift<N> shift_of(const Mask &is_far, N max) {
    RowShift<N> shift(max);
    shift.subtracted = select(is_far, shift.subtracted, N(0));
    shift.exponent = select(is_far, shift.exponent, N(0));
    shift.floor = select(is_far, shift.floor, N(near_floor));
    shift.top = select(is_far, shift.top, exponential(max));
    return shift;
  }
};

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
