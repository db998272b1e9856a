// What device code stands on: the formulas of cpp/losses on plain numbers, sixteen bytes at a time, and sums of a warp.
//
// Everything in cpp/cuda is compiled twice: by nvcc, and as plain C++ against cpp/cuda/emulator, which runs a kernel's
// threads as fibers, so that tests need no GPU. In double, formulas go through the C library (FOCAL_LIBM) and take any
// finite number; in float they are those of the CPU, but for an instruction of the hardware's (FOCAL_GPU).
#pragma once

#define FOCAL_NAMESPACE device
#define FOCAL_LIBM
#define FOCAL_GPU

#include <cuda_runtime.h>
#include <math.h>

#ifdef __CUDACC__
#define FOCAL_ON_DEVICE __device__ __forceinline__
#define FOCAL_UNROLLED _Pragma("unroll")  // so that arrays are registers
#define FOCAL_ON_DEVICE_APART __device__ __noinline__  // what is rare
#else
#define FOCAL_ON_DEVICE inline __attribute__((always_inline))
#define FOCAL_UNROLLED
#define FOCAL_ON_DEVICE_APART inline __attribute__((noinline))
#endif

#include "instructions.h"

#include "losses/list.h"
#include "half.h"
#include "plan.h"

namespace focal {
namespace FOCAL_NAMESPACE {

constexpr unsigned all_lanes = 0xFFFFFFFFu;
constexpr int warp_lanes = 32;

FOCAL_ON_DEVICE double sum_of_warp(double x) {
  for (int lane = 16; lane > 0; lane /= 2) x += __shfl_xor_sync(all_lanes, x, lane);
  return x;
}

// Of a grid whose blocks have any number of warps.
FOCAL_ON_DEVICE int64_t warp_of_grid() {
  return (static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / warp_lanes;
}
FOCAL_ON_DEVICE int64_t warps_of_grid() { return static_cast<int64_t>(gridDim.x) * blockDim.x / warp_lanes; }
FOCAL_ON_DEVICE int lane_of_warp() { return static_cast<int>(threadIdx.x) % warp_lanes; }

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
