// Rows of which a mask takes classes out: they are computed with logits that are no news to them, and what comes of these is cleared.
#pragma once

#include "row.h"
#include "staging.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// R sweeps over whole blocks, S (shorter) over what takes more registers.
template <class R, class S, class T> struct SoftmaxMaskedClasses : SoftmaxRows<T, decltype(fold(R()))> {
  using V = decltype(fold(R()));
  using Row = RowByRow<S, T>;
  using RowVector = RowsByClass<S, T>;
  using Base = SoftmaxRows<T, V>;
  using Base::plan, Base::scratch, Base::C, Base::rows, Base::elements, Base::by_class, Base::problem, Base::class_step, Base::position;

  SoftmaxMaskedClasses(const Plan &of, void *memory) : Base(of, memory) {}

  template <class Row, class F> FOCAL_INLINE void each_row(F f) const {
    for (int64_t r = 0; r < rows; r += Row::step) f(Row(*this, r));
  }

  // Calls f with what gives the power of gamma at an element, or at a row: the same one, or that of the class there.
  template <class N = S, class F> FOCAL_INLINE void with_power_at(const T *high, const T *low, F f) const {
    if (problem().flags & FOCAL_CLASS_GAMMAS)
      return f([=](int64_t k) FOCAL_LAMBDA { return PowerAny<N>(N::load(high + k), N::load(low + k)); });
    with_common_power<T>(problem().gamma, [&](auto power) { f([=](int64_t) FOCAL_LAMBDA { return power; }); });
  }

  // Reads which classes each row has left, and gives the others the largest logit of these. Returns the logits. A row without any
  // keeps them all, and logits of 0: it is not valid.
  FOCAL_NOINLINE const T *stage_mask(const T *x) {
    this->gather(problem().mask, problem().mask_dtype, scratch.keep);
    const auto stage = [&](const T *logits, int64_t k) FOCAL_LAMBDA {
      const auto is_out = equal(S::load(scratch.keep + k), S(0));
      select(is_out, S(0), S(1)).store(scratch.keep + k);
      select(is_out, S(-__builtin_inf()), S::load(logits)).store(scratch.x + k);
    };
    int64_t k = 0;
    for (; k + S::size <= elements; k += S::size) stage(x + k, k);
    if (k < elements) {
      T rest[S::size] = {};
      memcpy(rest, x + k, static_cast<size_t>(elements - k) * sizeof(T));
      stage(rest, k);
    }
    by_class ? fill_masked<RowVector>() : fill_masked<Row>();
    this->each_row_below(scratch.row_left, T(1), by_class ? class_step : rows, [&](int64_t r) {
      for (int64_t c = 0; c < C; c++) scratch.keep[position(r, c)] = 1, scratch.x[position(r, c)] = 0;
    });
    return scratch.x;
  }

 private:
  template <class Row> FOCAL_INLINE void fill_masked() const {
    each_row<Row>([&](const Row &row) {
      row.put(row.largest(scratch.x), scratch.row_max);
      row.put(row.sum(scratch.keep, [](auto keep) FOCAL_LAMBDA { return keep; }), scratch.row_left);
    });
    // A vector at a row's end may give a masked class of the next row a logit, which that row gives another one.
    each_row<Row>([&](const Row &row) {
      const auto largest = row.of(scratch.row_max);
      row.map(scratch.x, scratch.x, [&](auto logits, int64_t k) FOCAL_LAMBDA {
        using N = decltype(logits);
        return select(N::load(scratch.keep + k) > N(0), logits, N(largest));
      });
    });
  }
};

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
