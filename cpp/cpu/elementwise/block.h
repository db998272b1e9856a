// Blocks of element-wise losses: value, gradient and hessian in one pass.
//
// Class-index targets cost nothing: every element of a block is a negative to the vector kernel, and the few positives
// are computed apart. Everything else goes through `hard` where all targets are 0 or 1, else through `soft`. Elements beyond the
// formulas are computed apart too, in double, whatever their neighbours are.
#pragma once

#include "cpu/double_fallback.h"
#include "half_block.h"
#include "cpu/targets/set_bytes.h"
#include "cpu/targets/staging.h"
#include "sweep.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// Scratch of one worker.
template <class T> struct BlockScratch {
  // room for a whole pack to be read past the end
  static constexpr int most_lanes = 128, size = block_elements + most_lanes;
  alignas(64) T y[size], rest[size], positive[size], negative[size], numbers[size];
  alignas(64) MaskOf<T> keep[size];  // of a sweep; all ones between blocks, where none is masked or ignored
  alignas(64) T one_positive[most_lanes], one_negative[most_lanes];
  alignas(64) T positive_x[size], positive_weight[size], positive_value[size], positive_grad[size];
  T outlier_x[size];
  int position[size], outlier_position[size];  // of the positives, and of the outliers
  uint8_t marks[size], row_marks[size];

  // Of a problem of so many elements, and the rest of their last pack.
  template <class R> FOCAL_NOINLINE void keep_all(int64_t elements) {
    const auto all = as_int(R(0)) - MaskOf<T>(1);
    for (int64_t k = 0; k < elements && k < block_elements; k += R::size) memcpy(keep + k, &all, sizeof all);
  }
};

