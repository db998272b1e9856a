// Blocks of element-wise losses: value, gradient and hessian in one pass.
//
// Class-index targets cost nothing: every element of a block is a negative to the vector kernel, and the few positives
// are computed apart. Everything else goes through `hard` where all targets are 0 or 1, else through `soft`.
#pragma once

#include <initializer_list>

#include "cpu/double_fallback.h"
#include "half_block.h"
#include "cpu/targets/staging.h"
#include "sweep.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// Scratch of one worker.
template <class T> struct BlockScratch {
  // room for a whole pack to be read past the end
  static constexpr int most_lanes = 128, size = block_elements + most_lanes;
  alignas(64) T x[size], y[size], rest[size], positive[size], negative[size], numbers[size];
  alignas(64) T one_positive[most_lanes], one_negative[most_lanes];
  alignas(64) T positive_x[size], positive_weight[size], positive_value[size], positive_grad[size];
  int position[size];  // of the positives
  uint8_t skipped[size];
};

// The weights of a block: those of element k are at `k & mask`, which is 0 where one weight serves all.
template <class T> struct Weights {
  const T *positive, *negative;
  int mask;
  bool heavy;  // too large for the fast path?
};

// The largest |x|; NaNs are passed over.
template <class R, class T> FOCAL_NOINLINE T largest_magnitude(const T *x, int n) {
  using One = decltype(fold_larger(R()));
  R largest(0);
  int k = 0;
  for (; k + R::size <= n; k += R::size) largest = larger(absolute(R::load(x + k)), largest);
  One rest = fold_larger(largest);
  for (; k + One::size <= n; k += One::size) rest = larger(absolute(One::load(x + k)), rest);
  T result = largest_lane(rest);
  for (; k < n; k++) result = larger(absolute(x[k]), result);
  return result;
}

// The problem's one pair of weights, where it has no more.
template <class R, class T> FOCAL_NOINLINE Weights<T> stage_one_weight(const Plan &plan, BlockScratch<T> &scratch) {
  const T positive = static_cast<T>(plan.problem.positive_weight), negative = static_cast<T>(plan.problem.negative_weight);
  R(positive).store(scratch.one_positive);
  R(negative).store(scratch.one_negative);
  const bool heavy = plan.extreme_scale || larger(absolute(positive), absolute(negative)) > Limits<T>::weight;
  return {scratch.one_positive, scratch.one_negative, 0, heavy};
}

template <class R, class T>
FOCAL_NOINLINE Weights<T> stage_block_weights(const Plan &plan, BlockScratch<T> &scratch, int64_t begin, int64_t end) {
  stage_weights(plan, begin, end, scratch.positive, scratch.negative, scratch.numbers);
  const int n = static_cast<int>(end - begin);
  const bool heavy = plan.extreme_scale || largest_magnitude<R>(scratch.positive, n) > Limits<T>::weight ||
                     largest_magnitude<R>(scratch.negative, n) > Limits<T>::weight;
  return {scratch.positive, scratch.negative, -1, heavy};
}

// Elements that are not valid: nothing in, nothing out, whatever their logits, targets and weights are.
template <class T> FOCAL_NOINLINE void fill_skipped(const BlockScratch<T> &scratch, int n, const T *from, T *to, T with) {
  for (int k = 0; k < n; k++) to[k] = scratch.skipped[k] ? with : from[k];
}

template <class T> FOCAL_NOINLINE void clear_skipped(const BlockScratch<T> &scratch, const Outputs<T> &out, int n) {
  for (T *array : {out.grad, out.values, out.hess})
    if (array) fill_skipped(scratch, n, array, array, T(0));
}

