// Rows with a class index whose classes lie one after the other: a vector is one class of several rows, so nothing of a row
// takes a loop over numbers one by one.
#pragma once

#include "index_rows.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// Two classes are a sigmoid focal loss of the difference of their logits, whose sign changes where the row's own class is the second. In two
// parts, as a processor works on more rows at once where each has a shorter chain of operations.
template <class R> struct Difference { R d, e; };  // e is e^d with what rounding took from d, for d within reach
template <class R, class Mask> FOCAL_INLINE Difference<R> difference_of(R first, R second, const Mask &is_second) {
  using T = typename Number<R>::Lane;
  const R difference = second - first;
  const R back = second - difference;  // what rounding took from the difference, exactly (Knuth's two-sum)
  const R d = negated(is_second, difference), low = negated(is_second, (second - (difference + back)) - (first - back));
  const R reach(Limits<T>::logistic);
  const Reduced<R> t = reduce(larger(-reach, smaller(reach, d)));
  return {d, add_to_exponent(exp_of_rest(t.rest + select(absolute(d) > reach, R(0), low)), t.k_plus_magic)};
}

template <class R> struct TwoClasses { R value, grad, hess; };  // grad: of the second class; of the first it is -grad
template <class R, class Power, class Mask>
FOCAL_INLINE TwoClasses<R> two_classes(const Power &power, const Difference<R> &of_row, const Mask &is_second, R amount, R grad_scale) {
  using T = typename Number<R>::Lane;
  const R d = of_row.d, e = of_row.e, reach(Limits<T>::logistic);
  const R p = reciprocal(e + R(1)), q = e * p;
  const R w = smaller(q, p);
  const R nll = muladd(w, log_rest_ratio(w), larger(R(0), d));
  const R m = select(-reach > d, R(0), amount * power(q));  // below, all is less than the smallest normal number
  const R sure = select(d > reach, R(0), p);
  // Past `reach` p goes on falling, and the loss it is multiplied by may be large
  const R fallen = p * exponential(larger(-reach, smaller(R(0), reach - d))), gain = R(power.gamma) * nll;
  const R hess = grad_scale * m * fallen * muladd(gain, muladd(R(power.gamma), fallen, -q), q * muladd(R(2), R(power.gamma), R(1)));
  return {m * nll, negated(is_second, grad_scale * m * muladd(R(power.gamma) * sure, nll, q)), hess};
}

