// One pass over a block of an element-wise loss: reads logits, writes what is asked for, adds up the values.
//
// No element has an effect on another's numbers: an operation of a pack is one of each lane. What the formulas do not take, and
// what is not valid, goes through them too; its lanes are 0 in the end.
#pragma once

#include <initializer_list>

#include "cpu/double_fallback.h"
#include "losses/element.h"
#include "plan.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// Where a block's numbers lie; an output that is not wanted is null.
template <class T> struct BlockArrays {
  const T *logits;
  T *values, *grad, *hess;

  BlockArrays() = default;
  // In the problem's own arrays
  BlockArrays(const FocalProblem &p, int64_t begin)
      : logits(static_cast<const T *>(p.logits) + begin),
        values(p.values ? static_cast<T *>(p.values) + begin : nullptr),
        grad(p.grad ? static_cast<T *>(p.grad) + begin : nullptr),
        hess(p.hess ? static_cast<T *>(p.hess) + begin : nullptr) {}
};

// Where a block's outputs go; any pointer may be null.
template <class T> struct Outputs {
  T *values, *grad, *hess;
  T value_scale, grad_scale;
  T least_hess;

  // `weight` multiplies everything: it is what the loss was not given.
  Outputs(const Plan &plan, const BlockArrays<T> &arrays, double weight)
      : values(arrays.values),
        grad(arrays.grad),
        hess(arrays.hess),
        value_scale(static_cast<T>(plan.extreme_scale ? 0 : plan.value_scale * weight)),  // where nothing is kept, 0 times it is to be 0
        grad_scale(static_cast<T>(plan.extreme_scale ? 0 : plan.grad_scale * weight)),
        least_hess(static_cast<T>(plan.problem.least_hess)) {}
};

// Masks of elements: all ones, or 0.
template <class T> using MaskOf = typename Bits<T>::Int;

// Elements that are computed apart, in double.
template <class T> struct Outliers {
  T *x;
  int *position;
  int count;

  FOCAL_INLINE void add(int at, T logit) {
    x[count] = logit;
    position[count++] = at;
  }
};

// Ends every list of positions.
constexpr int no_position = INT32_MAX;
// Where every pack is to be looked at, instead of a list.
static constexpr int every_position = -1, nowhere = no_position;  // of no list

// What a loss's formulas take: logits up to a size. Others go through the C library.
template <class T> class Magnitudes {
 public:
  FOCAL_INLINE explicit Magnitudes(T reach)
      : reach_(reach < Limits<T>::square ? reach : Limits<T>::square), far_(reach > 0 ? reach_ * reach_ * T(0.999) : T(-1)) {}

  FOCAL_INLINE bool is_beyond(T x) const { return absolute(x) > reach_; }
  static DoubleElement apart(const Plan &plan, int64_t k, T x) { return double_fallback_element(plan, k, x); }
  static double bounded(double derivative) { return derivative; }
  // A bit for each lane of one vector.
  template <class One> FOCAL_INLINE uint32_t lanes_beyond(One x) const { return lanes_above(absolute(x), reach_); }
  // Of a pack, cheaper than the largest |x|. It may be said in vain, where many are large or one is NaN.
  template <class R> FOCAL_INLINE bool may_be_beyond(R x) const { return any_lane_above(fold_squares(x), far_); }

 private:
  T reach_, far_;
};

template <class T, class Range> struct Block {
  const T *x;
  int n;
  Range range;  // what the loss can take
  Outputs<T> out;
  const int *left_out;  // the ascending positions of elements that are not to be kept, or &every_position
  MaskOf<T> *keep;      // 0 for these, all ones for others; and 0 for outliers, once they are listed
};

// Lists the elements of a pack that are beyond the formulas, from `begin` on; they are not to be kept.
template <class R, class T, class Range>
FOCAL_NOINLINE void list_outliers(const T *x, MaskOf<T> *keep, const Range &range, int begin, Outliers<T> &outliers) {
  using One = decltype(fold(R()));
  constexpr int most = R::size % 64 == 0 ? 64 : R::size < 64 ? R::size : 48;  // lanes at a time, which R has times a whole number
  static_assert(R::size % most == 0 && most % One::size == 0, "whole vectors");
  for (int from = 0; from < R::size; from += most) {
    uint64_t lanes = 0;
    FOCAL_UNROLL for (int at = 0; at < most; at += One::size) lanes |= static_cast<uint64_t>(range.lanes_beyond(One::load(x + from + at))) << at;
    for (; lanes != 0; lanes &= lanes - 1) {
      const int k = from + __builtin_ctzll(lanes);
      if (keep[k] == 0) continue;
      outliers.add(begin + k, x[k]);
      keep[k] = 0;
    }
  }
}

