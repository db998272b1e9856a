// Rows with a class index: the exponentials of the other classes, added up, are 1 - p over the whole, and p of the row's own
// class takes one formula a row.
#pragma once

#include "exponentials.h"

namespace focal {
namespace FOCAL_NAMESPACE {

template <class R, class S, class T> struct SoftmaxIndexRows : SoftmaxExponentials<R, S, T> {
  using Base = SoftmaxExponentials<R, S, T>;
  using Base::Base;
  using Base::plan, Base::scratch, Base::rows, Base::problem, Base::target_position;

  // `shifted`: a row of the block may be far.
  FOCAL_NOINLINE double index_along(const T *x, bool shifted, T *grad, T *hess) {
    if (!shifted) {
      this->template exponentials<sizeof(T) == sizeof(double)>(x);  // that is right too, and one function less
    } else if (this->has_near_and_gone_only(x) && find_gone(x)) {
      this->template exponentials<true>(x);
    } else {
      this->shifted_exponentials(x, false);
      find_gaps(x);
    }
    if (this->takes_classes_out()) this->clear_masked(scratch.e);
    return index_rows(shifted, grad, hess);
  }

 private:
  // Of rows of near logits and such that are gone: how far those whose own class is gone are below their largest logit, and that one's
  // exponential. False where a row has no other.
  bool find_gone(const T *x) {
    bool all_near = true;
    for (int64_t r = 0; r < rows; r++) {
      const T own = x[target_position(r)];
      scratch.row_share[r] = 0;
      if (!(own < Base::gone)) continue;
      const T max = largest_of<R>(x + r * Base::C, Base::C);
      all_near &= max >= -this->near_reach;
      scratch.row_share[r] = max - own;
      scratch.row_top[r] = exponential(max);
    }
    return all_near;
  }
  // The same where rows are of any kind. Of a near row whose own class is not gone it is no matter.
  void find_gaps(const T *x) {
    for (int64_t r = 0; r < rows; r++) {
      const T own = x[target_position(r)];
      scratch.row_share[r] = scratch.row_reach[r] == 0 && !(own < Base::gone) ? T(0) : scratch.row_max[r] - own;
    }
  }

  double index_rows(bool shifted, T *grad, T *hess) {
    using Row = RowByRow<R, T>;
    T *const e = scratch.e;
    for (int64_t r = 0; r < rows; r++) {
      const int64_t at = target_position(r);
      scratch.row_e[r] = e[at];
      e[at] = 0;
    }
    // In a loop of its own: a vector load right after a store of one of its lanes waits for it.
    this->template each_row<Row>([&](const Row &row) {
      row.put(row.sum(e, [](auto v) FOCAL_LAMBDA { return v; }), scratch.row_others);
    });
    if (hess) find_beside();
    // The gradient is pull * p for the other classes and pull * -q for this one.
    for (int64_t r = 0; r < rows; r++) e[target_position(r)] = -scratch.row_others[r];
    hess ? index_terms<true>(shifted, 0, rows) : index_terms<false>(shifted, 0, rows);
    if (grad)
      this->template each_row<Row>([&](const Row &row) {
        const auto share = row.of(scratch.row_share), pull = row.of(scratch.row_pull);
        row.write(grad, [&](auto number, int64_t k) FOCAL_LAMBDA {
          using N = decltype(number);
          return muladd(load<N>(e + k) * N(share), N(pull), N(0));  // no negative zeros
        });
      });
    if (hess) hess_along(hess);
    this->clear_values_without();
    return static_cast<double>(sum_of<R>(scratch.row_value, rows));
  }

  // The largest exponential beside the row's own class, and the sum of the others: as a difference, where that has its digits.
  FOCAL_NOINLINE void find_beside() const {
    this->template each_row<RowByRow<R, T>>([&](const auto &row) {
      const T top = row.largest(scratch.e), difference = row.of(scratch.row_others) - top;
      row.put(top, scratch.row_largest);
      row.put(difference > top * T(0.5) ? difference : row.sum(scratch.e, [top](auto v) FOCAL_LAMBDA { return select(decltype(v)(top) > v, v, v - v); }),
              scratch.row_beside);
    });
  }
  // What comes out at the own classes' positions is replaced.
  FOCAL_NOINLINE void hess_along(T *hess) const {
    const T *const e = scratch.e;
    const T least = static_cast<T>(problem().least_hess);
    this->template each_row<RowByRow<R, T>>([&](const auto &row) {
      const T own = row.of(scratch.row_e), others = row.of(scratch.row_others), share = row.of(scratch.row_share);
      const T pull = row.of(scratch.row_pull), bend = row.of(scratch.row_bend), inverse = over_or_zero(T(1), others);
      const T top = row.of(scratch.row_largest), beside = own + row.of(scratch.row_beside);
      row.write(hess, [&](auto number, int64_t k) FOCAL_LAMBDA {
        using N = decltype(number);
        const N v = load<N>(e + k), rest = select(N(top) > v, N(own) + (N(others) - v), N(beside));
        return larger(N(least), hess_beside(v, rest, N(share), N(inverse), N(pull), N(bend)));
      });
    });
    for (int64_t r = 0; r < rows; r++) hess[target_position(r)] = larger(least, scratch.row_hess[r]);
  }

 protected:
  // Of rows begin..end-1, in whole packs: from their exponentials to their values, and to what each exponential's gradient is over it.
  template <bool H> FOCAL_NOINLINE void index_terms(bool shifted, int64_t begin, int64_t end) const {
    using P = std::conditional_t<H, S, typename Base::Scratch::RowPack>;  // second derivatives are rare, and this is code
    const P scale(static_cast<T>(plan.grad_scale));
    const auto &at = scratch;
    this->template with_power_at<P>(at.row_gamma_high, at.row_gamma_low, [&](auto power_at) {
      // Copies: to a compiler, what is stored might be the pointers
      const T *const row_e = at.row_e, *const row_others = at.row_others, *const amount = at.row_amount, *const top = at.row_top;
      T *const value = at.row_value, *const share = at.row_share, *const pull = at.row_pull, *const bend = at.row_bend, *const hess = at.row_hess;
      for (int64_t r = begin; r < end; r += P::size) {
        const SoftmaxFocal loss{power_at(r)};
        const P e = P::load(row_e + r), others = P::load(row_others + r);
        P gap(0), below_top(0);
        if (shifted) {
          gap = P::load(share + r);
          below_top = select(gap > P(0), P::load(top + r) - e, P(0));
        }
        const IndexedRow<P> row(loss, e, others, gap, below_top, P::load(amount + r), scale);
        row.value.store(value + r);
        row.share.store(share + r);
        row.pull.store(pull + r);
        if constexpr (H) row.bend.store(bend + r), row.hess.store(hess + r);
      }
    });
  }
};

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
