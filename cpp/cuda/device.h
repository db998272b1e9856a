// What device code stands on: the formulas of cpp/losses on plain numbers, sixteen bytes at a time, and sums of a warp.
//
// Everything in cpp/cuda is compiled twice: by nvcc, and as plain C++ against cpp/cuda/emulator, which runs a kernel's
// threads as fibers, so that tests need no GPU. In double, formulas go through the C library (FOCAL_LIBM) and take any
// finite number; in float they are those of the CPU, but for one instruction of the hardware's.
#pragma once

#define FOCAL_NAMESPACE device
#define FOCAL_LIBM
#define FOCAL_DEVICE

#include <cuda_runtime.h>
#include <math.h>

#include "../losses/list.h"
#include "../half.h"
#include "../plan.h"

namespace focal {
namespace FOCAL_NAMESPACE {

constexpr unsigned all_lanes = 0xFFFFFFFFu;
constexpr int warp_lanes = 32;

FOCAL_INLINE double sum_of_warp(double x) {
  for (int lane = 16; lane > 0; lane /= 2) x += __shfl_xor_sync(all_lanes, x, lane);
  return x;
}

// Of a grid whose blocks have any number of warps.
__device__ FOCAL_INLINE int64_t warp_of_grid() {
  return (static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / warp_lanes;
}
__device__ FOCAL_INLINE int64_t warps_of_grid() { return static_cast<int64_t>(gridDim.x) * blockDim.x / warp_lanes; }
__device__ FOCAL_INLINE int lane_of_warp() { return static_cast<int>(threadIdx.x) % warp_lanes; }

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
