// The kernel for what training asks most: value and gradient in float, one weight for positives and one for negatives,
// labels or class indices as they lie in memory.
//
// A lane holds two groups of four neighbours. Of float logits the groups are 128 elements apart, of half precision they are
// neighbours: either way a warp's accesses are of sixteen bytes a lane, side by side.
#pragma once

#include "elementwise.h"

namespace focal {
namespace FOCAL_NAMESPACE {

constexpr int groups = 2, step_elements = groups * 4 * warp_lanes;
static_assert(tile_elements % step_elements == 0, "tiles are whole steps");

// Is the problem one of uniform_kernel's?
inline bool is_uniform(const Plan &plan) {
  const FocalProblem &p = plan.problem;
  const bool by_index = p.targets_kind == FOCAL_CLASS_INDEX && plan.inner == 1 && plan.classes < (int64_t(1) << 30);
  const bool dense = p.targets_kind == FOCAL_DENSE && p.targets_dtype != FOCAL_FLOAT64;
  const auto is_light = [](double weight) { return ::fabs(weight) <= static_cast<double>(Limits<float>::weight); };
  return (by_index || dense) && !plan.skips() && !plan.weighted() && p.label_smoothing == 0 && !p.hess && is_light(p.positive_weight) &&
         is_light(p.negative_weight);
}

FOCAL_ON_DEVICE void read_labels(const FocalProblem &p, int64_t at, float (&y)[4]) {
  read_four(p.targets, p.targets_dtype, at, y);
  FOCAL_UNROLLED for (int j = 0; j < 4; j++) y[j] = label_of(p, y[j]);
}

// Where a tile's elements are among rows of class indices.
struct RowsOfTile {
  int64_t row;  // of the tile's first element
  unsigned cls, classes;

  template <bool ByIndex> static FOCAL_ON_DEVICE RowsOfTile of(const Plan &plan, int64_t begin) {
    if (!ByIndex) return {0, 0, 1};
    const int64_t row = divided(begin, plan.classes);
    return {row, static_cast<unsigned>(begin - row * plan.classes), static_cast<unsigned>(plan.classes)};
  }

  // y[j] = is element `at` + j of the tile its row's class?
  FOCAL_ON_DEVICE void read(const FocalProblem &p, unsigned at, float (&y)[4]) const {
    const unsigned line = (cls + at) / classes;
    unsigned c = cls + at - line * classes;
    int64_t here = row + line;
    long long target = class_of(p, here);
    FOCAL_UNROLLED for (int j = 0; j < 4; j++) {
      if (c == classes) {
        c = 0;
        here++;
        target = class_of(p, here);
      }
      y[j] = static_cast<long long>(c) == target ? 1.0f : 0.0f;
      c++;
    }
  }

