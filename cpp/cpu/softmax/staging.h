// What the softmax kernel reads and where it works: a block's rows in one of two layouts, whatever the class axis, and
// their targets, weights and masks as one class or one amount a class.
//
// Rows lie one after the other, and a vector holds classes of one row. Where the classes lie apart in memory, or rows
// are short, the classes lie one after the other, and a vector holds one class of several rows.
#pragma once

#include <initializer_list>
#include <type_traits>

#include "half.h"
#include "cpu/targets/numbers.h"
#include "plan.h"
#include "transpose.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// Scratch of one worker, cut from one allocation into arrays that begin with a cache line.
template <class T, class V> struct SoftmaxScratch {
  // What a formula of whole rows is computed in: where operations are not fused, more vectors are faster.
  using RowPack = Pack<T, sizeof(V), fused_muladd || sizeof(T) == sizeof(double) ? 2 : 4>;
  static constexpr int64_t step_of_rows = RowPack::size;  // where a vector is of rows, their number is a multiple of it
  static constexpr int64_t slack = 128;  // a whole pack may be read and written past the end
  T *x, *e, *amount, *exponent, *p, *q, *apart_grad, *kind_grad;  // of each element of a block
  T *row_target;  // class of each row; -1: none
  T *row_e, *row_others, *row_amount, *row_value, *row_share, *row_pull;      // of each row
  T *row_reach, *row_max, *row_subtracted, *row_exponent, *row_floor, *row_top;  // of each row where one is far
  T *kind_target, *kind_amount, *kind_value;  // of each row, where rows are of two kinds
  T *class_code;                // of each class
  T *bend, *hess, *apart_hess, *kind_hess, *row_largest, *row_beside, *row_bend, *row_hess;  // where second derivatives are asked for
  T *row_gamma_high, *row_gamma_low, *gamma_high, *gamma_low;  // of each row or each element, where these differ
  T *own;  // where an asymmetric loss has a part of all classes: 1 for each row's own class, 0 for the others
  T *keep, *row_left;  // where a mask takes classes out: 0 for these and 1 for the others; how many a row has left
  double *apart_value;          // of each row apart
  int32_t *without, *apart;     // the rows without a class; those that are computed apart
  double *work;                 // 7 * classes

  static size_t bytes(const Plan &plan) { return SoftmaxScratch(plan, nullptr).size; }
  static bool hard_targets(const Plan &plan) {
    return plan.problem.targets_kind == FOCAL_CLASS_INDEX && plan.problem.label_smoothing == 0;
  }
  // Of so few classes rows are short: the way there and back, where memory has the rows together, costs less than their loops. That is less
  // where a vector has four numbers and operations are not fused.
  static constexpr int64_t few_classes = fused_muladd ? 20 : 15;
  static bool by_class(const Plan &plan) {
    return plan.classes <= few_classes || (plan.inner > 1 && plan.rows_per_block >= 2 * V::size);
  }
  SoftmaxScratch(const Plan &plan, void *memory) {
    char *const begin = static_cast<char *>(memory);
    const auto cut = [&](auto *&array, int64_t count) {
      array = reinterpret_cast<std::remove_reference_t<decltype(array)>>(begin + size);
      size += (static_cast<size_t>(count) * sizeof *array + 63) / 64 * 64;
    };
    const int64_t rows = plan.rows_per_block + slack;
    const int64_t n = (plan.rows_per_block + (by_class(plan) ? step_of_rows : 0)) * plan.classes + slack;
    cut(work, 7 * plan.classes);
    cut(apart_value, plan.rows_per_block);
    for (int32_t **array : {&without, &apart}) cut(*array, plan.rows_per_block + 1);
    for (T **array : {&x, &e, &amount, &exponent, &p, &q, &apart_grad, &kind_grad}) cut(*array, n);
    for (T **array : {&row_target, &row_e, &row_others, &row_amount, &row_value, &row_share, &row_pull, &row_reach, &row_max,
                      &row_subtracted, &row_exponent, &row_floor, &row_top, &kind_target, &kind_amount, &kind_value})
      cut(*array, rows);
    cut(class_code, plan.problem.targets_kind == FOCAL_DENSE ? plan.classes + slack : 0);
    for (T **array : {&bend, &hess, &apart_hess, &kind_hess}) cut(*array, plan.problem.hess ? n : 0);
    for (T **array : {&row_largest, &row_beside, &row_bend, &row_hess}) cut(*array, plan.problem.hess ? rows : 0);
    const bool by_row = (plan.problem.flags & FOCAL_CLASS_GAMMAS) != 0, by_element = has_factors_of_classes(plan.problem) && !hard_targets(plan);
    for (T **array : {&row_gamma_high, &row_gamma_low}) cut(*array, by_row ? rows : 0);
    for (T **array : {&gamma_high, &gamma_low}) cut(*array, by_element ? n : 0);
    cut(own, has_asymmetric_rows(plan.problem) && !hard_targets(plan) ? n : 0);
    const bool by_mask = plan.problem.mask_per == FOCAL_PER_ELEMENT;
    cut(keep, by_mask ? n : 0);
    cut(row_left, by_mask ? rows : 0);
  }

 private:
  size_t size = 0;
};

