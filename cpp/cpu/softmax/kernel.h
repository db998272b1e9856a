// Blocks of rows of the softmax losses: value and gradient in one pass.
//
// Exponentials are taken in one sweep over the whole block, whatever its rows. Logits of at most 40 in size need no
// shift by their row's maximum; above that, and for soft targets, which need the distance to it anyway, each row is
// shifted. Infinities, enormous weights and extreme scales take the double-precision fallback.
#pragma once

#include "losses/softmax_focal.h"
#include "cpu/double_fallback.h"
#include "cpu/elementwise/block.h"
#include "cpu/probability/probability.h"
#include "row.h"
#include "staging.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// R sweeps over whole blocks, S (shorter) over what takes more registers.
template <class R, class S, class T> struct SoftmaxKernel : SoftmaxRows<T, decltype(fold(R()))> {
  using V = decltype(fold(R()));
  using Row = RowByRow<S, T>;
  using ShortRow = RowByRow<Pack<T, 16, 1>, T>;  // of fewer classes than a vector has lanes
  using RowVector = RowsByClass<S, T>;
  using Base = SoftmaxRows<T, V>;
  using Base::plan, Base::scratch, Base::C, Base::rows, Base::first, Base::elements, Base::by_class, Base::problem,
      Base::hard_targets, Base::position;

  double run(int64_t first_row, int64_t count) {
    this->begin(first_row, count);
    const FocalProblem &p = problem();
    // the problem's arrays have the block's layout, and the kernel's type
    const bool in_place = plan.inner == 1 && !by_class && !is_half(p.dtype);
    const T *x = static_cast<const T *>(p.logits) + first * C;
    if (!in_place) {
      this->gather(p.logits, p.dtype, scratch.x);
      x = scratch.x;
    }
    const bool masked = this->takes_classes_out();
    if (masked) x = this->stage_mask(x);
    const bool any_skipped = this->stage_rows();
    if (any_skipped) {
      this->fill_skipped(x, scratch.x);
      x = scratch.x;
    }
    // the scratch's logits are spent before the first gradient is written
    T *const grad_rows = !p.grad ? nullptr : in_place ? static_cast<T *>(p.grad) + first * C : scratch.x;

    if (!hard_targets()) this->stage_amounts();
    T value_scale = static_cast<T>(plan.value_scale);
    double sum;
    const T largest = largest_magnitude<R>(x, static_cast<int>(elements));
    const bool shifted = largest > (C <= 4096 ? Limits<T>::softmax : Limits<T>::softmax_long);
    if (p.inputs == FOCAL_PROBABILITIES) {
      if (hard_targets()) this->stage_amounts();
      sum = probability_rows(x, grad_rows);
      value_scale = 1;  // it divides in double
    } else if (plan.extreme_scale || largest > Limits<T>::shifted || largest_amount() > amount_limit(shifted)) {
      if (hard_targets()) this->stage_amounts();
      sum = careful_rows(x, grad_rows);
      value_scale = 1;  // it divides in double
    } else {
      if (shifted || !hard_targets()) shifted_exponentials(x);
      else exponentials(x);
      if (masked) this->clear_masked(scratch.e);
      sum = hard_targets() ? class_index_block(shifted ? x : nullptr, grad_rows) : dense_block(x, grad_rows);
    }

    if (masked && p.grad) this->clear_masked(grad_rows);
    if (any_skipped) {
      for (int64_t r = 0; r < rows; r++)
        if (scratch.target[r] < 0) scratch.row_value[r] = 0;
      if (p.grad) this->fill_skipped(grad_rows, grad_rows);
    }
    if (p.values)
      with_stored<T>(p.values, p.dtype, first, [&](auto *values) {
        using Value = std::remove_reference_t<decltype(*values)>;
        for (int64_t r = 0; r < rows; r++) values[r] = Value(scratch.row_value[r] * value_scale);
      });
    if (p.grad && !in_place) with_stored<T>(p.grad, p.grad_dtype, 0, [&](auto *grad) { this->scatter(scratch.x, grad); });
    return sum;
  }

  template <class Row, class F> FOCAL_INLINE void each_row(F f) const {
    for (int64_t r = 0; r < rows; r += Row::step) f(Row(*this, r));
  }

  T largest_amount() const {
    return hard_targets() ? largest_magnitude<R>(scratch.row_amount, static_cast<int>(rows))
                          : largest_magnitude<R>(scratch.amount, static_cast<int>(elements));
  }
  // Where rows are shifted, a weight must not lift what has underflowed back among the normal numbers: the gradients of
  // classes below the floor, and log p of a row so sure that 1 - p is no normal number.
  T amount_limit(bool shifted) const { return !shifted ? Limits<T>::weight : problem().gamma < 0.5 ? T(16) : T(1000); }

  FOCAL_NOINLINE void exponentials(const T *x) {
    int64_t k = 0;
    for (; k + R::size <= elements; k += R::size) exponential(R::load(x + k)).store(scratch.e + k);
    if (k == elements) return;
    T rest[R::size] = {};
    memcpy(rest, x + k, static_cast<size_t>(elements - k) * sizeof(T));
    exponential(R::load(rest)).store(scratch.e + k);
  }

  // The exponentials e of each row over one power of two of its own.
  FOCAL_NOINLINE void shifted_exponentials(const T *x) {
    by_class ? shift_rows<RowVector>(x) : shift_rows<Row>(x);
    for (int64_t k = 0; k < elements; k += R::size)
      exponential_over(R::load(scratch.e + k), R::load(scratch.exponent + k)).store(scratch.e + k);
  }
  // Writes exponents and powers of two.
  template <class Row> FOCAL_INLINE void shift_rows(const T *x) {
    each_row<Row>([&](const Row &row) { row.put(row.largest(x), scratch.row_max); });
    for (int64_t r = 0; r < rows; r += V::size) {
      const RowShift<V> shift(V::load(scratch.row_max + r));
      shift.subtracted.store(scratch.row_subtracted + r);
      shift.exponent.store(scratch.row_exponent + r);
      shift.floor.store(scratch.row_floor + r);
      shift.top.store(scratch.row_top + r);
    }
    each_row<Row>([&](const Row &row) {
      const auto subtracted = row.of(scratch.row_subtracted), floor = row.of(scratch.row_floor),
                 over = row.of(scratch.row_exponent);
      row.write(scratch.e, [&](auto number, int64_t k) FOCAL_LAMBDA {
        using N = decltype(number);
        return larger(N(floor), load<N>(x + k) - N(subtracted));
      });
      row.write(scratch.exponent, [&](auto number, int64_t) FOCAL_LAMBDA { return decltype(number)(over); });
    });
  }

  // `x` is null where the rows are not shifted.
  FOCAL_NOINLINE double class_index_block(const T *x, T *grad) {
    if (by_class) return class_index_rows<RowVector>(x, grad);
    if constexpr (V::size > ShortRow::V::size)
      if (C < V::size) return class_index_rows<ShortRow>(x, grad);
    return class_index_rows<RowByRow<R, T>>(x, grad);
  }
  FOCAL_NOINLINE double dense_block(const T *x, T *grad) {
    return by_class ? dense_rows<RowVector>(x, grad) : dense_rows<Row>(x, grad);
  }

  // Where row r's class is; any position of the row without one.
  int64_t target_position(int64_t r) const { return position(r, scratch.target[r] < 0 ? 0 : scratch.target[r]); }

  template <class Row> FOCAL_INLINE double class_index_rows(const T *x, T *grad) {
    T *const e = scratch.e;
    for (int64_t r = 0; r < rows; r++) {
      const int64_t at = target_position(r);
      scratch.row_e[r] = e[at];
      e[at] = 0;
    }
    if (x)
      for (int64_t r = 0; r < rows; r++) scratch.row_share[r] = scratch.row_max[r] - x[target_position(r)];
    // In a loop of its own: a vector load right after a store of one of its lanes waits for it.
    each_row<Row>([&](const Row &row) {
      row.put(row.sum(e, [](auto v) FOCAL_LAMBDA { return v; }), scratch.row_others);
    });
    // The gradient is pull * p for the other classes and pull * -q for this one.
    for (int64_t r = 0; r < rows; r++) e[target_position(r)] = -scratch.row_others[r];
    class_index_terms(x != nullptr);
    if (grad)
      each_row<Row>([&](const Row &row) {
        const auto share = row.of(scratch.row_share), pull = row.of(scratch.row_pull);
        row.write(grad, [&](auto number, int64_t k) FOCAL_LAMBDA {
          using N = decltype(number);
          return muladd(load<N>(e + k) * N(share), N(pull), N(0));  // no negative zeros
        });
      });
    return static_cast<double>(sum_of<R>(scratch.row_value, rows));
  }

  FOCAL_NOINLINE void class_index_terms(bool shifted) {
    const S scale(static_cast<T>(plan.grad_scale));
    with_common_power<T>(problem().gamma, [&](auto power) {
      const SoftmaxFocal<decltype(power)> loss{power};
      for (int64_t r = 0; r < rows; r += S::size) {
        const S e = S::load(scratch.row_e + r), others = S::load(scratch.row_others + r);
        S gap(0), below_top(0);
        if (shifted) {
          gap = S::load(scratch.row_share + r);
          below_top = select(gap > S(0), S::load(scratch.row_top + r) - e, S(0));
        }
        const IndexedRow<S> row = indexed_row(loss, e, others, gap, below_top, S::load(scratch.row_amount + r), scale);
        row.value.store(scratch.row_value + r);
        row.share.store(scratch.row_share + r);
        row.pull.store(scratch.row_pull + r);
      }
    });
  }

  template <class Row> FOCAL_INLINE double dense_rows(const T *x, T *grad) {
    using One = typename Row::One;
    T *const nll = scratch.exponent, *const value = scratch.e, *const pull = scratch.amount;
    each_row<Row>([&](const Row &row) {
      const Others<One> others(row, scratch.e);
      const One max = row.of(scratch.row_max), inverse = One(1) / others.whole;
      const One log_whole = log_one_plus(others.beside_largest / others.largest);
      row.write(scratch.p, [&](auto number, int64_t k) FOCAL_LAMBDA {
        using N = decltype(number);
        return load<N>(scratch.e + k) * N(inverse);
      });
      row.write(scratch.q, [&](auto number, int64_t k) FOCAL_LAMBDA {
        using N = decltype(number);
        return others(load<N>(scratch.e + k)) * N(inverse);
      });
      row.write(nll, [&](auto number, int64_t k) FOCAL_LAMBDA {
        using N = decltype(number);
        return N(max) - load<N>(x + k) + N(log_whole);
      });
    });
    dense_terms(nll, value, pull);
    const T scale = static_cast<T>(plan.grad_scale);
    each_row<Row>([&](const Row &row) {
      row.put(row.sum(value, [](auto v) FOCAL_LAMBDA { return v; }), scratch.row_value);
      if (!grad) return;
      const Others<One> others(row, pull);
      row.write(grad, [&](auto number, int64_t k) FOCAL_LAMBDA {
        using N = decltype(number);
        const N own = load<N>(pull + k), p = load<N>(scratch.p + k), q = load<N>(scratch.q + k);
        return N(scale) * (p * others(own) - q * own);
      });
    });
    return static_cast<double>(sum_of<R>(scratch.row_value, rows));
  }

  FOCAL_NOINLINE void dense_terms(const T *nll, T *value, T *pull) const {
    with_common_power<T>(problem().gamma, [&](auto power) {
      const SoftmaxFocal<decltype(power)> loss{power};
      for (int64_t k = 0; k < elements; k += S::size) {
        const SoftmaxTerm<S> term =
            loss(S::load(scratch.p + k), S::load(scratch.q + k), S::load(nll + k), S::load(scratch.amount + k));
        term.value.store(value + k);
        term.pull.store(pull + k);
      }
    });
  }

  // Each class by itself: its p is a variable of its own, and of 1 - p the others have no part.
  double probability_rows(const T *x, T *grad) {
    const NumberRange range = range_of(problem().grad_dtype);
    double sum = 0;
    for (int64_t r = 0; r < rows; r++) {
      double value = 0;
      double whole = 1, pull = 0;
      if (renormalizes(problem())) {
        whole = 0;
        for (int64_t c = 0; c < C; c++) whole += has_class(r, c) ? static_cast<double>(x[position(r, c)]) : 0;
        if (whole <= 0) whole = 1;  // of a row that is not valid
      }
      for (int64_t c = 0; c < C; c++) {
        const double p = static_cast<double>(x[position(r, c)]) / whole;
        const DoubleElement e = class_of_probability(problem(), p, static_cast<double>(scratch.amount[position(r, c)]));
        value += e.value;
        scratch.work[c] = e.grad;
        pull += e.grad * p;
      }
      // Of p / whole: every class has a part in the whole
      if (!renormalizes(problem())) pull = 0;
      for (int64_t c = 0; grad && c < C; c++)
        grad[position(r, c)] = static_cast<T>(within(range, (scratch.work[c] - pull) / (whole * plan.grad_divisor)));
      sum += value;
      scratch.row_value[r] = static_cast<T>(value / plan.value_divisor);
    }
    return sum;
  }

  bool has_class(int64_t r, int64_t c) const { return !this->takes_classes_out() || scratch.keep[position(r, c)] != 0; }

  double careful_rows(const T *x, T *grad) {
    double sum = 0;
    double *const row_grad = scratch.work + 2 * C;
    for (int64_t r = 0; r < rows; r++) {
      T *const row_x = scratch.p, *const row_amount = scratch.q;
      int64_t left = 0;
      for (int64_t c = 0; c < C; c++)
        if (has_class(r, c)) row_x[left] = x[position(r, c)], row_amount[left++] = scratch.amount[position(r, c)];
      const double value = double_fallback_softmax_row(problem(), row_x, row_amount, left, scratch.work, grad ? row_grad : nullptr);
      sum += value;
      scratch.row_value[r] = static_cast<T>(value / plan.value_divisor);
      if (grad)
        for (int64_t c = 0, at = 0; c < C; c++)
          if (has_class(r, c)) grad[position(r, c)] = static_cast<T>(row_grad[at++] / plan.grad_divisor);
    }
    return sum;
  }
};

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
