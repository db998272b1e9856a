// Blocks of rows of the softmax losses: value and gradient in one pass.
//
// Logits of a block on the fast path are at most 40 in size, so their exponentials need no shift by the row's
// maximum: one sweep over the whole block, whatever its rows. Anything larger takes the careful path.
#pragma once

#include "../losses/softmax_focal.h"
#include "careful.h"
#include "elementwise.h"
#include "staging.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// Scratch of one worker, cut from one allocation: a block has rows * classes elements.
template <class T> struct SoftmaxScratch {
  static constexpr int64_t slack = 128;  // a whole pack may be read and written past the end
  T *x, *e, *amount, *grad, *row_e, *row_others, *row_amount, *row_value, *row_pull, *row_grad;
  int64_t *target;  // class of each row; -1: none
  double *work;     // 3 * classes

  static size_t bytes(const Plan &plan) {
    const int64_t n = plan.rows_per_block * plan.classes + slack, rows = plan.rows_per_block + slack;
    return static_cast<size_t>(4 * n + 6 * rows) * sizeof(T) + static_cast<size_t>(plan.rows_per_block) * 8 +
           static_cast<size_t>(3 * plan.classes + slack) * 8;
  }
  SoftmaxScratch(const Plan &plan, void *memory) {
    const int64_t n = plan.rows_per_block * plan.classes + slack, rows = plan.rows_per_block + slack;
    work = static_cast<double *>(memory);
    target = reinterpret_cast<int64_t *>(work + 3 * plan.classes + slack);
    T *next = reinterpret_cast<T *>(target + plan.rows_per_block);
    for (T **array : {&x, &e, &amount, &grad}) *array = next, next += n;
    for (T **array : {&row_e, &row_others, &row_amount, &row_value, &row_pull, &row_grad}) *array = next, next += rows;
  }
};

template <class R, class T> FOCAL_INLINE double sum_of(const T *x, int64_t n) {
  double sum = 0;
  int64_t k = 0;
  while (n - k >= R::size) {
    decltype(fold(R())) partial(0);
    const int64_t stop = n - k >= 16 * R::size ? k + 16 * R::size : n - (n - k) % R::size;
    for (; k < stop; k += R::size) partial = partial + fold(R::load(x + k));
    sum += sum_lanes(partial);
  }
  for (; k < n; k++) sum += static_cast<double>(x[k]);
  return sum;
}

