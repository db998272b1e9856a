// What the kernels of one call share in the device's memory, and the sums of its losses.
//
// A tile (2,048 logits, or rows of about as many) is added up by one warp (softmax of long rows: by one block), 128 tiles
// are a block of the sum, and blocks are added one after the other. Whoever finishes the last tile of a block adds up
// the block, and whoever finishes the last block the whole: always in the same order, so that the bits are the same in every
// run. Only the tickets that tell who is last are drawn by atomic additions.
#pragma once

#include "device.h"

namespace focal {
namespace FOCAL_NAMESPACE {

constexpr int tile_elements = 2048, tiles_per_block = 128;
static_assert(tile_elements * tiles_per_block == 262144, "cuda.h: FOCAL_CUDA_BLOCK_ELEMENTS");

// Counts of the target scan are whole numbers, which atomic additions add exactly in any order.
struct State {
  unsigned long long elements, rows, positives;
  unsigned long long bad_target, bad_probability, bad_row;  // the first one; `nowhere` where there is none
  double sum;
  unsigned long long blocks_done;
};
constexpr unsigned long long nowhere = ~0ull;

// A call, as its kernels see it. Pointers are the device's; those of logits and outputs may begin elsewhere than the call does,
// so that they are right for the tiles at hand.
struct Work {
  Plan plan;
  State *state;
  double *tile_sums, *block_sums;
  unsigned *tickets;  // of each block: how many of its tiles are done
  int64_t rows_per_tile;  // softmax
  int64_t tiles, first_tile, last_tile;  // of the call; of this launch
  bool aligned;  // may logits, outputs and dense targets be accessed by fours?
};

FOCAL_ON_DEVICE int64_t blocks_of(int64_t tiles) { return (tiles + tiles_per_block - 1) / tiles_per_block; }

// Has the target scan found nothing wrong? Then outputs are divided by these.
FOCAL_ON_DEVICE bool begin(const Work &work, Divisors &divisors) {
  const State &state = *work.state;
  if (state.bad_target != nowhere || state.bad_probability != nowhere || state.bad_row != nowhere) return false;
  const FocalProblem &p = work.plan.problem;
  divisors.divide_by(p, denominator_of(p, static_cast<double>(state.elements), static_cast<double>(state.rows),
                                       static_cast<double>(state.positives)));
  return true;
}

// The sum of all tiles of a block, by a whole warp.
FOCAL_ON_DEVICE double sum_of_block(const Work &work, int64_t block) {
  const int64_t first = block * tiles_per_block, left = work.tiles - first;
  const volatile double *const sums = work.tile_sums + first;
  double sum = 0;
  for (int k = lane_of_warp(); k < tiles_per_block && k < left; k += warp_lanes) sum += sums[k];
  return sum_of_warp(sum);
}

// The blocks in their order, after what came before them, by a whole warp.
FOCAL_ON_DEVICE double sum_of_blocks(const Work &work) {
  const int64_t blocks = blocks_of(work.tiles);
  const volatile double *const sums = work.block_sums;
  double total = work.plan.problem.sum_before;
  for (int64_t first = 0; first < blocks; first += warp_lanes) {
    const double own = first + lane_of_warp() < blocks ? sums[first + lane_of_warp()] : 0;
    for (int k = 0; k < warp_lanes && first + k < blocks; k++) total += __shfl_sync(all_lanes, own, k);
  }
  return total;
}

// Keeps a tile's sum, which all lanes of the calling warp know, and adds up what it was the last of.
FOCAL_ON_DEVICE void finish_tile(const Work &work, int64_t tile, double sum) {
  const int64_t block = tile / tiles_per_block, blocks = blocks_of(work.tiles);
  const int64_t of_block = block + 1 < blocks ? tiles_per_block : work.tiles - block * tiles_per_block;
  unsigned is_last = 0;
  if (lane_of_warp() == 0) {
    work.tile_sums[tile] = sum;
    __threadfence();
    is_last = atomicAdd(&work.tickets[block], 1u) + 1 == of_block;
  }
  if (!__shfl_sync(all_lanes, is_last, 0)) return;
  __threadfence();
  const double block_sum = sum_of_block(work, block);
  if (lane_of_warp() == 0) {
    work.block_sums[block] = block_sum;
    __threadfence();
    is_last = atomicAdd(&work.state->blocks_done, 1ull) + 1 == static_cast<unsigned long long>(blocks);
  }
  if (!__shfl_sync(all_lanes, is_last, 0)) return;
  __threadfence();
  const double total = sum_of_blocks(work);
  if (lane_of_warp() == 0) work.state->sum = total;
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
