// The hardware's own 1 / x, of normal numbers with normal results: off by 2^-23 at most (PTX, rcp.approx.ftz.f32). There is one
// for 2^x too, off by 2^-22; five times that, in a fifth power, is more than the numerics contract has room for.
#pragma once

#include "pack.h"

namespace focal {
namespace FOCAL_NAMESPACE {

#ifdef __CUDA_ARCH__
FOCAL_INLINE float gpu_reciprocal(float x) {
  float y;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
#elif defined(__CUDACC__)  // nvcc's look at the host's part, which does not call it
FOCAL_INLINE float gpu_reciprocal(float x) { return 1 / x; }
#else  // as wrong as it may be; what is one rounding there is one here
FOCAL_INLINE float gpu_reciprocal(float x) { return 1 / x * emulator::inexact(x, 0x1p-23f); }
#endif

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
