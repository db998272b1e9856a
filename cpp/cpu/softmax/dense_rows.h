// Rows whose classes have an amount each: labels between 0 and 1, or smoothed ones.
#pragma once

#include "index_lanes.h"

namespace focal {
namespace FOCAL_NAMESPACE {

template <class R, class S, class T> struct SoftmaxDenseRows : SoftmaxIndexLanes<R, S, T> {
  using Base = SoftmaxIndexLanes<R, S, T>;
  using Base::Base;
  using Base::plan, Base::scratch, Base::rows, Base::elements, Base::by_class, Base::problem;

  // Every row is shifted: its formulas need the distances to its largest logit anyway.
  FOCAL_NOINLINE double dense_block(const T *x, T *grad, T *hess) {
    this->shifted_exponentials(x, true);
    if (this->takes_classes_out()) this->clear_masked(scratch.e);
    return by_class ? dense_rows<RowsByClass<S, T>>(x, grad, hess) : dense_rows<RowByRow<S, T>>(x, grad, hess);
  }

 private:
  template <class Row> FOCAL_INLINE double dense_rows(const T *x, T *grad, T *hess) {
    using One = typename Row::One;
    T *const nll = scratch.exponent, *const value = scratch.e, *const pull = scratch.amount;
    this->template each_row<Row>([&](const Row &row) {
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
      row.map(x, nll, [&](auto logits, int64_t) FOCAL_LAMBDA {
        using N = decltype(logits);
        return N(max) - logits + N(log_whole);
      });
    });
    hess ? dense_terms<true>(nll, value, pull) : dense_terms<false>(nll, value, pull);
    if (hess) hess_rows<Row>(pull, hess);
    const T scale = static_cast<T>(plan.grad_scale);
    this->template each_row<Row>([&](const Row &row) {
      row.put(row.sum(value, [](auto v) FOCAL_LAMBDA { return v; }), scratch.row_value);
      if (!grad) return;
      const Others<One> others(row, pull);
      row.write(grad, [&](auto number, int64_t k) FOCAL_LAMBDA {
        using N = decltype(number);
        const N own = load<N>(pull + k), p = load<N>(scratch.p + k), q = load<N>(scratch.q + k);
        return N(scale) * muladd(p, others(own), -(q * own));
      });
    });
    this->clear_values_without();
    return static_cast<double>(sum_of<R>(scratch.row_value, rows));
  }

  template <class Row> FOCAL_NOINLINE void hess_rows(const T *pull, T *hess) const {
    const T scale = static_cast<T>(plan.grad_scale), least = static_cast<T>(problem().least_hess);
    this->template each_row<Row>([&](const Row &row) {
      const Others<typename Row::One> bends(row, scratch.bend);
      const auto pulls = row.sum(pull, [](auto v) FOCAL_LAMBDA { return v; });
      row.write(hess, [&](auto number, int64_t k) FOCAL_LAMBDA {
        using N = decltype(number);
        const N bend = load<N>(scratch.bend + k), p = load<N>(scratch.p + k), q = load<N>(scratch.q + k);
        return larger(N(least), N(scale) * muladd(p, muladd(p, bends(bend), q * N(pulls)), q * (q * bend)));
      });
    });
  }

  // `bend` is over q.
  template <bool H> FOCAL_NOINLINE void dense_terms(const T *nll, T *value, T *pull) const {
    const auto store = [&](const auto &loss_at) FOCAL_LAMBDA {
      for (int64_t k = 0; k < elements; k += S::size) {
        const SoftmaxTerm<S> term =
            loss_at(k, S::load(scratch.p + k), S::load(scratch.q + k), S::load(nll + k), S::load(scratch.amount + k));
        if constexpr (H) over_or_zero(term.bend, S::load(scratch.q + k)).store(scratch.bend + k);
        term.value.store(value + k);
        term.pull.store(pull + k);
      }
    };
    if (has_asymmetric_rows(problem())) {
      return store([&](int64_t k, S p, S q, S of, S a) FOCAL_LAMBDA {
        const PowerAny<S> power(S::load(scratch.gamma_high + k), S::load(scratch.gamma_low + k));
        const auto is_own = S::load(scratch.own + k) > S(0);
        const S m = a * power(select(is_own, q, p));
        const SoftmaxTerm<S> own = term_of_own(power, m, p, q, of, a), other = term_of_other(power.gamma, m, q, of);
        return SoftmaxTerm<S>{own.value, select(is_own, own.pull, other.pull), select(is_own, own.bend, other.bend)};
      });
    }
    this->with_power_at(scratch.gamma_high, scratch.gamma_low, [&](auto power_at) {
      store([&](int64_t k, S p, S q, S of, S a) FOCAL_LAMBDA { return SoftmaxFocal{power_at(k)}(p, q, of, a); });
    });
  }
};

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
