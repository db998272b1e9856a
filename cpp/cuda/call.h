// A call on its way through a device: what was asked for, where its arrays lie, and what its kernels are told.
#pragma once

#include "context.h"
#include "cuda/kernels/kernels.h"

namespace focal {
namespace FOCAL_NAMESPACE {

struct Call {
  Call(FocalCuda &cuda, const FocalProblem &given, uint32_t on_device)
      : cuda(cuda), given(given), on_device(on_device), element_wise(given.loss != FOCAL_SOFTMAX), work{} {
    work.plan = plan_of(given);
    work.rows_per_tile = rows_per_tile(work.plan.classes);
    const int64_t each = element_wise ? tile_elements : work.rows_per_tile;
    work.tiles = ((element_wise ? plan().elements : plan().rows) + each - 1) / each;
  }

  FocalCuda &cuda;
  const FocalProblem &given;  // with the caller's addresses
  const uint32_t on_device;
  const bool element_wise;
  Work work;  // with the device's

  const Plan &plan() const { return work.plan; }
  bool lies(uint32_t bit) const { return (on_device & bit) != 0; }
  bool is_cancelled() const { return given.cancelled && __atomic_load_n(given.cancelled, __ATOMIC_RELAXED) != 0; }

  // Are logits and outputs all the device's?
  bool stays() const {
    return lies(FOCAL_CUDA_LOGITS) && (!given.values || lies(FOCAL_CUDA_VALUES)) && (!given.grad || lies(FOCAL_CUDA_GRAD)) &&
           (!given.hess || lies(FOCAL_CUDA_HESS));
  }
  // Do they go through it in stretches? Rows whose classes are apart come whole, and so do probabilities, which the target scan looks at.
  bool travels() const { return !stays() && given.inputs == FOCAL_LOGITS && (element_wise || plan().inner == 1); }

  size_t value_count() const { return static_cast<size_t>(element_wise ? plan().elements : plan().rows); }
  int64_t elements_per_tile() const { return element_wise ? tile_elements : work.rows_per_tile * plan().classes; }

  // Whole blocks of the sum of about so many elements.
  int64_t tiles_of(int64_t elements) const {
    const int64_t of_block = tiles_per_block * elements_per_tile();
    return tiles_per_block * (elements > of_block ? elements / of_block : 1);
  }

  // Of `work`, or of one with other addresses.
  cudaError_t launch_tiles(Work &of, int64_t first, int64_t last, cudaStream_t stream) const {
    of.first_tile = first;
    of.last_tile = last;
    return element_wise ? launch_element_wise(of, cuda.multiprocessors, stream) : launch_softmax(of, cuda.multiprocessors, stream);
  }
};

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