// The weights of a block: those of element k are at `k & mask`, which is 0 where one weight serves all.
template <class T> struct Weights {
  const T *positive, *negative;
  int mask;
  bool heavy;  // too large for the fast path?
  const T *of_rows = nullptr;  // the rows' own of positives, whose place find_positives knows, where `positive` is yet without
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

// Is one of n numbers not below `limit` in size, or NaN?
template <class R, class T> FOCAL_NOINLINE bool is_any_from(const T *x, int64_t n, T limit) {
  R found(0);
  int64_t k = 0;
  for (; k + R::size <= n; k += R::size) found = select(R(limit) > absolute(R::load(x + k)), found, R(1));
  bool is_any = largest_lane(found) > 0;
  for (; k < n; k++) is_any |= !(absolute(x[k]) < limit);
  return is_any;
}

// The problem's one pair of weights, where it has no more.
template <class R, class T> FOCAL_NOINLINE Weights<T> stage_one_weight(const Plan &plan, BlockScratch<T> &scratch) {
  const T positive = raised_weight<T>(plan.problem.positive_weight), negative = raised_weight<T>(plan.problem.negative_weight);
  R(positive).store(scratch.one_positive);
  R(negative).store(scratch.one_negative);
  const bool heavy = plan.extreme_scale || larger(absolute(positive), absolute(negative)) > Limits<T>::weight;
  return {scratch.one_positive, scratch.one_negative, 0, heavy};
}

template <class T>
FOCAL_NOINLINE Weights<T> stage_block_weights(const Plan &plan, BlockScratch<T> &scratch, int64_t begin, int64_t end, bool lists_positives, bool skips) {
  const T *of_rows = nullptr;
  const bool light = stage_weights(plan, begin, end, Limits<T>::weight, scratch.positive, scratch.negative, scratch.y, scratch.numbers,
                                   lists_positives && !plan.extreme_scale ? &of_rows : nullptr, skips && has_valid_rows(plan) ? scratch.row_marks : nullptr);
  return {scratch.positive, scratch.negative, -1, plan.extreme_scale || !light, of_rows};
}

// One block and what is asked of it, the same for all kinds of targets.
template <class T, class Range> struct BlockWork {
  const Plan &plan;
  BlockScratch<T> &scratch;
  const BlockArrays<T> arrays;
  const int64_t begin, end;
  const int n;
  const bool skips;  // is an element of this block not valid?
  const Range range;  // what the loss's formulas take
  Weights<T> weights;
  Outliers<T> outliers;

  FOCAL_INLINE BlockWork(const Plan &p, BlockScratch<T> &s, const BlockArrays<T> &a, const Weights<T> &one_weight, const Range &taken,
                         bool lists_positives, int64_t from, int64_t to)
      : plan(p),
        scratch(s),
        arrays(a),
        begin(from),
        end(to),
        n(static_cast<int>(to - from)),
        skips(p.skips() && stage_valid(p, from, to, s.keep, s.marks, s.row_marks)),
        range(taken),
        weights(p.weighted() ? stage_block_weights(p, s, from, to, lists_positives, skips) : one_weight),
        outliers{s.outlier_x, s.outlier_position, 0} {
    if (weights.heavy) list_heavy();
  }

  // Elements whose own weight, or whose scale, is beyond the formulas. So is a weight that is none: it may be a number in double.
  FOCAL_NOINLINE void list_heavy() {
    for (int k = 0; k < n; k++) {
      const int at = k & weights.mask;
      const bool is_light = absolute(weights.positive[at]) <= Limits<T>::weight && absolute(weights.negative[at]) <= Limits<T>::weight;
      if ((is_light && !plan.extreme_scale) || scratch.keep[k] == 0) continue;
      outliers.add(k, arrays.logits[k]);
      scratch.keep[k] = 0;
    }
  }

  // `weight` multiplies all outputs, after the loss; `left_out` is as of a Block, where all is well with the others.
  FOCAL_INLINE Block<T, Range> block(const int *left_out, double weight = lowered<T>) const {
    const bool looks = (skips && !has_zero_weights()) || weights.heavy;
    return {arrays.logits, n, range, Outputs<T>(plan, arrays, weight), looks ? &every_position : left_out, scratch.keep};
  }
  // Do negatives that are not valid weigh nothing? They come out as 0 then, but for logits that the formulas do not take, which a sweep finds.
  FOCAL_INLINE bool has_zero_weights() const { return weights.of_rows && has_valid_rows(plan); }

  // What a sweep is to leave out, of so many listed positions: where they are many, it looks at every pack, as no branch foresees which has one.
  const int *left_out(int count) const {
    constexpr int many = keeps_in_registers<false> ? 128 : 24;
    return count > n / many ? &every_position : scratch.position;
  }

  template <class R> FOCAL_INLINE R positive_weight(int k) const { return R::load(weights.positive + (k & weights.mask)); }
  template <class R> FOCAL_INLINE R negative_weight(int k) const { return R::load(weights.negative + (k & weights.mask)); }

  // After a sweep, and after what else writes outputs: the outliers, in double. Returns the sum of their losses.
  FOCAL_NOINLINE double outliers_apart() {
    double sum = 0;
    for (int i = 0; i < outliers.count; i++) {
      const int k = outliers.position[i];
      const DoubleElement e = Range::apart(plan, begin + k, outliers.x[i]);
      scratch.keep[k] = -1;
      if (e.value == 0 && e.grad == 0 && !arrays.hess) continue;  // as a sweep leaves what it does not keep
      sum += e.value;
      if (arrays.grad) arrays.grad[k] = static_cast<T>(Range::bounded(e.grad / plan.grad_divisor));
      if (arrays.values) arrays.values[k] = static_cast<T>(e.value / plan.value_divisor);
      if (arrays.hess) arrays.hess[k] = static_cast<T>(Range::bounded(larger(plan.problem.least_hess, e.hess / plan.grad_divisor)));
    }
    return sum;
  }
};

// Any targets. `Hard`: all are 0 or 1.
template <class R, bool H, bool Hard, class T, class Range, class Loss>
double dense_block(BlockWork<T, Range> &work, const Loss &loss) {
  const FocalProblem &p = work.plan.problem;
  BlockScratch<T> &scratch = work.scratch;
  // Labels of the formula's own type need no copy, where whole packs of them can be read.
  const bool in_place = p.targets_kind == FOCAL_DENSE && p.targets_dtype == Stored<T>::dtype && p.label_smoothing == 0 && work.n % R::size == 0;
  const T *const y = in_place ? static_cast<const T *>(p.targets) + work.begin : scratch.y;
  // null: 1 - y itself, which has all the digits of a label that is no longer than the formula's numbers
  const bool is_short = sizeof(T) == sizeof(double) || p.targets_dtype != FOCAL_FLOAT64;
  T *const rest = Hard || (p.label_smoothing == 0 && is_short) ? nullptr : scratch.rest;
  if (!in_place) stage_targets(work.plan, work.begin, work.end, scratch.y, rest, scratch.numbers);
  T *const gamma_high = scratch.positive_x, *const gamma_low = scratch.positive_weight;  // which are of class_index_block
  if constexpr (requires { typename Loss::PowerPerElement; }) stage_gammas(work.plan, work.begin, work.end, gamma_high, gamma_low);
  const double sum = lowered<T> * sweep<R, H>(work.block(&nowhere), work.outliers, [&](R v, int k) FOCAL_LAMBDA {
    const R target = R::load(y + k), wp = work.template positive_weight<R>(k), wn = work.template negative_weight<R>(k);
    if constexpr (Hard) return loss.template hard<H>(v, target, wp, wn);
    else if constexpr (requires { typename Loss::PowerPerElement; })
      return loss.with(PowerAny<R>(R::load(gamma_high + k), R::load(gamma_low + k))).template soft<H>(v, target, rest ? R::load(rest + k) : R(1) - target, wp, wn);
    else return loss.template soft<H>(v, target, rest ? R::load(rest + k) : R(1) - target, wp, wn);
  });
  return work.outliers.count > 0 ? sum + work.outliers_apart() : sum;
}

// A loss of labels that are 0 or 1, smoothed by all to the same r.
template <class Loss, class T> struct SmoothedLabels {
  Loss loss;
  T r;
  template <bool H, class R> FOCAL_INLINE Element<R> hard(R x, R y, R wp, R wn) const { return loss.template smoothed<H>(x, y, R(r), wp, wn); }
};

template <class R, class T, class Range, class Loss> double smoothed_block(BlockWork<T, Range> &work, const Loss &loss) {
  const R r(static_cast<T>(work.plan.target_shift));
  BlockScratch<T> &scratch = work.scratch;
  for (int k = 0; k < (work.weights.mask == 0 ? R::size : work.n); k += R::size) {
    const R positive = R::load(work.weights.positive + k), negative = R::load(work.weights.negative + k);
    mixed_weight(r, positive, negative).store(scratch.positive + k);
    mixed_weight(r, negative, positive).store(scratch.negative + k);
  }
  work.weights.positive = scratch.positive, work.weights.negative = scratch.negative;
  return dense_block<R, false, true>(work, SmoothedLabels<Loss, T>{loss, static_cast<T>(work.plan.target_shift)});
}

// Lists the positions in a block whose target is 1, for class-index targets along the last axis, and counts them. They are not to be
// kept by a sweep. Those that the formulas do not take are left to it, which finds them.
template <class T, class Range> FOCAL_NOINLINE int find_positives(const BlockWork<T, Range> &work) {
  const Plan &plan = work.plan;
  const FocalProblem &p = plan.problem;
  BlockScratch<T> &scratch = work.scratch;
  const int64_t first = work.begin / plan.classes, last = (work.end - 1) / plan.classes;
  read_numbers(p.targets, p.targets_dtype, first, last - first + 1, scratch.numbers);
  int count = 0;
  for (int64_t row = first; row <= last; row++) {
    const T index = scratch.numbers[row - first];
    if (!(index >= 0 && index < static_cast<T>(plan.classes)) || index == static_cast<T>(p.background)) continue;
    const int64_t at = row * plan.classes + static_cast<int64_t>(index) - work.begin;
    if (at < 0 || at >= work.n || scratch.keep[at] == 0 || work.range.is_beyond(work.arrays.logits[at])) continue;
    scratch.keep[at] = 0;
    scratch.position[count++] = static_cast<int>(at);
    if (work.weights.of_rows) scratch.positive[at] = work.weights.of_rows[row - first];
  }
  scratch.position[count] = no_position;
  return count;
}

// Lists the positions in a block whose label, 0 or 1 where it is valid, is not 0, as find_positives does, and counts them; a few more than `most`
// are enough. `labels` may be null: those of `y` then. No branch hangs on where they are, which none could foresee.
template <class T, class Range> FOCAL_NOINLINE int find_labels(const BlockWork<T, Range> &work, const uint8_t *labels, int most) {
  constexpr int together = 64, usual = 4;  // of so many labels there are rarely more
  BlockScratch<T> &scratch = work.scratch;
  const int n = work.n;
  if (!labels) {
    for (int k = 0; k < n; k++) scratch.marks[k] = scratch.y[k] != 0;
    labels = scratch.marks;
  }
  int listed = 0;
  const auto list = [&](int from, uint64_t set) FOCAL_LAMBDA {
    const int found = __builtin_popcountll(set);
    int *to = scratch.position + listed;
    listed += found;
    int left = found;
    do {
      FOCAL_UNROLL for (int i = 0; i < usual; i++, set &= set - 1) *to++ = from + __builtin_ctzll(set | UINT64_C(1) << 63);
    } while ((left -= usual) > 0);
  };
  int k = 0;
  for (; k + together <= n && listed <= most; k += together) list(k, set_bytes(labels + k));
  if (k < n && listed <= most) {
    uint8_t rest[together] = {};
    memcpy(rest, labels + k, static_cast<size_t>(n - k));
    list(k, set_bytes(rest));
  }
  if (listed > most) return listed;
  int count = 0;
  for (int i = 0; i < listed; i++) {
    const int at = scratch.position[i];
    scratch.position[count] = at;
    count += (scratch.keep[at] != 0) & !work.range.is_beyond(work.arrays.logits[at]);
  }
  scratch.position[count] = no_position;
  return count;
}

// The loss of the positives alone, beside everything: positive_value and positive_grad, scaled as the outputs are. Returns the sum.
template <class R, class T, class Range, class Loss>
FOCAL_NOINLINE double positives_apart(const BlockWork<T, Range> &work, const Loss &loss, int count) {
  using One = decltype(fold(R()));
  BlockScratch<T> &scratch = work.scratch;
  for (int i = 0; i < count; i++) {
    scratch.positive_x[i] = work.arrays.logits[scratch.position[i]];
    scratch.positive_weight[i] = work.weights.positive[scratch.position[i] & work.weights.mask];
  }
  for (int i = count; i % One::size != 0; i++) scratch.positive_x[i] = scratch.positive_weight[i] = 0;
  const Outputs<T> out(work.plan, work.arrays, lowered<T>);
  double sum = 0;
  for (int i = 0; i < count; i += One::size) {
    const Element<One> e = loss.template positive<false>(One::load(scratch.positive_x + i), One::load(scratch.positive_weight + i));
    sum += sum_lanes(e.value);
    (e.value * One(out.value_scale)).store(scratch.positive_value + i);
    (e.grad * One(out.grad_scale)).store(scratch.positive_grad + i);
  }
  return lowered<T> * sum;
}

// After a sweep: the positives to where they belong.
template <class T, class Range> FOCAL_NOINLINE void put_positives(const BlockWork<T, Range> &work, int count) {
  BlockScratch<T> &scratch = work.scratch;
  for (int i = 0; i < count; i++) {
    const int at = scratch.position[i];
    if (work.arrays.values) work.arrays.values[at] = scratch.positive_value[i];
    if (work.arrays.grad) work.arrays.grad[at] = scratch.positive_grad[i];
    scratch.keep[at] = -1;
  }
}

// Hard class-index targets along the last axis: a block of negatives, and its few positives.
template <class R, class T, class Range, class Loss> double class_index_block(BlockWork<T, Range> &work, const Loss &loss) {
  const double weight = work.plan.problem.negative_weight, scale = larger(work.plan.grad_scale, work.plan.value_scale);
  // A weight is left to the end, unless it would bring losses back that are too small for T
  const bool late = work.weights.mask == 0 && weight >= 0 && weight * larger(1.0, scale) <= 1;
  const int positives = find_positives(work);

  // They come first: the gradient may be about to overwrite their logits.
  double sum = positives > 0 ? positives_apart<R>(work, loss, positives) : 0;
  if (late)
    sum += weight * sweep<R, false>(work.block(work.left_out(positives), weight), work.outliers, [&](R v, int) FOCAL_LAMBDA {
      return loss.template negative<false>(v, Unit());
    });
  else
    sum += lowered<T> * sweep<R, false>(work.block(work.left_out(positives)), work.outliers, [&](R v, int k) FOCAL_LAMBDA {
      return loss.template negative<false>(v, work.template negative_weight<R>(k));
    });
  put_positives(work, positives);
  return work.outliers.count > 0 ? sum + work.outliers_apart() : sum;
}

// y L(1) + (1 - y) L(0) of the two sides of a loss. A side that a hard label does not ask for is 0, and adds nothing.
template <class Negative, class Positive> struct BothSides {
  Negative negative;
  Positive positive;
  template <bool H, class R> FOCAL_INLINE Element<R> soft(R x, R y, R rest, R wp, R wn) const {
    return sum<H>(negative.template negative<H>(x, wn * rest), positive.template positive<H>(x, wp * y));
  }
};

// Any targets of a loss that is a sum of two sides. Where they are hard, and few are 1, every element is a negative, and those few are computed apart.
// Else both sides of each are computed, in packs of `Both`.
template <class R, class Both, class T, class Range, class Negative, class Positive>
double two_sided_block(BlockWork<T, Range> &work, const Negative &negative, const Positive &positive, bool hard) {
  const Plan &plan = work.plan;
  const FocalProblem &p = plan.problem;
  BlockScratch<T> &scratch = work.scratch;
  const bool of_bytes = p.targets_kind == FOCAL_DENSE && p.targets_dtype == FOCAL_UINT8;
  const int few = work.n / 8;
  int positives = few + 1;
  if (hard) {
    if (!of_bytes) stage_targets<T>(plan, work.begin, work.end, scratch.y, nullptr, scratch.numbers);
    positives = find_labels(work, of_bytes ? static_cast<const uint8_t *>(p.targets) + work.begin : nullptr, few);
  }
  if (positives > few) return dense_block<Both, false, false>(work, BothSides<Negative, Positive>{negative, positive});
  for (int i = 0; i < positives; i++) scratch.keep[scratch.position[i]] = 0;
  // They come first: the gradient may be about to overwrite their logits.
  double sum = positives > 0 ? positives_apart<R>(work, positive, positives) : 0;
  sum += lowered<T> * sweep<R, false>(work.block(work.left_out(positives)), work.outliers, [&](R v, int k) FOCAL_LAMBDA {
    return negative.template negative<false>(v, work.template negative_weight<R>(k));
  });
  put_positives(work, positives);
  return work.outliers.count > 0 ? sum + work.outliers_apart() : sum;
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
