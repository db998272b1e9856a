// What belongs to an element: its row and class, its target, its weights, and whether it is valid (neither masked nor ignored).
#pragma once

#include "cuda/device/numbers.h"
#include "cuda/device/state.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// In 32 bits where these are enough: a quarter of the instructions.
FOCAL_ON_DEVICE int64_t divided(int64_t a, int64_t b) {
  if (((a | b) >> 32) == 0) return static_cast<uint32_t>(a) / static_cast<uint32_t>(b);
  return a / b;
}

struct Position { int64_t row, cls; };

FOCAL_ON_DEVICE Position position_of(const Plan &plan, int64_t k) {
  if (plan.classes == 1) return {k, 0};
  if (plan.inner == 1) {
    const int64_t row = divided(k, plan.classes);
    return {row, k - row * plan.classes};
  }
  const int64_t line = divided(k, plan.inner), outer = divided(line, plan.classes);
  return {outer * plan.inner + (k - line * plan.inner), line - outer * plan.classes};
}

FOCAL_ON_DEVICE bool is_integer(int32_t dtype) { return dtype >= FOCAL_INT8 && dtype <= FOCAL_UINT32; }

// Is `cls` the class that a row's index names?
FOCAL_ON_DEVICE bool is_target(const FocalProblem &p, Position at) {
  if (static_cast<double>(at.cls) == p.background) return false;
  if (is_integer(p.targets_dtype)) return number_at<int64_t>(p.targets, p.targets_dtype, at.row) == at.cls;
  return number_at<double>(p.targets, p.targets_dtype, at.row) == static_cast<double>(at.cls);
}

// What rounding has left outside of [0, 1], and a peak. A NaN comes through.
template <class T> FOCAL_ON_DEVICE T label_of(const FocalProblem &p, T y) { return y >= static_cast<T>(one_from(p)) ? T(1) : y < 0 ? T(0) : y; }

template <class T> struct Target { T y, rest; };  // rest is 1 - y

template <class T> FOCAL_ON_DEVICE Target<T> target_of(const Plan &plan, int64_t k, Position at) {
  const FocalProblem &p = plan.problem;
  const double scale = plan.target_scale, shift = plan.target_shift;
  if (p.targets_kind == FOCAL_CLASS_INDEX) {
    const T low = static_cast<T>(shift), high = static_cast<T>(scale + shift);
    return is_target(p, at) ? Target<T>{high, low} : Target<T>{low, high};
  }
  if (scale == 1 && p.targets_dtype != FOCAL_FLOAT64) {
    const T y = label_of(p, number_at<T>(p.targets, p.targets_dtype, k));
    return {y, T(1) - y};
  }
  const double label = label_of(p, number_at<double>(p.targets, p.targets_dtype, k));
  return {static_cast<T>(label * scale + shift), static_cast<T>((1 - label) * scale + shift)};
}

// The weights of a positive and of a negative: class weights times those of the call.
template <class T> struct ElementWeights { T positive, negative; };

template <class T> FOCAL_ON_DEVICE ElementWeights<T> weights_of(const FocalProblem &p, int64_t k, Position at) {
  const bool by_class = p.class_positive != nullptr;
  ElementWeights<T> weights = {static_cast<T>(by_class ? p.class_positive[at.cls] : p.positive_weight),
                               static_cast<T>(by_class ? p.class_negative[at.cls] : p.negative_weight)};
  if (p.weights_per == FOCAL_ABSENT) return weights;
  const T weight = weight_or_nan(number_at<T>(p.weights, p.weights_dtype, p.weights_per == FOCAL_PER_ROW ? at.row : k));
  return {weights.positive * weight, weights.negative * weight};
}

FOCAL_ON_DEVICE bool is_masked(const FocalProblem &p, int64_t k, int64_t row) {
  return p.mask_per != FOCAL_ABSENT && number_at<double>(p.mask, p.mask_dtype, p.mask_per == FOCAL_PER_ROW ? row : k) == 0;
}
// Of element k of a row, or of a row of class indices.
FOCAL_ON_DEVICE bool is_ignored(const FocalProblem &p, int64_t k, int64_t row) {
  return (p.ignore_index == p.ignore_index || ignores_nan(p)) &&
         is_ignored_target(p, number_at<double>(p.targets, p.targets_dtype, p.targets_kind == FOCAL_CLASS_INDEX ? row : k));
}
FOCAL_ON_DEVICE bool is_skipped(const FocalProblem &p, int64_t k, int64_t row) { return is_masked(p, k, row) || is_ignored(p, k, row); }

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
