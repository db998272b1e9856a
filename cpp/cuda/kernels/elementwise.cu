// Which kernel computes an element-wise loss.
#include "cuda/kernels/kernels.h"
#include "cuda/kernels/uniform.h"

namespace focal {
namespace FOCAL_NAMESPACE {

namespace {

template <class Kernel, class... Loss> cudaError_t start(Kernel kernel, const Work &work, int multiprocessors, cudaStream_t stream, const Loss &...loss) {
  const int64_t tiles = work.last_tile - work.first_tile, warps = block_threads / warp_lanes;
  unsigned blocks = 0;
  const cudaError_t error = blocks_for(kernel, multiprocessors, block_threads, (tiles + warps - 1) / warps, &blocks);
  return error != cudaSuccess ? error : launch(kernel, blocks, block_threads, stream, work, loss...);
}

template <class Kernels> cudaError_t launch_loss(const Work &work, int multiprocessors, cudaStream_t stream) {
  const FocalProblem &p = work.plan.problem;
  cudaError_t error = cudaSuccess;
  if (p.dtype == FOCAL_FLOAT64 || p.inputs == FOCAL_PROBABILITIES) return start(double_kernel<Kernels>, work, multiprocessors, stream);
  const auto uniform = [&]<bool ByIndex>(auto loss) {
    error = start(uniform_kernel<ByIndex, Kernels, decltype(loss)>, work, multiprocessors, stream, loss);
  };
  if (Kernels::gamma_per_class || !is_uniform(work.plan)) {
    Kernels::template exact<float>(p, [&](auto loss) {
      if (p.hess) error = start(general_kernel<true, Kernels, decltype(loss)>, work, multiprocessors, stream, loss);
      else error = start(general_kernel<false, Kernels, decltype(loss)>, work, multiprocessors, stream, loss);
    });
    return error;
  }
  if constexpr (Kernels::gamma_per_class) {
    return error;  // which has no kernel of its own for these
  } else if (p.targets_kind == FOCAL_DENSE) {
    Kernels::template soft<float>(p, [&](auto loss) { uniform.template operator()<false>(loss); });
  } else if constexpr (Kernels::two_labels) {
    Kernels::template hard<float>(p, [&](auto loss) { uniform.template operator()<true>(loss); });
  } else {
    Kernels::template soft<float>(p, [&](auto loss) { uniform.template operator()<true>(loss); });
  }
  return error;
}

}  // namespace

cudaError_t launch_element_wise(const Work &work, int multiprocessors, cudaStream_t stream) {
  cudaError_t error = cudaSuccess;
  with_kernels(work.plan.problem.loss, [&](auto kernels) { error = launch_loss<decltype(kernels)>(work, multiprocessors, stream); });
  return error;
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