// One block and what is asked of it, the same for all kinds of targets.
template <class R, class T> struct BlockWork {
  const Plan &plan;
  BlockScratch<T> &scratch;
  const BlockArrays<T> arrays;
  const int64_t begin, end;
  const int n;
  const bool skips;  // is an element of this block ignored?
  const T reach;  // the largest |x| of the loss's formulas
  Weights<T> weights;
  const T *x;

  FOCAL_INLINE BlockWork(const Plan &p, BlockScratch<T> &s, const BlockArrays<T> &a, const Weights<T> &one_weight, T largest,
                         int64_t from, int64_t to)
      : plan(p),
        scratch(s),
        arrays(a),
        begin(from),
        end(to),
        n(static_cast<int>(to - from)),
        skips(p.skips() && stage_skipped(p, from, to, s.skipped, s.numbers)),
        reach(largest),
        weights(p.weighted() || skips ? stage_block_weights<R>(p, s, from, to) : one_weight),
        x(a.logits) {
    if (!skips) return;
    fill_skipped(scratch, n, x, scratch.x, T(0));
    fill_skipped(scratch, n, scratch.positive, scratch.positive, T(0));
    fill_skipped(scratch, n, scratch.negative, scratch.negative, T(0));
    x = scratch.x;
  }

  // `weight` multiplies all outputs.
  FOCAL_INLINE Block<T> block(double weight = 1) const {
    const Outputs<T> out(plan, arrays, weight);
    return {x, n, out.grad == x ? scratch.x : nullptr, reach, out};
  }

  FOCAL_INLINE R positive_weight(int k) const { return R::load(weights.positive + (k & weights.mask)); }
  FOCAL_INLINE R negative_weight(int k) const { return R::load(weights.negative + (k & weights.mask)); }

  // The whole block in double, for any finite or infinite logit and any weight.
  FOCAL_NOINLINE double double_fallback(const Block<T> &swept) const {
    const T *const logits = swept.backup && !weights.heavy ? swept.backup : x;
    const Outputs<T> out(plan, arrays);
    stage_targets(plan, begin, end, scratch.y, scratch.rest, scratch.numbers);
    if (weights.mask == 0) stage_block_weights<R>(plan, scratch, begin, end);
    if (skips) fill_skipped(scratch, n, scratch.y, scratch.y, T(0));
    if (skips) fill_skipped(scratch, n, scratch.rest, scratch.rest, T(1));
    double sum = 0;
    for (int k = 0; k < n; k++) {
      const DoubleElement e = double_fallback_element(plan.problem, logits[k], scratch.y[k], scratch.rest[k], scratch.positive[k],
                                               scratch.negative[k]);
      sum += e.value;
      if (out.grad) out.grad[k] = static_cast<T>(e.grad / plan.grad_divisor);
      if (out.values) out.values[k] = static_cast<T>(e.value / plan.value_divisor);
      if (out.hess) out.hess[k] = larger(out.least_hess, static_cast<T>(e.hess / plan.grad_divisor));
    }
    return sum;
  }
};

// Any targets. `Hard`: all are 0 or 1.
template <class R, bool H, bool Hard, class T, class Loss>
double dense_block(const BlockWork<R, T> &work, const Loss &loss) {
  const FocalProblem &p = work.plan.problem;
  BlockScratch<T> &scratch = work.scratch;
  const Block<T> block = work.block();
  const bool smooth = p.label_smoothing != 0;
  // Labels of the formula's own type need no copy, where whole packs of them can be read.
  const bool in_place = p.targets_kind == FOCAL_DENSE && p.targets_dtype == Stored<T>::dtype && !smooth && !work.skips &&
                        work.n % R::size == 0;
  const T *const y = in_place ? static_cast<const T *>(p.targets) + work.begin : scratch.y;
  T *const rest = in_place || Hard ? nullptr : scratch.rest;  // null: 1 - y itself
  if (!in_place) stage_targets(work.plan, work.begin, work.end, scratch.y, rest, scratch.numbers);
  if (work.skips) fill_skipped(scratch, work.n, scratch.y, scratch.y, T(0));
  if (work.skips && rest) fill_skipped(scratch, work.n, rest, rest, T(1));

  const int nowhere = no_position;
  Swept swept{0, true};
  if (!work.weights.heavy)
    swept = sweep<R, H>(block, &nowhere, [&](R v, int k) FOCAL_LAMBDA {
      const R target = R::load(y + k), wp = work.positive_weight(k), wn = work.negative_weight(k);
      if constexpr (Hard) return loss.template hard<H>(v, target, wp, wn);
      else return loss.template soft<H>(v, target, rest ? R::load(rest + k) : R(1) - target, wp, wn);
    });
  const double sum = swept.large ? work.double_fallback(block) : swept.sum;
  if (work.skips) clear_skipped(scratch, block.out, work.n);
  return sum;
}

