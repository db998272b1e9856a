// Rows of softmax losses: one read of a row where it fits into the registers of those that share it.
#include "cuda/kernels/kernels.h"
#include "cuda/kernels/softmax_lanes.h"

namespace focal {
namespace FOCAL_NAMESPACE {

int64_t rows_per_tile(int64_t classes) { return classes < tile_elements ? tile_elements / (classes > 0 ? classes : 1) : 1; }

namespace {

template <class Group, class Row> FOCAL_ON_DEVICE double run_row_at(const Work &work, const Divisors &divisors, int64_t row, const Group &group) {
  const Plan &plan = work.plan;
  RowFacts facts = facts_of(plan, row);
  if (plan.problem.mask_per == FOCAL_PER_ELEMENT) take_classes_out(plan.problem, facts, group);
  Row numbers(plan.problem, facts, work.aligned);
  const double value = run_row(plan, divisors, facts, group, numbers);
  if (plan.problem.values && Group::index() == 0) put_number(plan.problem.values, plan.problem.dtype, row, value / divisors.value_divisor);
  return value;
}

// A warp has the rows of a tile, as many at a time as it has groups of lanes.
template <int Lanes, class Row> __global__ void __launch_bounds__(block_threads, 3) warp_kernel(const __grid_constant__ Work work) {
  using Group = LanesOfWarp<Lanes>;
  Divisors divisors;
  if (!begin(work, divisors)) return;
  for (int64_t tile = work.first_tile + warp_of_grid(); tile < work.last_tile; tile += warps_of_grid()) {
    const int64_t first = tile * work.rows_per_tile, left = work.plan.rows - first;
    const int64_t count = left < work.rows_per_tile ? left : work.rows_per_tile;
    double sum = 0;
    for (int64_t r = lane_of_warp() / Lanes; r < count; r += warp_lanes / Lanes) {
      const double value = run_row_at<Group, Row>(work, divisors, first + r, Group());
      if (Group::index() == 0) sum += value;
    }
    finish_tile(work, tile, sum_of_warp(sum));
  }
}

// A block has one row, which is a tile.
template <int Threads, class Row> __global__ void __launch_bounds__(Threads) block_kernel(const __grid_constant__ Work work) {
  Divisors divisors;
  if (!begin(work, divisors)) return;
  for (int64_t row = work.first_tile + blockIdx.x; row < work.last_tile; row += gridDim.x) {
    const double value = run_row_at<LanesOfBlock<Threads>, Row>(work, divisors, row, LanesOfBlock<Threads>());
    if (threadIdx.x < warp_lanes) finish_tile(work, row, value);
  }
}

template <class Kernel> cudaError_t start(Kernel kernel, const Work &work, int threads, int64_t tiles_a_block, int multiprocessors, cudaStream_t stream) {
  const int64_t tiles = work.last_tile - work.first_tile;
  unsigned blocks = 0;
  const cudaError_t error = blocks_for(kernel, multiprocessors, threads, (tiles + tiles_a_block - 1) / tiles_a_block, &blocks);
  return error != cudaSuccess ? error : launch(kernel, blocks, static_cast<unsigned>(threads), stream, work);
}

}  // namespace

cudaError_t launch_softmax(const Work &work, int multiprocessors, cudaStream_t stream) {
  const Plan &plan = work.plan;
  const auto warps = [&](auto kernel) { return start(kernel, work, block_threads, block_threads / warp_lanes, multiprocessors, stream); };
  const auto blocks = [&](auto kernel, int threads) { return start(kernel, work, threads, 1, multiprocessors, stream); };
  // Classes apart in memory, rows beside each other: a row a lane
  if ((plan.inner > 1 && plan.classes < tile_elements) || plan.classes <= 8) return warps(warp_kernel<1, ReadRow<LanesOfWarp<1>>>);
  if (plan.inner > 1) return blocks(block_kernel<1024, ReadRow<LanesOfBlock<1024>>>, 1024);
  const bool masked = plan.problem.mask_per == FOCAL_PER_ELEMENT;
  if (!masked && plan.classes <= 8 * 16) return warps(warp_kernel<8, KeptRow<LanesOfWarp<8>, 16>>);
  if (!masked && plan.classes <= 32 * 32) return warps(warp_kernel<32, KeptRow<LanesOfWarp<32>, 32>>);
  if (plan.classes < tile_elements) return warps(warp_kernel<32, ReadRow<LanesOfWarp<32>>>);
  if (!masked && plan.classes <= 1024 * 8) return blocks(block_kernel<1024, KeptRow<LanesOfBlock<1024>, 8>>, 1024);
  if (!masked && plan.classes <= 1024 * 32) return blocks(block_kernel<1024, KeptRow<LanesOfBlock<1024>, 32>>, 1024);
  return blocks(block_kernel<1024, ReadRow<LanesOfBlock<1024>>>, 1024);
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
