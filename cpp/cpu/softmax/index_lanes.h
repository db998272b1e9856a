// Rows with a class index whose classes lie one after the other: a vector is one class of several rows, so nothing of a row
// takes a loop over numbers one by one.
#pragma once

#include "index_rows.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// The formula of two classes in the difference d of their logits, d + low to twice the digits: a sigmoid focal loss.
template <class R> struct TwoClasses { R value, grad, hess; };  // grad: of the other class; of the row's own it is -grad
template <class R, class Power> FOCAL_INLINE TwoClasses<R> two_classes(const Power &power, R own, R other, R amount, R grad_scale) {
  using T = typename Number<R>::Lane;
  const R d = other - own;
  const R back = other - d;  // what rounding took from d, exactly (Knuth's two-sum)
  const R low = (other - (d + back)) - (own - back);
  const R reach(Limits<T>::logistic);
  const R z = larger(-reach, smaller(reach, d));
  const Reduced<R> t = reduce(z);
  const R e = add_to_exponent(exp_of_rest(t.rest + select(absolute(d) > reach, R(0), low)), t.k_plus_magic);
  const R p = reciprocal(e + R(1)), q = e * p;
  const R w = smaller(q, p);
  const R nll = muladd(w, log_rest_ratio(w), larger(R(0), d));
  const R m = select(-reach > d, R(0), amount * power(q));  // below, all is less than the smallest normal number
  const R sure = select(d > reach, R(0), p);
  // Past `reach` p goes on falling, and the loss it is multiplied by may be large
  const R fallen = p * exponential(larger(-reach, smaller(R(0), reach - d))), gain = R(power.gamma) * nll;
  const R hess = grad_scale * m * fallen * muladd(gain, muladd(R(power.gamma), fallen, -q), q * muladd(R(2), R(power.gamma), R(1)));
  return {m * nll, grad_scale * m * muladd(R(power.gamma) * sure, nll, q), hess};
}