 private:
  static FOCAL_ON_DEVICE long long class_of(const FocalProblem &p, int64_t at) {
    if (p.targets_dtype == FOCAL_INT32) return known(p, static_cast<const int32_t *>(p.targets)[at]);
    if (is_integer(p.targets_dtype)) return known(p, number_at<long long>(p.targets, p.targets_dtype, at));
    const double index = number_at<double>(p.targets, p.targets_dtype, at);
    return index == ::floor(index) ? known(p, static_cast<long long>(index)) : -1;
  }
  // A background index that is also a class names no class.
  static FOCAL_ON_DEVICE long long known(const FocalProblem &p, long long index) {
    return p.background == p.background && static_cast<double>(index) == p.background ? -1 : index;
  }
};

template <bool ByIndex, class Kernels, class Loss> struct Uniform {
  static FOCAL_ON_DEVICE Element<float> element(const Loss &loss, float x, float y, float positive, float negative) {
    if constexpr (ByIndex && Kernels::two_labels) return loss.template hard<false>(x, y, positive, negative);
    else return loss.template soft<false>(x, y, 1.0f - y, positive, negative);
  }

  static FOCAL_ON_DEVICE float reach(const FocalProblem &p, const Divisors &divisors) {
    return divisors.extreme_scale ? -1 : static_cast<float>(Kernels::reach(p, Limits<float>::logistic));
  }

  // An element at the end of the call, of arrays that begin anywhere, or beside a logit that is beyond the formulas. It asks for
  // everything again, so that nothing is kept for it where it is not needed.
  static FOCAL_ON_DEVICE_APART float alone(const Work &work, const Loss &loss, int64_t k) {
    Divisors divisors{};
    begin(work, divisors);
    const Plan &plan = work.plan;
    const FocalProblem &p = plan.problem;
    const float x = number_at<float>(p.logits, p.dtype, k);
    if (absolute(x) > reach(p, divisors)) return static_cast<float>(double_fallback_element<Kernels>(plan, divisors.grad_divisor, divisors.value_divisor, k));
    const Element<float> e = element(loss, x, target_of<float>(plan, k, position_of(plan, k)).y, static_cast<float>(p.positive_weight),
                                     static_cast<float>(p.negative_weight));
    if (p.grad) put_number(p.grad, p.grad_dtype, k, e.grad * static_cast<float>(divisors.grad_scale));
    if (p.values) put_number(p.values, p.dtype, k, e.value * static_cast<float>(divisors.value_scale));
    return e.value;
  }
};

template <bool ByIndex, class Kernels, class Loss>
__global__ void __launch_bounds__(block_threads, 4) uniform_kernel(const __grid_constant__ Work work, const __grid_constant__ Loss loss) {
  using Formula = Uniform<ByIndex, Kernels, Loss>;
  Divisors divisors;
  if (!begin(work, divisors)) return;
  const Plan &plan = work.plan;
  const FocalProblem &p = plan.problem;
  const float positive = static_cast<float>(p.positive_weight), negative = static_cast<float>(p.negative_weight);
  const float grad_scale = static_cast<float>(divisors.grad_scale), value_scale = static_cast<float>(divisors.value_scale);
  const float reach = Formula::reach(p, divisors);
  const bool halves = is_half(p.dtype);  // then both groups are one access
  const unsigned lane = static_cast<unsigned>(lane_of_warp());
  const unsigned first = halves ? 8 * lane : 4 * lane, to_second = halves ? 4 : 4 * warp_lanes;

  for (int64_t tile = work.first_tile + warp_of_grid(); tile < work.last_tile; tile += warps_of_grid()) {
    const int64_t begin = tile * tile_elements, left = plan.elements - begin;
    const unsigned count = static_cast<unsigned>(left < tile_elements ? left : tile_elements);
    const auto rows = RowsOfTile::of<ByIndex>(plan, begin);
    double sum = 0;
    unsigned apart = work.aligned ? 0 : ~0u;  // a bit for each step that is left to `alone`
    for (unsigned at = first, step = 1; at - first < count; at += step_elements, step *= 2) {
      if (at - first + step_elements > count) apart |= step;
      if (apart & step) continue;
      float x[groups][4], y[groups][4];
      if (halves) {
        read_eight_halves(p.logits, p.dtype, begin + at, x[0], x[1]);
      } else {
        FOCAL_UNROLLED for (int g = 0; g < groups; g++) read_four(p.logits, p.dtype, begin + at + g * to_second, x[g]);
      }
      FOCAL_UNROLLED for (int g = 0; g < groups; g++) {
        if constexpr (ByIndex) rows.read(p, at + g * to_second, y[g]);
        else read_labels(p, begin + at + g * to_second, y[g]);
      }
      float largest = 0, part = 0;
      FOCAL_UNROLLED for (int g = 0; g < groups; g++)
        FOCAL_UNROLLED for (int j = 0; j < 4; j++) {
          const Element<float> e = Formula::element(loss, x[g][j], y[g][j], positive, negative);
          largest = larger(absolute(x[g][j]), largest);
          part += e.value;
          x[g][j] = e.value * value_scale;
          y[g][j] = e.grad * grad_scale;
        }
      if (largest > reach) {
        apart |= step;
        continue;
      }
      sum += static_cast<double>(part);
      const auto write = [&](void *array, int32_t dtype, const float (&numbers)[groups][4]) {
        if (is_half(dtype)) return write_eight_halves(array, dtype, begin + at, numbers[0], numbers[1]);
        FOCAL_UNROLLED for (int g = 0; g < groups; g++) write_four(array, dtype, begin + at + g * to_second, numbers[g]);
      };
      if (p.grad) write(p.grad, p.grad_dtype, y);
      if (p.values) write(p.values, p.dtype, x);
    }
    for (unsigned at = first; apart != 0 && at - first < count; at += step_elements, apart /= 2)
      for (unsigned j = 0; apart % 2 != 0 && j < groups * 4; j++) {
        const unsigned position = at + j / 4 * to_second + j % 4;
        if (position < count) sum += static_cast<double>(Formula::alone(work, loss, begin + position));
      }
    finish_tile(work, tile, sum_of_warp(sum));
  }
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