template <class T, class V> struct SoftmaxRows {
  using Scratch = SoftmaxScratch<T, V>;
  SoftmaxRows(const Plan &of, void *memory) : plan(of), scratch(of, memory) {}

  static constexpr int64_t step_of_rows = Scratch::step_of_rows;
  const Plan &plan;
  const Scratch scratch;
  const int64_t C = plan.classes;
  const bool by_class = Scratch::by_class(plan);
  // Of the block in work: class c of its row r is element r * row_step + c * class_step of `elements`.
  int64_t first = 0, rows = 0, row_step = C, class_step = 1, elements = 0;
  int32_t rows_without = 0, rows_apart = 0;
  bool indexed = false;  // has each row of the block one class at most, and its whole weight?

  void begin(int64_t first_row, int64_t count) {
    first = first_row;
    rows = count;
    indexed = Scratch::hard_targets(plan);
    if (by_class) row_step = 1, class_step = (rows + step_of_rows - 1) / step_of_rows * step_of_rows;
    elements = by_class ? C * class_step : C * rows;
  }
  int64_t position(int64_t r, int64_t c) const { return r * row_step + c * class_step; }
  // Where row r's class is; any position of the row without one.
  int64_t target_position(int64_t r) const {
    const T target = scratch.row_target[r];
    return position(r, target < 0 ? 0 : static_cast<int64_t>(target));
  }

  const FocalProblem &problem() const { return plan.problem; }
  T class_weight(int64_t c) const {
    return static_cast<T>(problem().class_positive ? problem().class_positive[c] : problem().positive_weight);
  }

  // Calls f(memory, at, count, c) for each stretch of the block's rows that lies together in memory: `count` elements of
  // class c from element `memory` on, belonging to the rows first + at and after.
  template <class F> void each_stretch(F f) const {
    const int64_t inner = plan.inner;
    for (int64_t at = 0; at < rows;) {
      const int64_t o = (first + at) / inner, i = (first + at) % inner;
      const int64_t count = inner - i < rows - at ? inner - i : rows - at;
      for (int64_t c = 0; c < C; c++) f((o * C + c) * inner + i, at, count, c);
      at += count;
    }
  }

  // Reads half precision and bytes with the instructions of its own that there may be.
  static void read(const void *array, int32_t dtype, int64_t from, int64_t count, T *to) {
    const auto convert = [&](const auto *numbers) {
      for (int64_t k = 0; k < count; k++) to[k] = static_cast<T>(numbers[from + k]);
    };
    if (dtype == FOCAL_UINT8) return convert(static_cast<const uint8_t *>(array));
    if (dtype == FOCAL_INT32) return convert(static_cast<const int32_t *>(array));
    if (dtype == Stored<T>::dtype) return copy_numbers(static_cast<const T *>(array) + from, count, to);
    // Those instructions make floats; beside logits in double there may be half precision, too
    if constexpr (sizeof(T) == sizeof(float)) {
      if (is_half(dtype)) return with_stored<T>(array, dtype, from, [&](const auto *numbers) { copy_numbers(numbers, count, to); });
    }
    read_numbers(array, dtype, from, count, to);
  }

  // An array of the problem's, in the block's layout. What no row fills is 0.
  FOCAL_NOINLINE void gather(const void *array, int32_t dtype, T *to) {
    if (by_class)
      for (int64_t c = 0; c < C; c++)
        for (int64_t r = rows; r < class_step; r++) to[c * class_step + r] = 0;
    if (plan.inner > 1) {
      each_stretch([&](int64_t memory, int64_t at, int64_t count, int64_t c) {
        if (by_class) return read(array, dtype, memory, count, to + position(at, c));
        read(array, dtype, memory, count, scratch.row_value);
        for (int64_t k = 0; k < count; k++) to[position(at + k, c)] = scratch.row_value[k];
      });
    } else if (by_class) {
      if (dtype == Stored<T>::dtype) return classes_apart<V>(static_cast<const T *>(array) + first * C, rows, C, to, class_step);
      read(array, dtype, first * C, rows * C, scratch.e);
      classes_apart<V>(scratch.e, rows, C, to, class_step);
    } else {
      read(array, dtype, first * C, rows * C, to);
    }
  }
  // Back from the block's layout, where it is not the memory's or of another type.
  template <class S> FOCAL_NOINLINE void scatter(const T *from, S *array) const {
    if (plan.inner > 1)
      each_stretch([&](int64_t memory, int64_t at, int64_t count, int64_t c) {
        if (by_class) copy_numbers(from + position(at, c), count, array + memory);
        else for (int64_t k = 0; k < count; k++) array[memory + k] = S(from[position(at + k, c)]);
      });
    else if (!by_class)
      copy_numbers(from, elements, array + first * C);
    else if constexpr (std::is_same_v<S, T>)
      rows_together<V>(from, class_step, rows, C, array + first * C);
    else
      for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < C; c++) array[(first + r) * C + c] = S(from[c * class_step + r]);
  }

  // Has a row a mask of its classes?
  bool takes_classes_out() const { return problem().mask_per == FOCAL_PER_ELEMENT; }

  // What the classes that are taken out have of something: nothing.
  FOCAL_NOINLINE void clear_masked(T *numbers) const {
    for (int64_t k = 0; k < elements; k++) numbers[k] = scratch.keep[k] != 0 ? numbers[k] : T(0);
  }

  // Reads every row's class and weight; with hard targets, its class's weight too. Rows that are not valid and rows
  // without a class get target -1.
  FOCAL_NOINLINE void stage_rows() {
    const FocalProblem &p = problem();
    T *const target = scratch.row_target, *const numbers = scratch.row_value;
    if (p.targets_kind == FOCAL_CLASS_INDEX) {
      read(p.targets, p.targets_dtype, first, rows, target);
      const T count = static_cast<T>(C), ignored = static_cast<T>(p.ignore_index),
              background = static_cast<T>(p.background);
      if (plan.every_row_has_class) {
        // So it was when they were scanned: another thread may have written to them since
        const V last(count - 1), zero(0);
        for (int64_t r = 0; r < rows; r += V::size) larger(smaller(V::load(target + r), last), zero).store(target + r);
        return stage_row_weights();
      }
      for (int64_t r = 0; r < rows; r++) {
        const T index = target[r];
        const bool is_class = (index >= 0) & (index < count) & (index != ignored) & (index != background);
        target[r] = is_class ? index : T(-1);
      }
    } else {
      for (int64_t r = 0; r < rows; r++) target[r] = 0;
    }
    if (takes_classes_out())
      for (int64_t r = 0; r < rows; r++) target[r] = scratch.row_left[r] == 0 ? T(-1) : target[r];
    if (p.mask_per == FOCAL_PER_ROW) {
      read_numbers(p.mask, p.mask_dtype, first, rows, numbers);
      for (int64_t r = 0; r < rows; r++) target[r] = numbers[r] == 0 ? T(-1) : target[r];
    }
    stage_row_weights();
  }
  // Has every row the same weight?
  bool has_one_amount() const { return problem().weights_per == FOCAL_ABSENT && !problem().class_positive; }
  FOCAL_NOINLINE void stage_row_weights() {
    const FocalProblem &p = problem();
    T *const amount = scratch.row_amount;
    if (p.weights_per != FOCAL_ABSENT) {
      read(p.weights, p.weights_dtype, first, rows, amount);
      for (int64_t r = 0; r < rows; r++) amount[r] = weight_or_nan(amount[r]);
    } else {
      const T all = indexed && has_one_amount() ? class_weight(0) : T(1);
      for (int64_t r = 0; r < rows; r++) amount[r] = all;
      if (indexed && has_one_amount()) return;
    }
    if (indexed) weigh_rows();
  }

  // With the weight of the row's class.
  FOCAL_NOINLINE void weigh_rows() {
    T *const target = scratch.row_target, *const amount = scratch.row_amount;
    if (problem().class_positive)
      for (int64_t r = 0; r < rows; r++) amount[r] *= target[r] < 0 ? T(0) : class_weight(static_cast<int64_t>(target[r]));
    else if (problem().positive_weight != 1)
      for (int64_t r = 0; r < rows; r++) amount[r] *= class_weight(0);
  }
  // Their amounts are 0.
  FOCAL_NOINLINE void list_rows_without() {
    rows_without = 0;
    if (plan.every_row_has_class) return;
    each_row_below(scratch.row_target, T(0), rows, [&](int64_t r) { scratch.without[rows_without++] = static_cast<int32_t>(r); });
    for (int32_t i = 0; i < rows_without; i++) scratch.row_amount[scratch.without[i]] = 0;
  }
  // Calls f for the rows of which a number is below `limit`, which are few.
  template <class F> static FOCAL_INLINE void each_row_below(const T *numbers, T limit, int64_t count, F f) {
    constexpr int64_t some = 4 * V::size;
    for (int64_t r = 0; r < count; r += some) {
      const int64_t end = count - r < some ? count : r + some;
      V least(limit);
      for (int64_t k = r; k < end; k += V::size) least = smaller(V::load(numbers + k), least);
      if (!(fold_lanes(least, [](auto a, auto b) { return smaller(a, b); }) < limit)) continue;
      for (int64_t k = r; k < end; k++)
        if (numbers[k] < limit) f(k);
    }
  }

  // The gamma of each row's class or, where classes have amounts, of each element, in the two parts that a power wants (elementary.h).
  FOCAL_NOINLINE void stage_gammas() const {
    const auto put = [](double gamma, T &high, T &low) {
      high = leading_bits(static_cast<T>(gamma));
      low = static_cast<T>(gamma - static_cast<double>(high));
    };
    const bool asymmetric = has_asymmetric_rows(problem());
    for (int64_t r = 0; r < rows; r++) {
      const int64_t target = scratch.row_target[r] < 0 ? 0 : static_cast<int64_t>(scratch.row_target[r]);
      if (indexed) put(gamma_of_class(problem(), target), scratch.row_gamma_high[r], scratch.row_gamma_low[r]);
      for (int64_t c = 0; !indexed && c < C; c++) {
        const int64_t k = position(r, c);
        put(asymmetric && c != target ? problem().gamma_negative : gamma_of_class(problem(), c), scratch.gamma_high[k], scratch.gamma_low[k]);
        if (asymmetric) scratch.own[k] = c == target;
      }
    }
  }

  // amount of every element: class weight times row weight times (smoothed) target
  FOCAL_NOINLINE void stage_amounts() {
    const FocalProblem &p = problem();
    T *const amount = scratch.amount;
    if (p.targets_kind == FOCAL_DENSE) {
      gather(p.targets, p.targets_dtype, amount);
    } else {
      for (int64_t k = 0; k < elements; k++) amount[k] = 0;
      for (int64_t r = 0; r < rows; r++)
        if (scratch.row_target[r] >= 0) amount[target_position(r)] = indexed ? scratch.row_amount[r] : T(1);
    }
    if (indexed) return;
    const T scale = static_cast<T>(plan.target_scale);
    T *const shift = scratch.row_share;  // smoothing is shared by the classes that a row has
    for (int64_t r = 0; r < rows; r++) shift[r] = static_cast<T>(takes_classes_out() ? p.label_smoothing / scratch.row_left[r] : plan.target_shift);
    const auto weigh = [&](T &target, int64_t r, T weight) {  // of a row that is not valid: whatever its targets are
      target = scratch.row_target[r] < 0 ? T(0) : (target * scale + shift[r]) * (weight * scratch.row_amount[r]);
    };
    if (by_class) {
      for (int64_t c = 0; c < C; c++)
        for (int64_t r = 0; r < rows; r++) weigh(amount[c * class_step + r], r, class_weight(c));
    } else {
      for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < C; c++) weigh(amount[r * C + c], r, class_weight(c));
    }
    if (takes_classes_out()) clear_masked(amount);
  }

  // One of them, which as a T was no number.
  FOCAL_NOINLINE double amount_in_double(int64_t r, int64_t c) const {
    const FocalProblem &p = problem();
    if (scratch.row_target[r] < 0) return 0;
    const double of_row = p.weights_per == FOCAL_ABSENT ? 1 : weight_or_nan(number_at(p.weights, p.weights_dtype, first + r));
    const double weight = (p.class_positive ? p.class_positive[c] : p.positive_weight) * of_row;
    const bool is_target = static_cast<T>(c) == scratch.row_target[r];
    if (indexed) return is_target ? weight : 0;
    const int64_t o = (first + r) / plan.inner, i = (first + r) % plan.inner;
    const double label = p.targets_kind == FOCAL_DENSE ? number_at(p.targets, p.targets_dtype, (o * C + c) * plan.inner + i) : is_target;
    const double shift = takes_classes_out() ? p.label_smoothing / static_cast<double>(scratch.row_left[r]) : plan.target_shift;
    return (label * plan.target_scale + shift) * weight;
  }

  void clear_values_without() const {
    for (int32_t i = 0; i < rows_without; i++) scratch.row_value[scratch.without[i]] = 0;
  }
  // Nothing comes out of rows without a class, whatever their logits are.
  FOCAL_NOINLINE void clear_rows_without(T *grad) const {
    for (int32_t i = 0; i < rows_without; i++)
      for (int64_t c = 0; c < C; c++) grad[position(scratch.without[i], c)] = 0;
  }
};

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
