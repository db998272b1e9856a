// Blocks of element-wise losses: value, gradient and hessian in one pass.
//
// Class-index targets cost nothing: every element of a block is a negative to the vector kernel, the few
// positives get weight zero there and are computed one by one. Everything else goes through `soft`.
#pragma once

#include <initializer_list>

#include "careful.h"
#include "staging.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// A block's outputs; any pointer may be null.
template <class T> struct Outputs {
  T *values, *grad, *hess;
  T value_scale, grad_scale;

  Outputs(const Plan &plan, int64_t begin)
      : values(plan.problem.values ? static_cast<T *>(plan.problem.values) + begin : nullptr),
        grad(plan.problem.grad ? static_cast<T *>(plan.problem.grad) + begin : nullptr),
        hess(plan.problem.hess ? static_cast<T *>(plan.problem.hess) + begin : nullptr),
        value_scale(static_cast<T>(plan.value_scale)),
        grad_scale(static_cast<T>(plan.grad_scale)) {}
};

// Scratch of one worker.
template <class T> struct Staged {
  // room for a whole pack to be read past the end
  static constexpr int size = block_elements + 128;
  alignas(64) T x[size], y[size], rest[size], positive[size], negative[size], numbers[size];
  T value_at[size], grad_at[size];
  int place[size];
  uint8_t skipped[size];
  bool same_everywhere;  // positive and negative hold the problem's one weight each: no need to stage them again
  bool heavy;            // is one of the weights too large for the fast path?
};

// Evaluates f(x, k) over a block and writes what it gives. Sums in float over 16 steps of a pack, then in double.
// The last, partial pack goes through buffers and the same loop: it is not worth a second copy of the formula.
template <class R, bool H, class T, class F>
FOCAL_INLINE double sweep(const T *block, int n, const Outputs<T> &out, F f) {
  using Sum = decltype(fold(R()));
  constexpr int chunk = 16 * R::size;
  const int whole = n - n % R::size;
  T x_buffer[R::size], grad_buffer[R::size], value_buffer[R::size], hess_buffer[R::size];
  double sum = 0;
  for (int begin = 0; begin < n;) {
    const bool partial = begin == whole;
    const int left = n - begin, count = partial ? R::size : whole - begin;
    const T *x = block + begin;
    T *grad = !out.grad ? nullptr : partial ? grad_buffer : out.grad;
    T *values = partial ? value_buffer : out.values;
    T *hess = partial ? hess_buffer : out.hess;
    // unscaled in the buffer, where the sum is taken from
    const R grad_scale(out.grad_scale), value_scale(partial ? T(1) : out.value_scale);
    if (partial) {
      memset(x_buffer, 0, sizeof x_buffer);
      memcpy(x_buffer, x, static_cast<size_t>(left) * sizeof(T));
      x = x_buffer;
    }
    for (int k = 0; k < count;) {
      Sum total(0);
      const int stop = count - k > chunk ? k + chunk : count;
      for (; k < stop; k += R::size) {
        const Element<R> e = f(R::load(x + k), begin + k);
        total = total + fold(e.value);
        if (grad) (e.grad * grad_scale).store(grad + k);
        if (values) (e.value * value_scale).store(values + k);
        if constexpr (H) (e.hess * grad_scale).store(hess + k);
      }
      if (!partial) sum += sum_lanes(total);
    }
    if (partial) {
      const size_t bytes = static_cast<size_t>(left) * sizeof(T);
      if (out.grad) memcpy(out.grad + begin, grad_buffer, bytes);
      if constexpr (H) memcpy(out.hess + begin, hess_buffer, bytes);
      for (int i = 0; i < left; i++) {
        sum += static_cast<double>(value_buffer[i]);
        if (out.values) out.values[begin + i] = value_buffer[i] * out.value_scale;
      }
    }
    begin += count;
  }
  return sum;
}

// The largest |x|; NaNs are passed over.
template <class R, class T> FOCAL_NOINLINE T largest_magnitude(const T *x, int n) {
  using One = decltype(fold_larger(R()));
  R largest(0);
  int k = 0;
  for (; k + R::size <= n; k += R::size) largest = larger(absolute(R::load(x + k)), largest);
  One rest = fold_larger(largest);
  for (; k + One::size <= n; k += One::size) rest = larger(absolute(One::load(x + k)), rest);
  T lanes[One::size];
  rest.store(lanes);
  T result = 0;
  for (int i = 0; i < One::size; i++) result = larger(lanes[i], result);
  for (; k < n; k++) result = larger(absolute(x[k]), result);
  return result;
}

