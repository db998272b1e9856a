// The kernels of one instruction set. Included once by each file in cpu/isa/, which sets FOCAL_NAMESPACE, the
// vectors' size and how many of them make a pack.
#pragma once

#include <algorithm>
#include <type_traits>

#include "losses/list.h"
#include "cpu/elementwise/block.h"
#include "cpu/flush_to_zero.h"
#include "cpu/probability/block.h"
#include "cpu/probability/sweep.h"
#include "cpu/softmax/kernel.h"
#include "cpu/targets/indices.h"
#include "cpu/targets/labels.h"

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

// Calls f with the bounds of each block and keeps its sum.
template <class F> FOCAL_INLINE void each_block(const Plan &plan, int64_t first, int64_t last, double *sums, F f) {
  for (int64_t block = first; block < last; block++) {
    const int64_t begin = block * block_elements;
    const int64_t end = begin + block_elements < plan.elements ? begin + block_elements : plan.elements;
    sums[block] = f(begin, end);
  }
}

// Blocks of an element-wise loss, with what is the same for all of them.
template <class T, class Range> class Blocks {
 public:
  FOCAL_INLINE Blocks(const Plan &plan, int64_t first, int64_t last, void *scratch, double *sums, const Range &range)
      : plan_(plan),
        first_(first),
        last_(last),
        sums_(sums),
        own_(*static_cast<BlockScratch<T> *>(scratch)),
        half_(plan, &own_ + 1),
        one_weight_(stage_one_weight<typename PackOf<T>::Long>(plan, own_)),
        range_(range) {
    own_.template keep_all<typename PackOf<T>::Long>(plan.elements);
  }

  // Calls body with the work of each block, and keeps the sum that it returns. Does it call find_positives?
  template <class F> FOCAL_INLINE void each(F body, bool lists_positives = false) const {
    each_block(plan_, first_, last_, sums_, [&](int64_t begin, int64_t end) FOCAL_LAMBDA {
      const BlockArrays<T> arrays = half_.in_use() ? half_.read(begin, end) : BlockArrays<T>(plan_.problem, begin);
      BlockWork<T, Range> work(plan_, own_, arrays, one_weight_, range_, lists_positives, begin, end);
      const double sum = body(work);
      if (half_.in_use()) half_.write(begin, end);
      return sum;
    });
  }

 private:
  const Plan &plan_;
  const int64_t first_, last_;
  double *const sums_;
  BlockScratch<T> &own_;
  const HalfBlocks<T> half_;
  const Weights<T> one_weight_;
  const Range range_;
};

// Formulas that few ask for are computed in short packs, which are half the code.
template <class Loss, class T, class R> struct PackOfLoss { using Type = R; };
template <class Loss, class T, class R> requires(Loss::is_rare) struct PackOfLoss<Loss, T, R> { using Type = typename PackOf<T>::Short; };

// Is what is too small on the way too small in the end? Raised weights (cpu/targets/staging.h) leave room for a scale, and for sums of some terms.
template <class T> bool flushes(const Plan &plan) { return sizeof(T) == sizeof(float) && 16 * larger(plan.grad_scale, plan.value_scale) <= raise<T>; }

// A module that pages load does with less code: without a sweep of their own for second derivatives of labels that are 0 or 1 and for such that
// are smoothed, and with short packs for both sides of a loss.
#ifdef __wasm_simd128__
constexpr bool saves_code = true;
#else
constexpr bool saves_code = false;
#endif

