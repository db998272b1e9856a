// Who shares a row of a softmax loss, and which of its classes each lane has.
#pragma once

#include "softmax_row.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// Some neighbouring lanes of a warp, 1 to 32 of them, a power of two. Those of one row go the same way; other rows of the warp
// may go another.
template <int Lanes> struct LanesOfWarp {
  static constexpr int size = Lanes;
  static FOCAL_ON_DEVICE int index() { return lane_of_warp() % Lanes; }
  static FOCAL_ON_DEVICE unsigned mask() {
    return (Lanes == 32 ? all_lanes : (1u << (Lanes % 32)) - 1) << (lane_of_warp() / Lanes * Lanes);
  }

  template <class F> FOCAL_ON_DEVICE void each(int64_t classes, F f) const {
    for (int64_t c = index(); c < classes; c += Lanes) f(c);
  }
  template <class T, class F> FOCAL_ON_DEVICE T fold(T x, F f) const {
    for (int lane = Lanes / 2; lane > 0; lane /= 2) x = f(x, __shfl_xor_sync(mask(), x, lane));
    return x;
  }
  template <class T> FOCAL_ON_DEVICE T sum(T x) const { return fold(x, [](T a, T b) { return a + b; }); }
  template <class T> FOCAL_ON_DEVICE T largest(T x) const { return fold(x, [](T a, T b) { return a > b ? a : b; }); }
  template <class T> FOCAL_ON_DEVICE T least(T x) const { return fold(x, [](T a, T b) { return a < b ? a : b; }); }
};

// A whole block of so many threads.
template <int Threads> struct LanesOfBlock {
  static constexpr int size = Threads, warps = Threads / warp_lanes;
  static FOCAL_ON_DEVICE int index() { return static_cast<int>(threadIdx.x); }

  template <class F> FOCAL_ON_DEVICE void each(int64_t classes, F f) const {
    for (int64_t c = index(); c < classes; c += Threads) f(c);
  }
  template <class T, class F> FOCAL_ON_DEVICE T fold(T x, F f) const {
    __shared__ T of_warps[warps];
    const LanesOfWarp<warp_lanes> warp;
    x = warp.fold(x, f);
    if (lane_of_warp() == 0) of_warps[index() / warp_lanes] = x;
    __syncthreads();
    T total = of_warps[0];
    for (int w = 1; w < warps; w++) total = f(total, of_warps[w]);
    __syncthreads();  // the next fold may write again
    return total;
  }
  template <class T> FOCAL_ON_DEVICE T sum(T x) const { return fold(x, [](T a, T b) { return a + b; }); }
  template <class T> FOCAL_ON_DEVICE T largest(T x) const { return fold(x, [](T a, T b) { return a > b ? a : b; }); }
  template <class T> FOCAL_ON_DEVICE T least(T x) const { return fold(x, [](T a, T b) { return a < b ? a : b; }); }
};

// A row of at most Kept classes a lane, read once. A lane has groups of four neighbours, in one access where memory allows it.
template <class Group, int Kept> struct KeptRow {
  static constexpr bool keeps = true;
  float x[Kept];
  int64_t base;
  int classes;
  bool fours;

  FOCAL_ON_DEVICE KeptRow(const FocalProblem &p, const RowFacts &facts, bool aligned)
      : base(facts.base), classes(static_cast<int>(facts.classes)), fours(aligned && facts.classes % 4 == 0) {
    FOCAL_UNROLLED for (int j = 0; j < Kept; j += 4) {
      const int c = class_of(j);
      float four[4] = {};
      if (fours && c < classes) {
        read_four(p.logits, p.dtype, base + c, four);
      } else {
        FOCAL_UNROLLED for (int i = 0; i < 4; i++)
          if (c + i < classes) four[i] = number_at<float>(p.logits, p.dtype, base + c + i);
      }
      FOCAL_UNROLLED for (int i = 0; i < 4; i++) x[j + i] = four[i];
    }
  }

  static FOCAL_ON_DEVICE int class_of(int j) { return 4 * (Group::index() + j / 4 * Group::size) + j % 4; }

  template <class F> FOCAL_ON_DEVICE void each(F f) {
    FOCAL_UNROLLED for (int j = 0; j < Kept; j++)
      if (class_of(j) < classes) f(static_cast<int64_t>(class_of(j)), x[j]);
  }
  static FOCAL_ON_DEVICE void keep(float &x, float e) { x = e; }

  template <class F> FOCAL_ON_DEVICE void write(const FocalProblem &p, F f) {
    each([&](int64_t c, float &number) { number = f(c, number); });
    FOCAL_UNROLLED for (int j = 0; j < Kept; j += 4) {
      const int c = class_of(j);
      const float four[4] = {x[j], x[j + 1], x[j + 2], x[j + 3]};
      if (fours && c < classes) {
        write_four(p.grad, p.grad_dtype, base + c, four);
      } else {
        FOCAL_UNROLLED for (int i = 0; i < 4; i++)
          if (c + i < classes) put_number(p.grad, p.grad_dtype, base + c + i, four[i]);
      }
    }
  }
};

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
