// The kernels of one instruction set. Included once by each file in cpu/isa/, which sets FOCAL_NAMESPACE, the
// vectors' size and how many of them make a pack.
#pragma once

#include "../losses/sigmoid_focal.h"
#include "elementwise.h"
#include "softmax.h"

namespace focal {
namespace FOCAL_NAMESPACE {

using Floats = Pack<float, FOCAL_VECTOR_BYTES, FOCAL_FLOAT_VECTORS>;
using Doubles = Pack<double, FOCAL_VECTOR_BYTES, FOCAL_DOUBLE_VECTORS>;
static_assert(block_elements % Floats::size == 0 && block_elements % Doubles::size == 0, "blocks are whole packs");

template <class T> struct PackOf;
template <> struct PackOf<float> { using Long = Floats; using Short = Pack<float, FOCAL_VECTOR_BYTES, 2>; };
template <> struct PackOf<double> { using Long = Doubles; using Short = Pack<double, FOCAL_VECTOR_BYTES, 2>; };

struct True { static constexpr bool value = true; };
struct False { static constexpr bool value = false; };

// Calls f with the cheapest power for gamma.
template <class T, class F> FOCAL_INLINE void with_power(double gamma, F f) {
  if (gamma == 2) return f(Power2(gamma));
  if (gamma == 0) return f(Power0(gamma));
  if (gamma == 1) return f(Power1(gamma));
  if constexpr (sizeof(T) == sizeof(float)) {
    if (gamma == 0.5) return f(PowerHalf(gamma));
    if (gamma == 1.5) return f(Power3Halves(gamma));
    if (gamma == 3) return f(Power3(gamma));
    if (gamma == 4) return f(Power4(gamma));
    if (gamma == 5) return f(Power5(gamma));
  }
  f(PowerAny<T>(gamma));
}

// Calls f with the bounds of each block and keeps its sum.
template <class F> FOCAL_INLINE void each_block(const Plan &plan, int64_t first, int64_t last, double *sums, F f) {
  for (int64_t block = first; block < last; block++) {
    const int64_t begin = block * block_elements;
    const int64_t end = begin + block_elements < plan.elements ? begin + block_elements : plan.elements;
    sums[block] = f(begin, end);
  }
}

template <class T> void run_sigmoid_focal(const Plan &plan, int64_t first, int64_t last, void *scratch, double *sums) {
  using R = typename PackOf<T>::Long;
  const FocalProblem &p = plan.problem;
  Staged<T> &staged = *static_cast<Staged<T> *>(scratch);
  const Weights<T> one_weight = stage_one_weight<R>(plan, staged);
  const auto each = [&](auto body) {
    each_block(plan, first, last, sums, [&](int64_t begin, int64_t end) {
      return body(BlockWork<R, T>(plan, staged, one_weight, begin, end));
    });
  };
  const bool by_index = p.targets_kind == FOCAL_CLASS_INDEX && p.label_smoothing == 0;
  const bool mixture = p.soft_targets == FOCAL_MIXTURE;
  const PowerAny<T> any(p.gamma);
  const SigmoidFocal<PowerAny<T>, true> mixed{any};
  if (p.hess) {
    if (mixture) each([&](const auto &work) { return dense_block<R, true, false>(work, mixed); });
    else each([&](const auto &work) { return dense_block<R, true, false>(work, SigmoidFocal<PowerAny<T>, false>{any}); });
  } else if (by_index && plan.inner == 1) {
    with_power<T>(p.gamma, [&](auto power) {
      const SigmoidFocal<decltype(power), false> loss{power};
      each([&](const auto &work) { return class_index_block<R>(work, loss); });
    });
  } else if (by_index || plan.hard_labels) {
    with_common_power<T>(p.gamma, [&](auto power) {
      const SigmoidFocal<decltype(power), false> loss{power};
      each([&](const auto &work) { return dense_block<R, false, true>(work, loss); });
    });
  } else if (mixture) {
    each([&](const auto &work) { return dense_block<R, false, false>(work, mixed); });
  } else {
    with_common_power<T>(p.gamma, [&](auto power) {
      const SigmoidFocal<decltype(power), false> loss{power};
      each([&](const auto &work) { return dense_block<R, false, false>(work, loss); });
    });
  }
}

template <class T> void run_softmax_focal(const Plan &plan, int64_t first, int64_t last, void *scratch, double *sums) {
  using Kernel = SoftmaxKernel<typename PackOf<T>::Long, typename PackOf<T>::Short, T>;
  Kernel kernel{{plan, typename Kernel::Scratch(plan, scratch)}};
  for (int64_t block = first; block < last; block++) {
    const int64_t row = block * plan.rows_per_block, left = plan.rows - row;
    sums[block] = kernel.run(row, left < plan.rows_per_block ? left : plan.rows_per_block);
  }
}

// The kernel list: a new loss adds its line to both.
template <class T> void run_blocks_of(const Plan &plan, int64_t first, int64_t last, void *scratch, double *sums) {
  switch (plan.problem.loss) {
    case FOCAL_SIGMOID: return run_sigmoid_focal<T>(plan, first, last, scratch, sums);
    default: return run_softmax_focal<T>(plan, first, last, scratch, sums);
  }
}
template <class T> size_t scratch_bytes_of(const Plan &plan) {
  return plan.problem.loss == FOCAL_SOFTMAX ? SoftmaxKernel<typename PackOf<T>::Long, typename PackOf<T>::Short, T>::Scratch::bytes(plan) : sizeof(Staged<T>);
}

inline void run_blocks(const Plan &plan, int64_t first, int64_t last, void *scratch, double *sums) {
  if (plan.problem.dtype == FOCAL_FLOAT64) run_blocks_of<double>(plan, first, last, scratch, sums);
  else run_blocks_of<float>(plan, first, last, scratch, sums);
}
inline size_t scratch_bytes(const Plan &plan) {
  return plan.problem.dtype == FOCAL_FLOAT64 ? scratch_bytes_of<double>(plan) : scratch_bytes_of<float>(plan);
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
