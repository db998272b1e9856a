// Blocks of element-wise losses whose logits and outputs are half precision: they are computed in scratch, in float.
#pragma once

#include "half.h"
#include "sweep.h"

namespace focal {
namespace FOCAL_NAMESPACE {

template <class T> class HalfBlocks {
 public:
  static size_t bytes(const Plan &plan) { return is_half(plan.problem.dtype) ? sizeof(Scratch) : 0; }

  FOCAL_INLINE HalfBlocks(const Plan &plan, void *scratch)
      : plan_(plan), scratch_(is_half(plan.problem.dtype) ? static_cast<Scratch *>(scratch) : nullptr) {}

  FOCAL_INLINE bool in_use() const { return scratch_ != nullptr; }

  // The block's logits, and room for its outputs.
  FOCAL_NOINLINE BlockArrays<T> read(int64_t begin, int64_t end) const {
    const FocalProblem &p = plan_.problem;
    with_stored<T>(p.logits, p.dtype, begin, [&](const auto *from) { copy_numbers(from, end - begin, scratch_->logits); });
    BlockArrays<T> arrays;
    arrays.logits = scratch_->logits;
    arrays.values = p.values ? scratch_->values : nullptr;
    arrays.grad = p.grad ? scratch_->grad : nullptr;
    arrays.hess = p.hess ? scratch_->hess : nullptr;
    return arrays;
  }

  // Rounds the outputs to where they belong. The gradient may be the logits, which have been read by now.
  FOCAL_NOINLINE void write(int64_t begin, int64_t end) const {
    const FocalProblem &p = plan_.problem;
    const auto put = [&](const T *from, void *array, int32_t dtype) {
      if (array) with_stored<T>(array, dtype, begin, [&](auto *to) { copy_numbers(from, end - begin, to); });
    };
    put(scratch_->values, p.values, p.dtype);
    put(scratch_->grad, p.grad, p.grad_dtype);
    put(scratch_->hess, p.hess, p.hess_dtype);
  }

 private:
  struct Scratch {
    alignas(64) T logits[block_elements], values[block_elements], grad[block_elements], hess[block_elements];
  };
  const Plan &plan_;
  Scratch *const scratch_;
};

// Numbers of double are never half precision.
template <> class HalfBlocks<double> {
 public:
  static size_t bytes(const Plan &) { return 0; }
  FOCAL_INLINE HalfBlocks(const Plan &, void *) {}
  static constexpr bool in_use() { return false; }
  BlockArrays<double> read(int64_t, int64_t) const { return {}; }
  void write(int64_t, int64_t) const {}
};

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