template <class T, class Kernels> void run_element_wise(const Plan &plan, int64_t first, int64_t last, void *scratch, double *sums) {
  using Long = typename PackOf<T>::Long;
  using Exact = std::conditional_t<Kernels::compact, typename PackOf<T>::Short, Long>;
  using R = std::conditional_t<sizeof(T) == sizeof(double), Exact, Long>;
  const FocalProblem &p = plan.problem;
  const FlushToZero flush(flushes<T>(plan));
  const Magnitudes<T> range(static_cast<T>(Kernels::reach(p, Limits<T>::logistic)));
  const Blocks<T, Magnitudes<T>> blocks(plan, first, last, scratch, sums, range);
  const bool by_index = p.targets_kind == FOCAL_CLASS_INDEX && p.label_smoothing == 0;
  const bool hard = by_index || plan.hard_labels || (is_integer(p.targets_dtype) && p.label_smoothing == 0);
  if constexpr (sizeof(T) == sizeof(float) && !saves_code)
    if (p.hess && hard && Kernels::second_hard(p, [&](const auto &loss) {
          blocks.each([&](auto &work) { return dense_block<R, true, true>(work, loss); });
        }))
      return;
  if (p.hess)
    return Kernels::template second<T>(p, [&](const auto &loss) {
      using P = typename PackOfLoss<std::decay_t<decltype(loss)>, T, Exact>::Type;
      blocks.each([&](auto &work) { return dense_block<P, true, false>(work, loss); });
    });
  if constexpr (Kernels::few_positives)
    if (by_index && plan.inner == 1)
      return Kernels::template index<T>(p, [&](const auto &loss) {
        blocks.each([&](auto &work) { return class_index_block<R>(work, loss); }, true);
      });
  const bool smoothed = p.label_smoothing > 0 && p.label_smoothing < 1 && (p.targets_kind == FOCAL_CLASS_INDEX || is_integer(p.targets_dtype));
  if constexpr (sizeof(T) == sizeof(float) && !saves_code)
    if (smoothed && Kernels::smoothed(p, [&](const auto &loss) {
          blocks.each([&](auto &work) { return smoothed_block<R>(work, loss); });
        }))
      return;
  if constexpr (Kernels::two_labels)
    if (hard)
      return Kernels::template hard<T>(p, [&](const auto &loss) {
        blocks.each([&](auto &work) { return dense_block<R, false, true>(work, loss); });
      });
  if constexpr (Kernels::two_sided && sizeof(T) == sizeof(float))
    Kernels::sides(p, [&](const auto &negative, const auto &positive) {
      using P = typename PackOfLoss<std::decay_t<decltype(negative)>, T, R>::Type;
      using Both = std::conditional_t<saves_code, typename PackOf<T>::Short, P>;
      blocks.each([&](auto &work) { return two_sided_block<P, Both>(work, negative, positive, hard); });
    });
  else
    Kernels::template soft<T>(p, [&](const auto &loss) {
      using P = typename PackOfLoss<std::decay_t<decltype(loss)>, T, R>::Type;
      blocks.each([&](auto &work) { return dense_block<P, false, false>(work, loss); });
    });
}

template <class T> void run_softmax_focal(const Plan &plan, int64_t first, int64_t last, void *scratch, double *sums) {
  using Kernel = SoftmaxKernel<typename PackOf<T>::Long, typename PackOf<T>::Short, T>;
  Kernel kernel(plan, scratch);
  for (int64_t block = first; block < last; block++) {
    const int64_t row = block * plan.rows_per_block, left = plan.rows - row;
    sums[block] = kernel.run(row, left < plan.rows_per_block ? left : plan.rows_per_block);
  }
}

inline void run_probabilities(const Plan &plan, int64_t first, int64_t last, void *scratch, double *sums) {
  with_kernels(plan.problem.loss, [&](auto kernels) {
    if constexpr (decltype(kernels)::sweeps_probabilities)
      if (is_for_probability_sweep(plan))
        return decltype(kernels)::template second<float>(plan.problem, [&](const auto &loss) {
          using Loss = std::decay_t<decltype(loss)>;
          using P = typename PackOfLoss<Loss, float, Floats>::Type;
          const OfProbability<Loss> given{loss};
          Blocks<float, Probabilities>(plan, first, last, scratch, sums, {}).each([&](auto &work) {
            return dense_block<P, false, false>(work, given);
          });
        });
    decltype(kernels)::template exact<double>(plan.problem, [&](const auto &loss) {
      each_block(plan, first, last, sums, [&](int64_t begin, int64_t end) {
        return probability_block<PackOf<double>::Short>(plan, *static_cast<ProbabilityScratch *>(scratch), begin, end, loss);
      });
    });
  });
}

template <class T> void run_blocks_of(const Plan &plan, int64_t first, int64_t last, void *scratch, double *sums) {
  if (plan.problem.loss == FOCAL_SOFTMAX) return run_softmax_focal<T>(plan, first, last, scratch, sums);
  if (plan.problem.inputs == FOCAL_PROBABILITIES) return run_probabilities(plan, first, last, scratch, sums);
  with_kernels(plan.problem.loss, [&](auto kernels) {
    run_element_wise<T, decltype(kernels)>(plan, first, last, scratch, sums);
  });
}
template <class T> size_t scratch_bytes_of(const Plan &plan) {
  if (plan.problem.loss == FOCAL_SOFTMAX) return SoftmaxKernel<typename PackOf<T>::Long, typename PackOf<T>::Short, T>::Scratch::bytes(plan);
  if (plan.problem.inputs == FOCAL_PROBABILITIES) return std::max(sizeof(ProbabilityScratch), sizeof(BlockScratch<float>));
  return sizeof(BlockScratch<T>) + HalfBlocks<T>::bytes(plan);
}

inline void run_blocks(const Plan &plan, int64_t first, int64_t last, void *scratch, double *sums) {
  if (plan.problem.dtype == FOCAL_FLOAT64) run_blocks_of<double>(plan, first, last, scratch, sums);
  else run_blocks_of<float>(plan, first, last, scratch, sums);
}
inline size_t scratch_bytes(const Plan &plan) {
  return plan.problem.dtype == FOCAL_FLOAT64 ? scratch_bytes_of<double>(plan) : scratch_bytes_of<float>(plan);
}

constexpr Kernels kernels{scratch_bytes, run_blocks, look_at_indices, look_at_labels, look_at_marked_labels, mark_byte_labels};

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
