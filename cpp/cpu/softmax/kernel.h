// Blocks of rows of the softmax losses: value, gradient and the Hessian's diagonal in one pass.
//
// Infinities, enormous weights and extreme scales take the double-precision fallback, row by row: the sweep finds nothing in
// such a row, and what it comes to is put in after.
#pragma once

#include "cpu/double_fallback.h"
#include "cpu/probability/probability.h"
#include "one_hot.h"

namespace focal {
namespace FOCAL_NAMESPACE {

template <class R, class S, class T> struct SoftmaxKernel : SoftmaxOneHot<R, S, T> {
  using Base = SoftmaxOneHot<R, S, T>;
  using Base::Base;
  using Base::plan, Base::scratch, Base::C, Base::rows, Base::first, Base::elements, Base::by_class, Base::problem,
      Base::indexed, Base::position, Base::rows_apart, Base::near_reach;

  double run(int64_t first_row, int64_t count) {
    this->begin(first_row, count);
    const FocalProblem &p = problem();
    if (can_stay_in_memory()) {
      const T largest = largest_in_memory();
      this->stage_rows();
      if (!may_need_fallback(largest)) return rows_in_memory(largest > near_reach);
    }
    const T *const x = staged_logits();
    this->stage_rows();
    // the scratch's logits are spent before the first gradient is written
    T *const grad = !p.grad ? nullptr : in_place() ? static_cast<T *>(p.grad) + first * C : scratch.x;
    T *const hess = !p.hess ? nullptr : in_place() ? static_cast<T *>(p.hess) + first * C : scratch.hess;

    double sum;
    if (p.inputs == FOCAL_PROBABILITIES) {
      this->list_rows_without();
      sum = indexed && !renormalizes(p) ? probabilities_by_index(x, grad, hess) : probability_rows(x, grad, hess);
      this->clear_values_without();
      clear_derivatives({grad, hess});
    } else {
      const RowKinds kinds = indexed ? RowKinds{true, false} : this->find_one_hot();
      if (kinds.indexed && kinds.soft) {
        sum = mixed_rows(x, grad, hess);
      } else {
        indexed = kinds.indexed;
        sum = alike_rows(x, grad, hess);
      }
    }
    write_values();
    if (p.hess && !in_place()) with_stored<T>(p.hess, p.hess_dtype, 0, [&](auto *to) { this->scatter(scratch.hess, to); });
    if (p.grad && !in_place()) with_stored<T>(p.grad, p.grad_dtype, 0, [&](auto *to) { this->scatter(scratch.x, to); });
    return sum;
  }

 private:
  // Have the problem's arrays the block's layout, and the kernel's type?
  bool in_place() const { return plan.inner == 1 && !by_class && !is_half(problem().dtype); }
  const T *staged_logits() {
    const T *x = static_cast<const T *>(problem().logits) + first * C;
    if (!in_place()) {
      this->gather(problem().logits, problem().dtype, scratch.x);
      x = scratch.x;
    }
    return this->takes_classes_out() ? this->stage_mask(x) : x;
  }

  // Are the block's rows of class indices, and such that lanes can work on them in the call's own arrays?
  bool can_stay_in_memory() const {
    const FocalProblem &p = problem();
    if (!indexed || !by_class || p.inputs == FOCAL_PROBABILITIES || p.hess || this->takes_classes_out()) return false;
    if (p.dtype != Stored<T>::dtype || (p.grad && p.grad_dtype != Stored<T>::dtype)) return false;
    return plan.inner == 1 || first % plan.inner + rows <= plan.inner;  // each class's numbers are together
  }
  // Where class 0 of the block's first row is.
  int64_t memory_position() const { return first / plan.inner * C * plan.inner + first % plan.inner; }
  T largest_in_memory() const {
    const T *const x = static_cast<const T *>(problem().logits) + memory_position();
    if (plan.inner == 1) return largest_magnitude<R>(x, static_cast<int>(rows * C));
    T largest = 0;
    for (int64_t c = 0; c < C; c++) largest = larger(largest_magnitude<R>(x + c * plan.inner, static_cast<int>(rows)), largest);
    return largest;
  }
  double rows_in_memory(bool far) {
    const FocalProblem &p = problem();
    this->list_rows_without();
    if (p.flags & FOCAL_CLASS_GAMMAS) this->stage_gammas();
    T *const grad = p.grad ? static_cast<T *>(p.grad) + memory_position() : nullptr;
    const double sum = this->index_lanes_in_memory(static_cast<const T *>(p.logits) + memory_position(), far, grad);
    scale_values();
    write_values();
    return sum;
  }

  // Rows with a class index each, or with an amount of each class: values and derivatives of all of them.
  double alike_rows(const T *x, T *grad, T *hess) {
    if (indexed && !Base::Scratch::hard_targets(plan)) this->weigh_rows();
    this->list_rows_without();
    if (!indexed) this->stage_amounts();
    // Without smoothing an asymmetric loss is nothing but its row's own class
    if (indexed ? (problem().flags & FOCAL_CLASS_GAMMAS) != 0 : has_factors_of_classes(problem())) this->stage_gammas();
    const T largest = largest_magnitude<R>(x, static_cast<int>(elements));
    const bool far = largest > near_reach;
    rows_apart = 0;
    if (may_need_fallback(largest)) x = set_rows_apart(x);
    double sum = !indexed   ? this->dense_block(x, grad, hess)
                 : by_class ? this->index_lanes(x, far, grad, hess)
                            : this->index_along(x, far, grad, hess);
    scale_values();
    sum += put_rows_apart(grad, hess);
    clear_derivatives({grad, hess});
    return sum;
  }

  // Both kinds in one block: first those with a class, then the others, and nothing comes out of the rest.
  FOCAL_NOINLINE double mixed_rows(const T *x, T *grad, T *hess) {
    for (int64_t r = 0; r < rows; r++) scratch.kind_target[r] = scratch.row_target[r], scratch.kind_amount[r] = scratch.row_amount[r];
    indexed = true;
    double sum = alike_rows(x, grad ? scratch.kind_grad : nullptr, hess ? scratch.kind_hess : nullptr);
    for (int64_t r = 0; r < rows; r++) scratch.kind_value[r] = scratch.row_value[r];

    for (int64_t r = 0; r < rows; r++) {
      scratch.row_target[r] = scratch.kind_target[r] == this->soft_row ? T(0) : T(-1);
      scratch.row_amount[r] = scratch.kind_amount[r];
    }
    indexed = false;
    sum += alike_rows(staged_logits(), grad, hess);
    for (int64_t r = 0; r < rows; r++) scratch.row_value[r] += scratch.kind_value[r];
    for (int64_t k = 0; grad && k < elements; k++) grad[k] += scratch.kind_grad[k];
    for (int64_t k = 0; hess && k < elements; k++) hess[k] += scratch.kind_hess[k];
    return sum;
  }

  // What is masked, or without a class, has none.
  void clear_derivatives(std::initializer_list<T *> outputs) const {
    for (T *const output : outputs) {
      if (output && this->takes_classes_out()) this->clear_masked(output);
      if (output) this->clear_rows_without(output);
    }
  }

  void scale_values() const {
    const T scale = static_cast<T>(plan.value_scale);
    for (int64_t r = 0; problem().values && r < rows; r++) scratch.row_value[r] *= scale;
  }
  void write_values() const {
    if (!problem().values) return;
    with_stored<T>(problem().values, problem().dtype, first, [&](auto *values) {
      using Value = std::remove_reference_t<decltype(*values)>;
      for (int64_t r = 0; r < rows; r++) values[r] = Value(scratch.row_value[r]);
    });
  }

  // May a row of a block whose logits are at most so large?
  bool may_need_fallback(T largest) const {
    const bool far = largest > near_reach;
    return plan.extreme_scale || (far && keeps_below_underflow()) || largest > Limits<T>::shifted || may_be_above(amount_limit(far));
  }
  // May an amount be above `limit`, or no number as a T? Then it may be one in double.
  bool may_be_above(T limit) const {
    if (!indexed) return is_any_from<R>(scratch.amount, elements, limit);
    return this->has_one_amount() ? !(absolute(this->class_weight(0)) <= limit) : is_any_from<R>(scratch.row_amount, rows, limit);
  }
  // Where a row is shifted, a weight must not lift what has underflowed back among the normal numbers: the gradients of
  // classes below the floor, and log p of a row so sure that 1 - p is no normal number.
  // Two classes have no floor.
  T amount_limit(bool far) const {
    if (!far) return Limits<T>::weight;
    if (C == 2 && indexed) return static_cast<T>(4 / (plan.grad_scale > 1 ? plan.grad_scale : 1));
    return least_gamma() < 0.5 ? T(16) : T(1000);
  }
  double least_gamma() const {
    double least = problem().gamma;
    for (int64_t c = 0; (problem().flags & FOCAL_CLASS_GAMMAS) && c < C; c++) least = c == 0 ? gamma_of_class(problem(), c) : smaller(gamma_of_class(problem(), c), least);
    return least;
  }
  // Is there something left of another class's p^g where p is no number any more?
  bool keeps_below_underflow() const { return has_asymmetric_rows(problem()) && !indexed && problem().gamma_negative > 0 && problem().gamma_negative < 1; }

  // Computes the rows that take the double-precision fallback, and gives back logits in which they are 0, as their amounts are.
  FOCAL_NOINLINE const T *set_rows_apart(const T *x) {
    T *const reach = scratch.row_reach;
    this->measure_rows(x, reach);
    for (int64_t r = 0; r < rows; r++) {
      const T limit = amount_limit(reach[r] > near_reach);
      bool is_apart = plan.extreme_scale || (reach[r] > near_reach && keeps_below_underflow()) || reach[r] > Limits<T>::shifted;
      if (indexed) is_apart |= !(absolute(scratch.row_amount[r]) <= limit);
      for (int64_t c = 0; !indexed && c < C; c++) is_apart |= !(absolute(scratch.amount[position(r, c)]) <= limit);
      scratch.apart[rows_apart] = static_cast<int32_t>(r);
      rows_apart += is_apart;
    }
    if (rows_apart == 0) return x;
    for (int32_t i = 0; i < rows_apart; i++) compute_apart(x, i);
    if (x != scratch.x) memcpy(scratch.x, x, static_cast<size_t>(elements) * sizeof(T));
    for (int32_t i = 0; i < rows_apart; i++) {
      const int64_t r = scratch.apart[i];
      scratch.row_amount[r] = 0;
      for (int64_t c = 0; c < C; c++) scratch.x[position(r, c)] = 0;
      for (int64_t c = 0; !indexed && c < C; c++) scratch.amount[position(r, c)] = 0;
    }
    return scratch.x;
  }
  bool has_class(int64_t r, int64_t c) const { return !this->takes_classes_out() || scratch.keep[position(r, c)] != 0; }
  double amount_of(int64_t r, int64_t c) const {
    const T staged = !indexed ? scratch.amount[position(r, c)] : static_cast<T>(c) == scratch.row_target[r] ? scratch.row_amount[r] : T(0);
    return __builtin_isfinite(staged) ? static_cast<double>(staged) : this->amount_in_double(r, c);
  }
  void compute_apart(const T *x, int32_t i) {
    const int64_t r = scratch.apart[i];
    T *const row_x = scratch.p;
    double *const grad = scratch.work + 3 * C, *const hess = grad + C, *const gamma = hess + C, *const row_amount = gamma + C;
    int64_t left = 0, target = -1;
    for (int64_t c = 0; c < C; c++) {
      if (!has_class(r, c)) continue;
      if (has_asymmetric_rows(problem()) && static_cast<T>(c) == scratch.row_target[r]) target = left;
      row_x[left] = x[position(r, c)], gamma[left] = gamma_of_class(problem(), c), row_amount[left++] = amount_of(r, c);
    }
    const double value = double_fallback_softmax_row(problem(), row_x, row_amount, left, scratch.work, grad, problem().hess ? hess : nullptr, gamma, target);
    scratch.apart_value[i] = scratch.row_target[r] < 0 ? 0 : value;
    if (problem().grad)
      for (int64_t c = 0, at = 0; c < C; c++)
        scratch.apart_grad[position(r, c)] = has_class(r, c) ? static_cast<T>(grad[at++] / plan.grad_divisor) : T(0);
    if (problem().hess)
      for (int64_t c = 0, at = 0; c < C; c++)
        scratch.apart_hess[position(r, c)] = has_class(r, c) ? static_cast<T>(larger(problem().least_hess, hess[at++] / plan.grad_divisor)) : T(0);
  }
  FOCAL_NOINLINE double put_rows_apart(T *grad, T *hess) const {
    double sum = 0;
    for (int32_t i = 0; i < rows_apart; i++) {
      const int64_t r = scratch.apart[i];
      sum += scratch.apart_value[i];
      if (grad)
        for (int64_t c = 0; c < C; c++) grad[position(r, c)] = scratch.apart_grad[position(r, c)];
      if (hess)
        for (int64_t c = 0; c < C; c++) hess[position(r, c)] = scratch.apart_hess[position(r, c)];
      scratch.row_value[r] = static_cast<T>(scratch.apart_value[i] / plan.value_divisor);
    }
    return sum;
  }

  // Each class by itself: its p is a variable of its own, and of 1 - p the others have no part. So rows with an index have one term each.
  FOCAL_NOINLINE double probabilities_by_index(const T *x, T *grad, T *hess) {
    const NumberRange range = range_of(problem().grad_dtype), of_hess = range_of(problem().hess_dtype);
    double sum = 0;
    for (int64_t k = 0; grad && k < elements; k++) scratch.e[k] = 0;
    for (int64_t k = 0; hess && k < elements; k++) hess[k] = static_cast<T>(larger(problem().least_hess, 0.0));
    for (int64_t r = 0; r < rows; r++) {
      const int64_t at = this->target_position(r);
      const double gamma = gamma_of_class(problem(), scratch.row_target[r] < 0 ? 0 : static_cast<int64_t>(scratch.row_target[r]));
      const double amount = scratch.row_target[r] < 0 ? 0 : amount_of(r, static_cast<int64_t>(scratch.row_target[r]));
      const DoubleElement e = class_of_probability(problem(), gamma, static_cast<double>(x[at]), amount);
      sum += e.value;
      scratch.row_value[r] = static_cast<T>(e.value / plan.value_divisor);
      scratch.e[at] = static_cast<T>(within(range, e.grad / plan.grad_divisor));
      if (hess) hess[at] = static_cast<T>(within(of_hess, larger(problem().least_hess, e.hess / plan.grad_divisor)));
    }
    if (grad) memcpy(grad, scratch.e, static_cast<size_t>(elements) * sizeof(T));  // which may be x
    return sum;
  }
  FOCAL_NOINLINE double probability_rows(const T *x, T *grad, T *hess) {
    this->stage_amounts();
    const NumberRange range = range_of(problem().grad_dtype), of_hess = range_of(problem().hess_dtype);
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
        const DoubleElement e = class_of_probability(problem(), gamma_of_class(problem(), c), p, amount_of(r, c));
        value += e.value;
        scratch.work[c] = e.grad;
        scratch.work[C + c] = e.hess;
        scratch.work[2 * C + c] = has_class(r, c) ? p : 0;
        pull += e.grad * p;
      }
      if (hess) {
        if (renormalizes(problem())) hess_over_whole(whole);
        for (int64_t c = 0; c < C; c++)
          hess[position(r, c)] = static_cast<T>(within(of_hess, larger(problem().least_hess, scratch.work[C + c] / plan.grad_divisor)));
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
  // Of p / whole, u, every class has a part in the whole: with f' and f'' of the classes' terms it is (f''_j (1 - u_j)^2 -
  // 2 f'_j (1 - u_j) + sum_{c != j} (f''_c u_c + 2 f'_c) u_c) / whole^2. Sums leave a class out; they are no differences.
  FOCAL_NOINLINE void hess_over_whole(double whole) const {
    double *const slope = scratch.work, *const curve = slope + C, *const u = curve + C, *const sum = u + C, *const left = sum + C;
    const auto others = [&](int64_t c) FOCAL_LAMBDA { return (curve[c] * u[c] + 2 * slope[c]) * u[c]; };
    double before = 0, after = 0, below = 0;
    for (int64_t c = 0; c < C; before += others(c), below += u[c], c++) sum[c] = before, left[c] = below;
    below = 0;
    for (int64_t c = C; c-- > 0;) {
      const double rest = left[c] + below, own = others(c);
      curve[c] = ((curve[c] * rest - 2 * slope[c]) * rest + sum[c] + after) / (whole * whole);
      after += own, below += u[c];
    }
  }
};

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