template <class R, class S, class T> struct SoftmaxIndexLanes : SoftmaxIndexRows<R, S, T> {
  using Base = SoftmaxIndexRows<R, S, T>;
  using Base::Base;
  using N = S;
  using Two = typename Base::Scratch::RowPack;  // of rows of two classes
  using Some = Squares<typename Base::V>;
  static_assert(N::size % Some::rows == 0, "whole squares in a pack");
  static_assert(Base::step_of_rows % N::size == 0 && Base::step_of_rows % Two::size == 0, "whole packs of rows");
  using Base::plan, Base::scratch, Base::C, Base::rows, Base::elements, Base::class_step, Base::problem;

  // Of a block in the scratch. `shifted`: a row may be far.
  FOCAL_NOINLINE double index_lanes(const T *x, bool shifted, T *grad, T *hess) {
    if (C == 2 && this->takes_classes_out())  // what a row of one class comes to is 0
      for (int64_t r = 0; r < class_step; r++) scratch.row_amount[r] = scratch.row_left[r] < 2 ? T(0) : scratch.row_amount[r];
    each_stretch(class_step, [&](int64_t r, int64_t end) { stretch(x + r, grad ? grad + r : nullptr, class_step, shifted, hess, r, end); });
    return sum_of_values();
  }

  // Of a block where the call has it: its first row's classes are x[c * inner]. Gradients go to `grad` as they lie in the call's array.
  FOCAL_NOINLINE double index_lanes_in_memory(const T *x, bool shifted, T *grad) {
    if (plan.inner > 1) {
      const int64_t whole = rows - rows % Base::step_of_rows, rest = rows - whole;
      each_stretch(whole, [&](int64_t r, int64_t end) { stretch(x + r, grad ? grad + r : nullptr, plan.inner, shifted, nullptr, r, end); });
      if (rest > 0) {
        for (int64_t c = 0; c < C; c++) copy_numbers(x + whole + c * plan.inner, rest, scratch.x + c * stretch_step());
        stretch(scratch.x, grad ? scratch.x : nullptr, stretch_step(), shifted, nullptr, whole, rows);
        for (int64_t c = 0; grad && c < C; c++) copy_numbers(scratch.x + c * stretch_step(), rest, grad + whole + c * plan.inner);
      }
      clear_without(grad, 1);
    } else {
      each_stretch(rows, [&](int64_t r, int64_t end) { rows_of_stretch(x + r * C, shifted, grad ? grad + r * C : nullptr, r, end); });
      clear_without(grad, C);
    }
    return sum_of_values();
  }

 private:
  double sum_of_values() const {
    this->clear_values_without();
    return static_cast<double>(sum_of<R>(scratch.row_value, rows));
  }
  // Of rows without a class there is nothing but what comes of a NaN among their logits.
  void clear_without(T *grad, int64_t row_step) const {
    for (int32_t i = 0; grad && i < this->rows_without; i++) {
      const int64_t r = scratch.without[i];
      for (int64_t c = 0; scratch.row_value[r] != 0 && c < C; c++) grad[r * row_step + c * plan.inner] = 0;
    }
  }

  // Calls f for stretches of rows whose numbers stay near the processor until their gradients are taken.
  template <class F> FOCAL_INLINE void each_stretch(int64_t end, F f) const {
    const int64_t most = stretch_step();
    for (int64_t r = 0; r < end; r += most) f(r, end < r + most ? end : r + most);
  }
  static constexpr int64_t longest_stretch = 512;
  // From one class of a stretch to the next, in the scratch: the fewer classes, the more rows.
  int64_t stretch_step() const {
    const int64_t some = 1536 / C / Base::step_of_rows * Base::step_of_rows, most = some < 128 ? 128 : some > longest_stretch ? longest_stretch : some;
    return class_step < most ? class_step : most;
  }

  // Rows that lie one after the other, from row r on.
  FOCAL_NOINLINE void rows_of_stretch(const T *x, bool shifted, T *grad, int64_t r, int64_t end) const {
    int64_t whole = 0;
    if constexpr (sizeof(T) == sizeof(float)) {  // doubles are rare, and this is code
      if (C == 2 || (C == 3 && !shifted)) whole = (end - r) / Base::step_of_rows * Base::step_of_rows;
      if (C == 2) {
        two_class_stretch(Pairs{x, grad}, nullptr, r, r + whole);
      } else if (whole > 0) {
        lanes_of_three(x, r, r + whole);
        this->template index_terms<false>(false, r, r + whole);
        if (grad) gradients_of_three(grad, r, r + whole);
      }
    }
    if (r + whole == end) return;
    classes_apart<typename Base::V>(x + whole * C, end - r - whole, C, scratch.x, stretch_step());
    stretch(scratch.x, grad ? scratch.x : nullptr, stretch_step(), shifted, nullptr, r + whole, end);
    if (grad) rows_together<typename Base::V>(scratch.x, stretch_step(), end - r - whole, C, grad + whole * C);
  }

  // Class c of row r is at c * step. Hessians are in the scratch, as a block has them.
  FOCAL_NOINLINE void stretch(const T *x, T *grad, int64_t step, bool shifted, T *hess, int64_t r, int64_t end) const {
    if (C == 2) return two_class_stretch(Apart{x, grad, step}, hess, r, end);
    if (hess) {
      shifted ? lanes<true, true>(x, step, r, end) : lanes<false, true>(x, step, r, end);
      this->template index_terms<true>(shifted, r, end);
      hess_lanes(hess, r, end);
    } else {
      shifted ? lanes<true, false>(x, step, r, end) : lanes<false, false>(x, step, r, end);
      this->template index_terms<false>(shifted, r, end);
    }
    if (grad) gradients(grad, step, r, end);
  }

  // Two classes of packs of rows, and where their gradients go: one class after the other, or one row after the other.
  struct Apart {
    static constexpr bool has_hess = true;
    const T *x;
    T *grad;
    int64_t step;
    FOCAL_INLINE void load(int64_t at, Two &first, Two &second) const { first = Two::load(x + at), second = Two::load(x + step + at); }
    FOCAL_INLINE void store(int64_t at, const Two &first, const Two &second) const { first.store(grad + at), second.store(grad + step + at); }
  };
  struct Pairs {
    static constexpr bool has_hess = false;
    const T *x;
    T *grad;
    FOCAL_INLINE void load(int64_t at, Two &first, Two &second) const {
      T numbers[2 * Two::size];
      FOCAL_UNROLL for (int k = 0; k < Two::size; k += Some::rows) {
        Some some;
        some.load_pairs(x + 2 * (at + k));
        some.store_classes(numbers + k, Two::size, 2);
      }
      first = Two::load(numbers), second = Two::load(numbers + Two::size);
    }
    FOCAL_INLINE void store(int64_t at, const Two &first, const Two &second) const {
      T numbers[2 * Two::size];
      first.store(numbers), second.store(numbers + Two::size);
      FOCAL_UNROLL for (int k = 0; k < Two::size; k += Some::rows) {
        Some some;
        some.load_classes(numbers + k, Two::size, 2);
        some.store_pairs(grad + 2 * (at + k));
      }
    }
  };
  template <class Place> FOCAL_INLINE void two_class_stretch(const Place &place, T *hess, int64_t r, int64_t end) const {
    if constexpr (Place::has_hess)
      if (hess) return two_class_rows<true>(place, hess, r, end);
    two_class_rows<false>(place, nullptr, r, end);
  }
  template <bool H, class Place> FOCAL_INLINE void two_class_rows(const Place &place, T *hess, int64_t begin, int64_t end) const {
    // Copies: to a compiler, what is stored might be the pointers
    const Place at = place;
    const T *const target = scratch.row_target, *const amount = scratch.row_amount;
    T *const value = scratch.row_value;
    T difference[longest_stretch], exponential[longest_stretch];
    for (int64_t r = begin, k = 0; r < end; r += Two::size, k += Two::size) {
      Two first, second;
      at.load(k, first, second);
      const Difference<Two> of_row = difference_of(first, second, is_second(target + r));
      of_row.d.store(difference + k), of_row.e.store(exponential + k);
    }
    this->template with_power_at<Two>(scratch.row_gamma_high, scratch.row_gamma_low, [&](auto power_at) {
      const Two least(static_cast<T>(problem().least_hess)), scale(static_cast<T>(plan.grad_scale));
      for (int64_t r = begin, k = 0; r < end; r += Two::size, k += Two::size) {
        const Difference<Two> of_row{Two::load(difference + k), Two::load(exponential + k)};
        const TwoClasses<Two> row = two_classes(power_at(r), of_row, is_second(target + r), Two::load(amount + r), scale);
        row.value.store(value + r);
        if constexpr (H) {
          const Two clamped = larger(least, row.hess);
          clamped.store(hess + r), clamped.store(hess + class_step + r);
        }
        if (at.grad) at.store(k, Two(0) - row.grad, Two(0) + row.grad);  // no negative zeros
      }
    });
  }
  static FOCAL_INLINE auto is_second(const T *target) { return Two::load(target) > Two(T(0.5)); }

  N target_of(int64_t r) const { return larger(N::load(scratch.row_target + r), N(0)); }

  // Exponentials of near logits of so many rows, class after class, in long packs.
  FOCAL_NOINLINE void near_exponentials(const T *x, int64_t step, int64_t count) const {
    for (int64_t c = 0; c < C; c++, x += step) {
      T *const to = scratch.e + c * stretch_step();
      int64_t k = 0;
      for (; k + R::size <= count; k += R::size) exponential(R::load(x + k)).store(to + k);
      for (; k < count; k += N::size) exponential(N::load(x + k)).store(to + k);
    }
  }

  // Exponentials, 0 for the row's own class, and what index_terms() reads of each row.
  template <bool shifted, bool H> FOCAL_NOINLINE void lanes(const T *x, int64_t step, int64_t r, int64_t end) const {
    // Engines of WebAssembly take some instructions for each constant, which in a long pack serves more numbers
    constexpr bool in_long_packs = !shifted && !fused_muladd;
    if constexpr (in_long_packs) near_exponentials(x, step, end - r);
    const bool takes_out = this->takes_classes_out();
    const int64_t e_step = stretch_step();
    T *e_at = scratch.e;
    for (; r < end; r += N::size, x += N::size, e_at += N::size) {
      const N target = target_of(r);
      N max(0), subtracted(0), exponent(0), floor(0), nearest(0);  // nearest: what an own logit is below that counts as below the largest
      if constexpr (shifted) {
        max = N::load(x);
        N reach = this->magnitude_of_near(max);
        for (int64_t c = 1; c < C; c++) {
          const N logits = N::load(x + c * step);
          max = larger(logits, max);
          reach = larger(this->magnitude_of_near(logits), reach);
        }
        const auto is_far = this->is_far_row(max, reach);
        const RowShift<N> shift = this->shift_of(is_far, max);
        subtracted = shift.subtracted, exponent = shift.exponent, floor = shift.floor;
        nearest = select(is_far, max, N(Base::gone));
        shift.top.store(scratch.row_top + r);
      }
      N own(0), others(0), own_logit(0), cls(0), top(0), beside(0);
      const T *at = x;
      T *to = e_at;
      for (int64_t c = 0; c < C; c++, at += step, to += e_step, cls = cls + N(1)) {
        const N logits = N::load(in_long_packs ? to : at);
        N e = logits;
        if constexpr (shifted) e = exponential_over(larger(floor, logits - subtracted), exponent);
        else if constexpr (!in_long_packs) e = exponential(logits);
        if (takes_out) e = e * N::load(scratch.keep + c * class_step + r);
        const auto is_own = equal(target, cls);
        const N of_own = masked(is_own, e), other = e - of_own;
        own = own + of_own;
        others = others + other;
        if constexpr (H) beside = beside + smaller(other, top), top = larger(other, top);
        if constexpr (shifted) own_logit = select(is_own, logits, own_logit);
        other.store(to);
      }
      own.store(scratch.row_e + r);
      others.store(scratch.row_others + r);
      if constexpr (H) top.store(scratch.row_largest + r), beside.store(scratch.row_beside + r);
      if constexpr (shifted) select(nearest > own_logit, max - own_logit, N(0)).store(scratch.row_share + r);
    }
  }

  FOCAL_NOINLINE void hess_lanes(T *hess, int64_t r, int64_t end) const {
    const N least(static_cast<T>(problem().least_hess));
    const int64_t e_step = stretch_step();
    const T *e_at = scratch.e;
    for (; r < end; r += N::size, e_at += N::size) {
      const N target = target_of(r), own = N::load(scratch.row_e + r), others = N::load(scratch.row_others + r);
      const N share = N::load(scratch.row_share + r), pull = N::load(scratch.row_pull + r), bend = N::load(scratch.row_bend + r);
      const N top = N::load(scratch.row_largest + r), beside = own + N::load(scratch.row_beside + r);
      const N inverse = over_or_zero(N(1), others), own_hess = N::load(scratch.row_hess + r);
      N cls(0);
      for (int64_t c = 0; c < C; c++, cls = cls + N(1)) {
        const N e = N::load(e_at + c * e_step), rest = select(top > e, own + (others - e), beside);
        const N h = hess_beside(e, rest, share, inverse, pull, bend);
        larger(least, select(equal(target, cls), own_hess, h)).store(hess + c * class_step + r);
      }
    }
  }

  FOCAL_NOINLINE void gradients(T *grad, int64_t step, int64_t r, int64_t end) const {
    const int64_t e_step = stretch_step();
    const T *e_at = scratch.e;
    for (; r < end; r += N::size, e_at += N::size, grad += N::size) {
      const Gradients gradient(*this, r);
      const T *from = e_at;
      T *to = grad;
      N cls(0);
      for (int64_t c = 0; c < C; c++, from += e_step, to += step, cls = cls + N(1)) gradient(cls, from).store(to);
    }
  }
  // Of a pack of rows' exponentials of one class.
  struct Gradients {
    N target, others, share, pull;
    FOCAL_INLINE Gradients(const SoftmaxIndexLanes &of, int64_t r)
        : target(of.target_of(r)),
          others(N::load(of.scratch.row_others + r)),
          share(N::load(of.scratch.row_share + r)),
          pull(N::load(of.scratch.row_pull + r)) {}
    FOCAL_INLINE N operator()(const N &cls, const T *e) const {
      return muladd((N::load(e) - masked(equal(target, cls), others)) * share, pull, N(0));  // no negative zeros
    }
  };

  // The same of rows of three classes that lie one after the other: they are taken apart and put together in registers.
  FOCAL_NOINLINE void lanes_of_three(const T *x, int64_t r, int64_t end) const {
    const int64_t e_step = stretch_step();
    T *e_at = scratch.e;
    for (; r < end; r += N::size, x += 3 * N::size, e_at += N::size) {
      T logits[3 * N::size];
      FOCAL_UNROLL for (int at = 0; at < N::size; at += Some::rows) {
        Some some;
        some.load_thirds(x + 3 * at);
        some.store_classes(logits + at, N::size, 3);
      }
      const N target = target_of(r);
      N own(0), others(0);
      FOCAL_UNROLL for (int c = 0; c < 3; c++) {
        const N e = exponential(N::load(logits + c * N::size)), of_own = masked(equal(target, N(T(c))), e), other = e - of_own;
        own = own + of_own;
        others = others + other;
        other.store(e_at + c * e_step);
      }
      own.store(scratch.row_e + r);
      others.store(scratch.row_others + r);
    }
  }
  FOCAL_NOINLINE void gradients_of_three(T *grad, int64_t r, int64_t end) const {
    const int64_t e_step = stretch_step();
    const T *e_at = scratch.e;
    for (; r < end; r += N::size, grad += 3 * N::size, e_at += N::size) {
      T grads[3 * N::size];
      const Gradients gradient(*this, r);
      FOCAL_UNROLL for (int c = 0; c < 3; c++) gradient(N(T(c)), e_at + c * e_step).store(grads + c * N::size);
      FOCAL_UNROLL for (int at = 0; at < N::size; at += Some::rows) {
        Some some;
        some.load_classes(grads + at, N::size, 3);
        some.store_thirds(grad + 3 * at);
      }
    }
  }
};

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