// Outputs of a pack that are not to be kept become 0.
template <class R, class T> FOCAL_NOINLINE void keep_lanes(const MaskOf<T> *keep, std::initializer_list<T *> outputs) {
  for (T *const output : outputs)
    if (output) masked(load_mask<R>(keep), R::load(output)).store(output);
}

// Whether what is kept is chosen in registers. Two ways to a pack in registers cost WebAssembly half its speed, and a Hessian's bound comes
// after: then it is chosen in memory.
#ifdef __wasm_simd128__
template <bool H> constexpr bool keeps_in_registers = false;
#else
template <bool H> constexpr bool keeps_in_registers = !H;
#endif

// The same address, which a compiler does not know to be the same: what is read there again takes no registers in between.
template <class T> FOCAL_INLINE const T *apart(const T *from) {
  asm("" : "+r"(from));
  return from;
}

// Evaluates f(x, k) and writes what it gives. Sums in float over 16 steps of a pack, then in double. Elements that are not to be kept come
// out as 0, and so do those out of reach, which are listed. The last, partial pack goes through buffers and the same loop: it is
// not worth a second copy of the formula.
template <class R, bool H, class T, class Range, class F>
FOCAL_INLINE double sweep(const Block<T, Range> &block, Outliers<T> &outliers, F f) {
  using One = decltype(fold(R()));
  constexpr int chunk = 16 * R::size;
  const int n = block.n, whole = n - n % R::size;
  const Outputs<T> &out = block.out;
  const int *left_out = block.left_out;
  int next = *left_out;
  const auto go_on = [&](int from) FOCAL_LAMBDA {  // past the pack that begins there
    while (*left_out >= from && *left_out < from + R::size) left_out++;
    next = *left_out;
  };
  T x_buffer[R::size], grad_buffer[R::size], value_buffer[R::size], hess_buffer[R::size];
  const Range range = block.range;
  double sum = 0;
  for (int begin = 0; begin < n;) {
    const bool partial = begin == whole;
    const int left = n - begin, count = partial ? R::size : whole - begin;
    const size_t bytes = static_cast<size_t>(left) * sizeof(T);
    const T *x = block.x + begin;
    T *const grad = !out.grad ? nullptr : partial ? grad_buffer : out.grad + begin;
    T *const values = !out.values ? nullptr : partial ? value_buffer : out.values + begin;
    T *const hess = !H ? nullptr : partial ? hess_buffer : out.hess + begin;
    MaskOf<T> *const keep = block.keep + begin;
    if (partial) {
      memset(x_buffer, 0, sizeof x_buffer);
      memcpy(x_buffer, x, bytes);
      x = x_buffer;
      for (int k = left; k < R::size; k++) keep[k] = 0;
      left_out = &every_position;
      next = every_position;
    }
    const R grad_scale(out.grad_scale), value_scale(out.value_scale);
    for (int k = 0; k < count;) {
      One total(0);
      const int stop = count - k > chunk ? k + chunk : count;
      for (; k < stop; k += R::size) {
        if (range.may_be_beyond(R::load(apart(x + k)))) {
          list_outliers<R>(x + k, keep + k, block.range, begin + k, outliers);
          next = begin + k;
        }
        Element<R> e = f(R::load(x + k), begin + k);
        if constexpr (keeps_in_registers<H>)
          if (next < begin + k + R::size) {
            const auto mask = load_mask<R>(keep + k);
            e.value = masked(mask, e.value);
            e.grad = masked(mask, e.grad);
            go_on(begin + k);
          }
        if (grad) (e.grad * grad_scale).store(grad + k);
        if (values) (e.value * value_scale).store(values + k);
        if constexpr (H) larger(R(out.least_hess), e.hess * grad_scale).store(hess + k);
        if constexpr (!keeps_in_registers<H>)
          if (next < begin + k + R::size) {
            T lanes[R::size];
            e.value.store(lanes);
            keep_lanes<R>(keep + k, {lanes, grad ? grad + k : nullptr, values ? values + k : nullptr, hess ? hess + k : nullptr});
            e.value = R::load(lanes);
            go_on(begin + k);
          }
        total = total + fold(e.value);
      }
      sum += sum_lanes(total);
    }
    if (partial) {
      if (grad) memcpy(out.grad + begin, grad_buffer, bytes);
      if (values) memcpy(out.values + begin, value_buffer, bytes);
      if constexpr (H) memcpy(out.hess + begin, hess_buffer, bytes);
    }
    begin += count;
  }
  return sum;
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