template <class R, class S, class T> struct SoftmaxIndexLanes : SoftmaxIndexRows<R, S, T> {
  using Base = SoftmaxIndexRows<R, S, T>;
  using Base::Base;
  using N = S;
  using Base::plan, Base::scratch, Base::C, Base::rows, Base::elements, Base::class_step, Base::problem;

  FOCAL_NOINLINE double index_lanes(const T *x, bool shifted, T *grad, T *hess) {
    static_assert(Base::step_of_rows % N::size == 0, "whole packs of rows");
    if (C == 2) {
      if (this->takes_classes_out())  // what a row of one class comes to is 0
        for (int64_t r = 0; r < class_step; r++) scratch.row_amount[r] = scratch.row_left[r] < 2 ? T(0) : scratch.row_amount[r];
      this->with_power_at(scratch.row_gamma_high, scratch.row_gamma_low, [&](auto power_at) {
        hess ? two_class_rows<true>(power_at, x, grad, hess) : two_class_rows<false>(power_at, x, grad, nullptr);
      });
    } else {
      constexpr int64_t stretch = 128;  // rows whose exponentials stay near the processor until their gradients are taken
      for (int64_t r = 0; r < class_step; r += stretch) {
        const int64_t end = class_step < r + stretch ? class_step : r + stretch;
        if (hess) {
          shifted ? lanes<true, true>(x, r, end) : lanes<false, true>(x, r, end);
          this->template index_terms<true>(shifted, r, end);
          hess_lanes(hess, r, end);
        } else {
          shifted ? lanes<true, false>(x, r, end) : lanes<false, false>(x, r, end);
          this->template index_terms<false>(shifted, r, end);
        }
        if (grad) gradients(grad, r, end);
      }
    }
    this->clear_values_without();
    return static_cast<double>(sum_of<R>(scratch.row_value, rows));
  }

 private:
  template <bool H, class PowerAt> FOCAL_INLINE void two_class_rows(const PowerAt &power_at, const T *x, T *grad, T *hess) const {
    const N least(static_cast<T>(problem().least_hess));
    for (int64_t r = 0; r < class_step; r += N::size) {
      const N first = N::load(x + r), second = N::load(x + class_step + r);
      const auto is_second = N::load(scratch.row_target + r) > N(T(0.5));
      const N own = select(is_second, second, first), other = select(is_second, first, second);
      const TwoClasses<N> row =
          two_classes(power_at(r), own, other, N::load(scratch.row_amount + r), N(static_cast<T>(plan.grad_scale)));
      row.value.store(scratch.row_value + r);
      if constexpr (H) {
        const N clamped = larger(least, row.hess);
        clamped.store(hess + r), clamped.store(hess + class_step + r);
      }
      if (!grad) continue;
      select(is_second, row.grad, N(0) - row.grad).store(grad + r);
      select(is_second, N(0) - row.grad, row.grad).store(grad + class_step + r);
    }
  }

  N target_of(int64_t r) const { return larger(N::load(scratch.row_target + r), N(0)); }

  // Exponentials, 0 for the row's own class, and what index_terms() reads of each row.
  template <bool shifted, bool H> FOCAL_NOINLINE void lanes(const T *x, int64_t r, int64_t end) const {
    const bool takes_out = this->takes_classes_out();
    for (; r < end; r += N::size) {
      const N target = target_of(r);
      N max(0), subtracted(0), exponent(0), floor(0);
      if constexpr (shifted) {
        max = N::load(x + r);
        N reach = absolute(max);
        for (int64_t k = r + class_step; k < elements; k += class_step) {
          const N logits = N::load(x + k);
          max = larger(logits, max);
          reach = larger(absolute(logits), reach);
        }
        const RowShift<N> shift(max);
        const auto is_far = reach > N(this->near_reach);
        subtracted = select(is_far, shift.subtracted, N(0));
        exponent = select(is_far, shift.exponent, N(0));
        floor = select(is_far, shift.floor, N(Base::near_floor));
        max = select(is_far, max, N(Base::near_floor));
        select(is_far, shift.top, N(0)).store(scratch.row_top + r);
      }
      N own(0), others(0), own_logit(0), cls(0), top(0), beside(0);
      for (int64_t k = r; k < elements; k += class_step, cls = cls + N(1)) {
        const N logits = N::load(x + k);
        N e;
        if constexpr (shifted) e = exponential_over(larger(floor, logits - subtracted), exponent);
        else e = exponential(logits);
        if (takes_out) e = e * N::load(scratch.keep + k);
        const auto is_own = equal(target, cls);
        const N of_own = masked(is_own, e), other = e - of_own;
        own = own + of_own;
        others = others + other;
        if constexpr (H) beside = beside + smaller(other, top), top = larger(other, top);
        if constexpr (shifted) own_logit = select(is_own, logits, own_logit);
        other.store(scratch.e + k);
      }
      own.store(scratch.row_e + r);
      others.store(scratch.row_others + r);
      if constexpr (H) top.store(scratch.row_largest + r), beside.store(scratch.row_beside + r);
      if constexpr (shifted) larger(max - own_logit, N(0)).store(scratch.row_share + r);
    }
  }

  FOCAL_NOINLINE void hess_lanes(T *hess, int64_t r, int64_t end) const {
    const N least(static_cast<T>(problem().least_hess));
    for (; r < end; r += N::size) {
      const N target = target_of(r), own = N::load(scratch.row_e + r), others = N::load(scratch.row_others + r);
      const N share = N::load(scratch.row_share + r), pull = N::load(scratch.row_pull + r), bend = N::load(scratch.row_bend + r);
      const N top = N::load(scratch.row_largest + r), beside = own + N::load(scratch.row_beside + r);
      const N inverse = over_or_zero(N(1), others), own_hess = N::load(scratch.row_hess + r);
      N cls(0);
      for (int64_t k = r; k < elements; k += class_step, cls = cls + N(1)) {
        const N e = N::load(scratch.e + k), rest = select(top > e, own + (others - e), beside);
        const N h = hess_beside(e, rest, share, inverse, pull, bend);
        larger(least, select(equal(target, cls), own_hess, h)).store(hess + k);
      }
    }
  }

  FOCAL_NOINLINE void gradients(T *grad, int64_t r, int64_t end) const {
    for (; r < end; r += N::size) {
      const N target = target_of(r), others = N::load(scratch.row_others + r);
      const N share = N::load(scratch.row_share + r), pull = N::load(scratch.row_pull + r);
      N cls(0);
      for (int64_t k = r; k < elements; k += class_step, cls = cls + N(1)) {
        const N e = N::load(scratch.e + k) - masked(equal(target, cls), others);
        muladd(e * share, pull, N(0)).store(grad + k);  // no negative zeros
      }
    }
  }
};

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