// Lists the positions in a block whose target is 1, for class-index targets along the last axis, and counts them.
template <class T>
FOCAL_NOINLINE int find_positives(const Plan &plan, BlockScratch<T> &scratch, int64_t begin, int64_t end, bool skips) {
  const FocalProblem &p = plan.problem;
  const int64_t first = begin / plan.classes, last = (end - 1) / plan.classes;
  read_numbers(p.targets, p.targets_dtype, first, last - first + 1, scratch.numbers);
  int count = 0;
  for (int64_t row = first; row <= last; row++) {
    const T index = scratch.numbers[row - first];
    if (!(index >= 0 && index < static_cast<T>(plan.classes)) || index == static_cast<T>(p.background)) continue;
    const int64_t at = row * plan.classes + static_cast<int64_t>(index) - begin;
    if (at >= 0 && at < end - begin && !(skips && scratch.skipped[at])) scratch.position[count++] = static_cast<int>(at);
  }
  scratch.position[count] = no_position;
  return count;
}

// The loss of the positives alone, beside everything: positive_value and positive_grad, scaled as the outputs are. Returns the sum.
template <class R, class T, class Loss>
FOCAL_NOINLINE double positives_apart(const BlockWork<R, T> &work, const Loss &loss, int count) {
  using One = decltype(fold(R()));
  BlockScratch<T> &scratch = work.scratch;
  for (int i = 0; i < count; i++) {
    scratch.positive_x[i] = work.x[scratch.position[i]];
    scratch.positive_weight[i] = work.weights.positive[scratch.position[i] & work.weights.mask];
  }
  for (int i = count; i % One::size != 0; i++) scratch.positive_x[i] = scratch.positive_weight[i] = 0;
  const Outputs<T> out(work.plan, work.arrays);
  double sum = 0;
  for (int i = 0; i < count; i += One::size) {
    const Element<One> e = loss.template positive<false>(One::load(scratch.positive_x + i), One::load(scratch.positive_weight + i));
    sum += sum_lanes(e.value);
    (e.value * One(out.value_scale)).store(scratch.positive_value + i);
    (e.grad * One(out.grad_scale)).store(scratch.positive_grad + i);
  }
  return sum;
}

// Weights up to this are left to the end of a block. A larger one would bring losses back that are too small for T.
constexpr double largest_late_weight = 4;

// Hard class-index targets along the last axis: a block of negatives, and its few positives.
template <class R, class T, class Loss> double class_index_block(const BlockWork<R, T> &work, const Loss &loss) {
  BlockScratch<T> &scratch = work.scratch;
  const double weight = work.plan.problem.negative_weight;
  const bool late = work.weights.mask == 0 && weight >= 0 && weight <= largest_late_weight;
  const Block<T> block = work.block(late ? weight : 1);
  const int positives = find_positives(work.plan, scratch, work.begin, work.end, work.skips);

  // They come first: the gradient may be about to overwrite their logits.
  double sum = positives > 0 ? positives_apart(work, loss, positives) : 0;
  Swept swept{0, true};
  if (late && !work.weights.heavy)
    swept = sweep<R, false>(block, scratch.position, [&](R v, int) FOCAL_LAMBDA { return loss.template negative<false>(v, Unit()); });
  else if (!work.weights.heavy)
    swept = sweep<R, false>(block, scratch.position, [&](R v, int k) FOCAL_LAMBDA {
      return loss.template negative<false>(v, work.negative_weight(k));
    });
  if (swept.large) {
    sum = work.double_fallback(block);
  } else {
    sum += swept.sum * (late ? weight : 1);
    for (int i = 0; i < positives; i++) {
      if (block.out.values) block.out.values[scratch.position[i]] = scratch.positive_value[i];
      if (block.out.grad) block.out.grad[scratch.position[i]] = scratch.positive_grad[i];
    }
  }
  if (work.skips) clear_skipped(scratch, block.out, work.n);
  return sum;
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