template <class R, class T>
FOCAL_NOINLINE void stage_block_weights(const Plan &plan, Staged<T> &staged, int64_t begin, int64_t end) {
  if (!plan.weighted() && staged.same_everywhere) return;
  staged.same_everywhere = !plan.weighted();
  if (staged.same_everywhere) {
    begin = 0;
    end = plan.elements < block_elements ? plan.elements : block_elements;
  }
  stage_weights(plan, begin, end, staged.positive, staged.negative, staged.numbers);
  const int n = static_cast<int>(end - begin);
  staged.heavy = plan.extreme_scale || largest_magnitude<R>(staged.positive, n) > Limits<T>::weight ||
                 largest_magnitude<R>(staged.negative, n) > Limits<T>::weight;
}

// Ignored places: nothing in, nothing out, whatever their logits are. Returns the logits to read instead.
template <class T> FOCAL_NOINLINE const T *without_skipped(const T *x, Staged<T> &staged, int n) {
  const auto fill = [&](const T *from, T *to, T with) {
    for (int k = 0; k < n; k++) to[k] = staged.skipped[k] ? with : from[k];
  };
  fill(x, staged.x, 0);
  fill(staged.y, staged.y, 0);
  fill(staged.rest, staged.rest, 1);
  fill(staged.positive, staged.positive, 0);
  fill(staged.negative, staged.negative, 0);
  staged.same_everywhere = false;
  return staged.x;
}

template <class T> FOCAL_NOINLINE void clear_skipped(const Staged<T> &staged, const Outputs<T> &out, int n) {
  for (T *array : {out.grad, out.values, out.hess})
    if (array)
      for (int k = 0; k < n; k++) array[k] = staged.skipped[k] ? T(0) : array[k];
}

// The whole block in double, for any finite or infinite logit and any weight.
template <class T>
FOCAL_NOINLINE double careful_block(const Plan &plan, const T *x, const T *y, const Staged<T> &staged, int n,
                                  const Outputs<T> &out) {
  double sum = 0;
  for (int k = 0; k < n; k++) {
    const CarefulElement e =
        careful_element(plan.problem, x[k], y[k], staged.rest[k], staged.positive[k], staged.negative[k]);
    sum += e.value;
    if (out.grad) out.grad[k] = static_cast<T>(e.grad / plan.grad_divisor);
    if (out.values) out.values[k] = static_cast<T>(e.value / plan.value_divisor);
    if (out.hess) out.hess[k] = static_cast<T>(e.hess / plan.grad_divisor);
  }
  return sum;
}

// Must a block with these logits take the careful path?
template <class R, class T> FOCAL_INLINE bool is_large(const T *x, int n) {
  return !(largest_magnitude<R>(x, n) <= Limits<T>::logistic);
}
// Labels of the logits' own type need no copy, where whole packs of them can be read.
template <class R> FOCAL_INLINE bool reads_targets_in_place(const Plan &plan, int n) {
  const FocalProblem &p = plan.problem;
  return p.targets_kind == FOCAL_DENSE && p.targets_dtype == p.dtype && p.label_smoothing == 0 && !plan.skips() &&
         n % R::size == 0;
}

// Any targets, any weights: a block through the loss's `soft` formula.
template <class R, bool H, class T, class Loss>
double soft_block(const Plan &plan, const Loss &loss, Staged<T> &staged, int64_t begin, int64_t end) {
  const int n = static_cast<int>(end - begin);
  const Outputs<T> out(plan, begin);
  const T *x = static_cast<const T *>(plan.problem.logits) + begin;
  const T *y = staged.y;
  if (reads_targets_in_place<R>(plan, n)) {
    y = static_cast<const T *>(plan.problem.targets) + begin;
    for (int k = 0; k < n; k++) staged.rest[k] = 1 - y[k];
  } else {
    stage_targets(plan, begin, end, staged.y, staged.rest, staged.numbers);
  }
  stage_block_weights<R>(plan, staged, begin, end);
  const bool skips = plan.skips() && stage_skipped(plan, begin, end, staged.skipped, staged.numbers);
  if (skips) x = without_skipped(x, staged, n);
  double sum;
  if (staged.heavy || is_large<R>(x, n)) {
    sum = careful_block(plan, x, y, staged, n, out);
  } else {
    const T *rest = staged.rest, *wp = staged.positive, *wn = staged.negative;
    sum = sweep<R, H>(x, n, out, [&](R v, int k) FOCAL_LAMBDA {
      return loss.template soft<H>(v, R::load(y + k), R::load(rest + k), R::load(wp + k), R::load(wn + k));
    });
  }
  if (skips) clear_skipped(staged, out, n);
  return sum;
}