// R sweeps over whole blocks, S (shorter) over single rows.
template <class R, class S, class T, class Power> struct SoftmaxKernel {
  const Plan &plan;
  const SoftmaxFocal<Power> loss;
  SoftmaxScratch<T> scratch;

  const FocalProblem &problem() const { return plan.problem; }
  int64_t classes() const { return plan.classes; }
  bool hard_targets() const {
    return problem().targets_kind == FOCAL_CLASS_INDEX && problem().label_smoothing == 0;
  }

  // Calls f(memory, at, count, c) for each stretch of a block's rows that lies together in memory: `count` places of
  // class c from element `memory` on, belonging to the rows first + at and after.
  template <class F> void each_stretch(int64_t first, int64_t rows, F f) const {
    const int64_t inner = plan.inner, C = classes();
    for (int64_t at = 0; at < rows;) {
      const int64_t o = (first + at) / inner, i = (first + at) % inner;
      const int64_t count = inner - i < rows - at ? inner - i : rows - at;
      for (int64_t c = 0; c < C; c++) f((o * C + c) * inner + i, at, count, c);
      at += count;
    }
  }

  // by_row[r * classes + c] = class c of row first + r
  FOCAL_NOINLINE void gather(int64_t first, int64_t rows, const void *array, int32_t dtype, T *by_row) {
    const int64_t C = classes();
    if (plan.inner == 1) return read_numbers(array, dtype, first * C, rows * C, by_row);
    each_stretch(first, rows, [&](int64_t memory, int64_t at, int64_t count, int64_t c) {
      read_numbers(array, dtype, memory, count, scratch.row_value);
      for (int64_t k = 0; k < count; k++) by_row[(at + k) * C + c] = scratch.row_value[k];
    });
  }
  FOCAL_NOINLINE void scatter(int64_t first, int64_t rows, const T *by_row, T *array) const {
    const int64_t C = classes();
    each_stretch(first, rows, [&](int64_t memory, int64_t at, int64_t count, int64_t c) {
      for (int64_t k = 0; k < count; k++) array[memory + k] = by_row[(at + k) * C + c];
    });
  }

  // Reads every row's class and weight. Rows that do not count and rows without a class get target -1. Returns
  // whether there are any.
  FOCAL_NOINLINE bool stage_rows(int64_t first, int64_t rows) {
    const FocalProblem &p = problem();
    T *const numbers = scratch.row_value;
    bool any = false;
    for (int64_t r = 0; r < rows; r++) scratch.target[r] = 0;
    if (p.targets_kind == FOCAL_CLASS_INDEX) {
      read_numbers(p.targets, p.targets_dtype, first, rows, numbers);
      for (int64_t r = 0; r < rows; r++) {
        const T index = numbers[r];
        const bool is_class = index >= 0 && index < static_cast<T>(classes()) &&
                              index != static_cast<T>(p.ignore_index) && index != static_cast<T>(p.background);
        scratch.target[r] = is_class ? static_cast<int64_t>(index) : -1;
        any |= !is_class;
      }
    }
    if (p.mask_per != FOCAL_ABSENT) {
      read_numbers(p.mask, p.mask_dtype, first, rows, numbers);
      for (int64_t r = 0; r < rows; r++)
        if (numbers[r] == 0) scratch.target[r] = -1, any = true;
    }
    if (p.weights_per != FOCAL_ABSENT) read_numbers(p.weights, p.weights_dtype, first, rows, scratch.row_amount);
    else for (int64_t r = 0; r < rows; r++) scratch.row_amount[r] = 1;
    return any;
  }

  // amount[c] of every row: class weight times row weight times (smoothed) target
  FOCAL_NOINLINE void stage_amounts(int64_t first, int64_t rows) {
    const FocalProblem &p = problem();
    const int64_t C = classes();
    const T scale = static_cast<T>(plan.target_scale), shift = static_cast<T>(plan.target_shift);
    if (p.targets_kind == FOCAL_DENSE) {
      gather(first, rows, p.targets, p.targets_dtype, scratch.amount);
    } else {
      for (int64_t k = 0; k < rows * C; k++) scratch.amount[k] = 0;
      for (int64_t r = 0; r < rows; r++)
        if (scratch.target[r] >= 0) scratch.amount[r * C + scratch.target[r]] = 1;
    }
    for (int64_t r = 0; r < rows; r++) {
      T *amount = scratch.amount + r * C;
      if (scratch.target[r] < 0) {  // whatever its targets are
        for (int64_t c = 0; c < C; c++) amount[c] = 0;
        continue;
      }
      for (int64_t c = 0; c < C; c++) {
        const T weight = static_cast<T>(p.class_positive ? p.class_positive[c] : p.positive_weight);
        amount[c] = (amount[c] * scale + shift) * weight * scratch.row_amount[r];
      }
    }
  }

  double run(int64_t first, int64_t rows) {
    const FocalProblem &p = problem();
    const int64_t C = classes(), n = rows * C;
    T *const grad = static_cast<T *>(p.grad);
    const T *x = static_cast<const T *>(p.logits) + first * C;
    if (plan.inner > 1) {
      gather(first, rows, p.logits, p.dtype, scratch.x);
      x = scratch.x;
    }
    const bool any_skipped = stage_rows(first, rows);
    if (any_skipped) {
      for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < C; c++) scratch.x[r * C + c] = scratch.target[r] < 0 ? T(0) : x[r * C + c];
      x = scratch.x;
    }
    T *const grad_rows = !grad ? nullptr : plan.inner > 1 ? scratch.grad : grad + first * C;

    const T limit = C <= 4096 ? Limits<T>::softmax : Limits<T>::softmax_long;
    double sum;
    if (!hard_targets()) stage_amounts(first, rows);
    const bool heavy = largest_magnitude<R>(hard_targets() ? scratch.row_amount : scratch.amount,
                                            static_cast<int>(hard_targets() ? rows : n)) > Limits<T>::weight;
    T value_scale = static_cast<T>(plan.value_scale);
    if (!(largest_magnitude<R>(x, static_cast<int>(n)) <= limit) || heavy || plan.extreme_scale) {
      if (hard_targets()) stage_amounts(first, rows);
      sum = careful_rows(x, rows, grad_rows);
      value_scale = 1;  // it divides in double
    } else {
      exponentials(x, n);
      sum = hard_targets() ? class_index_rows(rows, grad_rows) : dense_rows(rows, grad_rows);
    }

    if (any_skipped)
      for (int64_t r = 0; r < rows; r++)
        if (scratch.target[r] < 0) {
          scratch.row_value[r] = 0;
          if (grad_rows)
            for (int64_t c = 0; c < C; c++) grad_rows[r * C + c] = 0;
        }
    if (p.values)
      for (int64_t r = 0; r < rows; r++)
        static_cast<T *>(p.values)[first + r] = scratch.row_value[r] * value_scale;
    if (grad && plan.inner > 1) scatter(first, rows, scratch.grad, grad);
    return sum;
  }

  void exponentials(const T *x, int64_t n) {
    int64_t k = 0;
    for (; k + R::size <= n; k += R::size) exponential(R::load(x + k)).store(scratch.e + k);
    if (k == n) return;
    T rest[R::size] = {};
    memcpy(rest, x + k, static_cast<size_t>(n - k) * sizeof(T));
    exponential(R::load(rest)).store(scratch.e + k);
  }

  double class_index_rows(int64_t rows, T *grad) {
    const FocalProblem &p = problem();
    const int64_t C = classes();
    for (int64_t r = 0; r < rows; r++) {
      const int64_t t = scratch.target[r] < 0 ? 0 : scratch.target[r];
      T *e = scratch.e + r * C;
      scratch.row_e[r] = e[t];
      e[t] = 0;
      scratch.row_others[r] = static_cast<T>(sum_of<S>(e, C));
      const T weight = static_cast<T>(p.class_positive ? p.class_positive[t] : p.positive_weight);
      scratch.row_amount[r] = scratch.target[r] < 0 ? T(0) : scratch.row_amount[r] * weight;
    }
    const S scale(static_cast<T>(plan.grad_scale));
    for (int64_t r = 0; r < rows; r += S::size) {
      const S e = S::load(scratch.row_e + r), others = S::load(scratch.row_others + r);
      const SoftmaxTerm<S> term = loss(e, others, S::load(scratch.row_amount + r));
      term.value.store(scratch.row_value + r);
      (term.pull * scale / (e + others)).store(scratch.row_pull + r);
      (S(0) - term.q * term.pull * scale).store(scratch.row_grad + r);
    }
    double sum = 0;
    for (int64_t r = 0; r < rows; r++) sum += static_cast<double>(scratch.row_value[r]);
    if (grad)
      for (int64_t r = 0; r < rows; r++) {
        const T *e = scratch.e + r * C;
        T *to = grad + r * C;
        const T pull = scratch.row_pull[r];
        for (int64_t c = 0; c < C; c++) to[c] = e[c] * pull;
        to[scratch.target[r] < 0 ? 0 : scratch.target[r]] = scratch.row_grad[r];
      }
    return sum;
  }

  double dense_rows(int64_t rows, T *grad) {
    const int64_t C = classes();
    T *const pull = scratch.x;  // the block's logits are spent
    double sum = 0;
    for (int64_t r = 0; r < rows; r++) {
      T *e = scratch.e + r * C;
      const T *amount = scratch.amount + r * C;
      T *const row_others = scratch.grad + r * C;  // where `grad` is the scratch too, it replaces them one by one
      int64_t top = 0;
      for (int64_t c = 1; c < C; c++)
        if (e[c] > e[top]) top = c;
      const T e_top = e[top];
      e[top] = 0;
      const T rest = static_cast<T>(sum_of<S>(e, C));
      e[top] = e_top;
      const T whole = rest + e_top;
      for (int64_t c = 0; c < C; c++) row_others[c] = whole - e[c];
      row_others[top] = rest;

      double value = 0, total_pull = 0;
      for (int64_t c = 0; c < C; c += S::size) {
        const SoftmaxTerm<S> term = loss(S::load(e + c), S::load(row_others + c), S::load(amount + c));
        T values[S::size];
        term.value.store(values);
        term.pull.store(pull + c);
        const int64_t count = C - c < S::size ? C - c : S::size;
        for (int64_t k = 0; k < count; k++) value += static_cast<double>(values[k]);
        for (int64_t k = 0; k < count; k++) total_pull += static_cast<double>(pull[c + k]);
      }
      scratch.row_value[r] = static_cast<T>(value);
      sum += value;
      if (!grad) continue;
      const T scale = static_cast<T>(plan.grad_scale / static_cast<double>(whole));
      T *to = grad + r * C;
      for (int64_t c = 0; c < C; c++) {
        // in double: one class may have nearly all of the pull
        const T others_pull = static_cast<T>(total_pull - static_cast<double>(pull[c]));
        to[c] = scale * (e[c] * others_pull - row_others[c] * pull[c]);
      }
    }
    return sum;
  }

  double careful_rows(const T *x, int64_t rows, T *grad) {
    const int64_t C = classes();
    double sum = 0;
    double *const row_grad = scratch.work + 2 * C;
    for (int64_t r = 0; r < rows; r++) {
      const double value =
          careful_softmax_row(problem(), x + r * C, scratch.amount + r * C, C, scratch.work, grad ? row_grad : nullptr);
      sum += value;
      scratch.row_value[r] = static_cast<T>(value / plan.value_divisor);
      if (grad)
        for (int64_t c = 0; c < C; c++) grad[r * C + c] = static_cast<T>(row_grad[c] / plan.grad_divisor);
    }
    return sum;
  }
};

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
