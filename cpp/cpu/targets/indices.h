// What class indices are, before anything is computed: one pass over memory, which is worth the vectors of each instruction set.
#pragma once

#include <cmath>
#include <type_traits>

#include "cpu/isa/dispatch.h"
#include "typed.h"

namespace focal {
namespace FOCAL_NAMESPACE {

constexpr double most_int32 = 2147483647.0;

// An index with a meaning of its own, or none at all, to be compared with many. All ones is true.
template <class I> struct Special {
  I index = 0;
  int32_t some = 0;

  explicit Special(double from) {
    if (std::is_integral_v<I> && !(from >= -most_int32 - 1 && from <= most_int32 && from == std::trunc(from))) return;
    index = static_cast<I>(from);
    some = -1;
  }
  int32_t is(I other) const { return -(index == other) & some; }
  bool may_be(I last_class) const { return some != 0 && index >= I(0) && index <= last_class; }
};

// Integers are compared as such where 32 bits hold them.
template <class S> FOCAL_NOINLINE Indices look_at(const S *indices, int64_t count, const Plan &plan) {
  using I = std::conditional_t<std::is_integral_v<S> && !std::is_same_v<S, uint32_t>, int32_t, double>;
  const Special<I> background(plan.problem.background), ignored(plan.problem.ignore_index);
  const double classes = static_cast<double>(plan.classes);
  const I last_class = static_cast<I>(classes > most_int32 ? most_int32 : classes - 1);
  const int32_t nan_is_ignored = -int32_t(ignores_nan(plan.problem));
  int32_t bad = 0, rows = 0, positives = 0;
  if constexpr (std::is_same_v<S, int32_t>) {
    if (!background.may_be(last_class) && !ignored.may_be(last_class)) {  // the common case, in a quarter of the time
      int32_t signs = 0;  // an index's own sign, or that of what is left up to the last class
      for (int64_t k = 0; k < count; k++) signs |= indices[k] | (last_class - indices[k]);
      if (signs >= 0) return {static_cast<int32_t>(count), static_cast<int32_t>(count), false};
    }
  }
  for (int64_t k = 0; k < count; k++) {
    const I index = static_cast<I>(indices[k]);
    const int32_t in_range = -(index >= I(0)) & (std::is_integral_v<I> ? -(index <= last_class) : -(index < classes));
    const int32_t valid = ~(ignored.is(index) | (-(index != index) & nan_is_ignored)), foreground = ~background.is(index);
    bad |= valid & foreground & ~in_range;
    rows -= valid;
    positives -= valid & foreground & in_range;
  }
  return {rows, positives, bad != 0};
}

inline Indices look_at_indices(const Plan &plan, int64_t from, int64_t count) {
  const FocalProblem &p = plan.problem;
  return with_type(p.targets, p.targets_dtype, from, [&](auto *indices) { return look_at(indices, count, plan); });
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