// The places of this block whose target is 1, for class-index targets along the last axis.
template <class T> FOCAL_NOINLINE int find_positives(const Plan &plan, Staged<T> &staged, int64_t begin, int64_t end) {
  const FocalProblem &p = plan.problem;
  const int64_t first = begin / plan.classes, last = (end - 1) / plan.classes;
  read_numbers(p.targets, p.targets_dtype, first, last - first + 1, staged.numbers);
  int count = 0;
  for (int64_t row = first; row <= last; row++) {
    const T index = staged.numbers[row - first];
    if (!(index >= 0 && index < static_cast<T>(plan.classes)) || index == static_cast<T>(p.background)) continue;
    const int64_t at = row * plan.classes + static_cast<int64_t>(index) - begin;
    if (at >= 0 && at < end - begin) staged.place[count++] = static_cast<int>(at);
  }
  return count;
}

// Hard class-index targets along the last axis: a block of negatives, and its few positives one by one.
template <class R, class T, class Loss>
double class_index_block(const Plan &plan, const Loss &loss, Staged<T> &staged, int64_t begin, int64_t end) {
  const FocalProblem &p = plan.problem;
  const int n = static_cast<int>(end - begin);
  const Outputs<T> out(plan, begin);
  const T *x = static_cast<const T *>(p.logits) + begin;
  const bool skips = plan.skips() && stage_skipped(plan, begin, end, staged.skipped, staged.numbers);
  int positives = find_positives(plan, staged, begin, end);
  const T positive_weight = static_cast<T>(p.positive_weight), negative_weight = static_cast<T>(p.negative_weight);
  const bool heavy =
      plan.extreme_scale || larger(absolute(positive_weight), absolute(negative_weight)) > Limits<T>::weight;
  const bool staged_weights = plan.weighted() || skips || positives > 0 || heavy;
  if (staged_weights) stage_block_weights<R>(plan, staged, begin, end);
  if (skips) {
    x = without_skipped(x, staged, n);
    int kept = 0;
    for (int i = 0; i < positives; i++)
      if (!staged.skipped[staged.place[i]]) staged.place[kept++] = staged.place[i];
    positives = kept;
  }

  double sum = 0;
  if ((staged_weights && staged.heavy) || is_large<R>(x, n)) {
    if (!staged_weights) stage_block_weights<R>(plan, staged, begin, end);
    for (int k = 0; k < n; k++) staged.y[k] = 0, staged.rest[k] = 1;
    for (int i = 0; i < positives; i++) staged.y[staged.place[i]] = 1, staged.rest[staged.place[i]] = 0;
    sum = careful_block(plan, x, staged.y, staged, n, out);
  } else {
    // The positives first: the gradient may be about to overwrite their logits.
    for (int i = 0; i < positives; i++) {
      const int at = staged.place[i];
      const Element<T> e = loss.template positive<false>(x[at], staged.positive[at]);
      sum += static_cast<double>(e.value);
      staged.value_at[i] = e.value * out.value_scale;
      staged.grad_at[i] = e.grad * out.grad_scale;
      staged.negative[at] = 0;
    }
    if (staged_weights) {
      const T *w = staged.negative;
      sum += sweep<R, false>(x, n, out, [&](R v, int k) FOCAL_LAMBDA { return loss.template negative<false>(v, R::load(w + k)); });
    } else {
      const R w(negative_weight);
      sum += sweep<R, false>(x, n, out, [&](R v, int) FOCAL_LAMBDA { return loss.template negative<false>(v, w); });
    }
    for (int i = 0; i < positives; i++) {
      const int at = staged.place[i];
      if (out.values) out.values[at] = staged.value_at[i];
      if (out.grad) out.grad[at] = staged.grad_at[i];
      staged.negative[at] = negative_weight;  // right for the next block, where one weight serves them all
    }
  }
  if (skips) clear_skipped(staged, out, n);
  return sum;
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
