// One pass over a block of an element-wise loss: reads logits, writes what is asked for, adds up the values.
#pragma once

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
  Outputs(const Plan &plan, const BlockArrays<T> &arrays, double weight = 1)
      : values(arrays.values),
        grad(arrays.grad),
        hess(arrays.hess),
        value_scale(static_cast<T>(plan.value_scale * weight)),
        grad_scale(static_cast<T>(plan.grad_scale * weight)),
        least_hess(static_cast<T>(plan.problem.least_hess)) {}
};

template <class T> struct Block {
  const T *x;
  int n;
  T *backup;  // null, or where to keep the logits that the gradient overwrites
  T reach;    // the largest |x| that the loss can take
  Outputs<T> out;
};

struct Swept {
  double sum;
  bool large;  // is a logit beyond that? Then everything here is to be done again, in double
};

// Ends every list of positions.
constexpr int no_position = INT32_MAX;

// The values of elements begin, begin + 1, ... without those past `end` and those at `*position`, which are added up
// elsewhere; moves `position` on.
template <class R, class T> FOCAL_INLINE R without(R values, const int *&position, int begin, int end) {
  T lanes[R::size];
  values.store(lanes);
  for (; *position < begin + R::size; position++) lanes[*position - begin] = 0;
  for (int k = end - begin; k < R::size; k++) lanes[k] = 0;
  return R::load(lanes);
}

// Evaluates f(x, k) and writes what it gives. Sums in float over 16 steps of a pack, then in double, and leaves out
// the ascending positions of the list `uncounted`. Looks for large logits on the way: a pass of its own would wait for
// memory, which this one does not. The last, partial pack goes through buffers and the same loop: it is not worth a
// second copy of the formula.
template <class R, bool H, class T, class F>
FOCAL_INLINE Swept sweep(const Block<T> &block, const int *uncounted, F f) {
  using One = decltype(fold(R()));
  constexpr int chunk = 16 * R::size;
  const int n = block.n, whole = n - n % R::size;
  const Outputs<T> &out = block.out;
  T x_buffer[R::size], grad_buffer[R::size], value_buffer[R::size], hess_buffer[R::size];
  double sum = 0;
  One largest(0);
  for (int begin = 0; begin < n;) {
    const bool partial = begin == whole;
    const int left = n - begin, count = partial ? R::size : whole - begin;
    const size_t bytes = static_cast<size_t>(left) * sizeof(T);
    const T *x = block.x + begin;
    T *const grad = !out.grad ? nullptr : partial ? grad_buffer : out.grad + begin;
    T *const values = !out.values ? nullptr : partial ? value_buffer : out.values + begin;
    T *const hess = !H ? nullptr : partial ? hess_buffer : out.hess + begin;
    T *const backup = partial ? nullptr : block.backup;
    if (partial) {
      memset(x_buffer, 0, sizeof x_buffer);
      memcpy(x_buffer, x, bytes);
      if (block.backup) memcpy(block.backup + begin, x, bytes);
      x = x_buffer;
    }
    const R grad_scale(out.grad_scale), value_scale(out.value_scale);
    for (int k = 0; k < count;) {
      One total(0);
      const int stop = count - k > chunk ? k + chunk : count;
      for (; k < stop; k += R::size) {
        const R logits = R::load(x + k);
        Element<R> e = f(logits, begin + k);
        largest = larger(fold_larger(absolute(logits)), largest);
        if (backup) logits.store(backup + k);
        if (grad) (e.grad * grad_scale).store(grad + k);
        if (values) (e.value * value_scale).store(values + k);
        if constexpr (H) larger(R(out.least_hess), e.hess * grad_scale).store(hess + k);
        if (*uncounted < begin + k + R::size || partial) e.value = without<R, T>(e.value, uncounted, begin + k, n);
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
  return {sum, !(largest_lane(largest) <= block.reach)};
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
