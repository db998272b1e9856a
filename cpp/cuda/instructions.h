// The hardware's own 2^x and 1 / x, of normal numbers with normal results: off by 2^-22 and 2^-23 at most (PTX, ex2.approx.ftz.f32
// and rcp.approx.ftz.f32).
#pragma once

#include "../pack.h"

namespace focal {
namespace FOCAL_NAMESPACE {

#ifdef __CUDA_ARCH__
FOCAL_INLINE float gpu_exp2(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
FOCAL_INLINE float gpu_reciprocal(float x) {
  float y;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
#elif defined(__CUDACC__)  // nvcc's look at the host's part, which calls neither
FOCAL_INLINE float gpu_exp2(float x) { return ::exp2f(x); }
FOCAL_INLINE float gpu_reciprocal(float x) { return 1 / x; }
#else  // as wrong as they may be; what is one rounding there is one here
FOCAL_INLINE float muladd(float a, float b, float c) { return ::fmaf(a, b, c); }
FOCAL_INLINE double muladd(double a, double b, double c) { return ::fma(a, b, c); }
FOCAL_INLINE float gpu_exp2(float x) { return ::exp2f(x) * emulator::inexact(x, 0x1p-22f); }
FOCAL_INLINE float gpu_reciprocal(float x) { return 1 / x * emulator::inexact(x, 0x1p-23f); }
#endif

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
