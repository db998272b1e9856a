#define FOCAL_NAMESPACE careful
#define FOCAL_LIBM

#include "probability.h"

#include <math.h>

#include "../losses/element.h"
#include "numbers.h"

namespace focal {

NumberRange range_of(int32_t dtype) {
  switch (dtype) {
    case FOCAL_FLOAT64: return {0x1p-1022, 1 - 0x1p-53, 0x1.fffffffffffffp1023};
    case FOCAL_FLOAT16: return {0x1p-14, 1 - 0x1p-11, 65504};
    case FOCAL_BFLOAT16: return {0x1p-126, 1 - 0x1p-8, 0x1.fep127};
    default: return {0x1p-126, 1 - 0x1p-24, 0x1.fffffep127};
  }
}

namespace {

constexpr CarefulElement nothing{0, 0, 0};
constexpr CarefulElement unbounded{HUGE_VAL, HUGE_VAL, HUGE_VAL};

CarefulElement operator+(CarefulElement a, CarefulElement b) { return {a.value + b.value, a.grad + b.grad, a.hess + b.hess}; }
CarefulElement operator*(double w, CarefulElement a) { return w == 0 ? nothing : CarefulElement{w * a.value, w * a.grad, w * a.hess}; }
// a positive at p is a negative at 1 - p, seen in the mirror
CarefulElement mirrored(CarefulElement a) { return {a.value, -a.grad, a.hess}; }

// p^g (-log(1 - p)) at 0 or 1, where p^g is differentiated as if to the power of `slope`.
CarefulElement negative_at(double p, double g, double slope) {
  if (p == 1) return unbounded;
  const double bend = slope == 0 ? 0 : slope * (slope + 1) * pow(0, g - 1);
  return {0, g == 0 ? 1.0 : 0.0, (g == 0 ? 1.0 : 0.0) + bend};
}
CarefulElement negative_at(double p, double g) { return negative_at(p, g, g); }

// The asymmetric loss's negative beyond its margin.
CarefulElement shifted_negative_at(const FocalProblem &p, double at) {
  const double slope = p.constant_modulator ? 0 : p.gamma_negative;
  if (p.margin == 0) return negative_at(at, p.gamma_negative, slope);
  if (at == 0) return nothing;
  const double t = 1 - p.margin, k = -log(p.margin) / t, inverse = 1 / p.margin, m = pow(t, p.gamma_negative);
  return {m * t * k, m * (slope * k + inverse), m * (slope * ((slope - 1) * k + 2 * inverse) / t + inverse * inverse)};
}

// The star's negative: with S = sigmoid(z) / p, near 0 it is e^-beta p^(gamma - 1).
CarefulElement star_negative_at(const FocalProblem &p, double at) {
  if (at == 1) return unbounded;
  const double slope = exp(-p.beta) * pow(0, p.gamma - 1);
  const double bend = p.gamma == 1 ? 0 : (p.gamma - 1) * exp(-p.beta) * pow(0, p.gamma - 2);
  return {0, slope, bend + slope * (2 - p.gamma * slope)};
}

}  // namespace

CarefulElement element_at_end(const FocalProblem &p, double at, double y, double rest, double wp, double wn) {
  // For a label between, all that has cross entropy as a factor is infinite at both ends.
  const bool between = y > 0 && rest > 0;
  const auto hard = [&](double gamma_positive, double gamma_negative) {
    return y > 0 ? wp * mirrored(negative_at(1 - at, gamma_positive)) : wn * negative_at(at, gamma_negative);
  };
  const auto mixture = [&](double gamma, double slope, auto negative) {
    return wp * y * mirrored(negative_at(1 - at, gamma, slope)) + wn * rest * negative(at);
  };
  switch (p.loss) {
    case FOCAL_STAR:
      return wp * y * mirrored(star_negative_at(p, 1 - at)) + wn * rest * star_negative_at(p, at);
    case FOCAL_QUALITY: return between ? unbounded : hard(p.beta, p.beta);
    case FOCAL_VARIFOCAL: return between ? unbounded : hard(0, p.gamma);
    case FOCAL_HEATMAP: return rest > 0 ? wn * pow(rest, p.beta) * negative_at(at, p.gamma) : hard(p.gamma, p.gamma);
    case FOCAL_ASYMMETRIC:
      return mixture(p.gamma, p.constant_modulator ? 0 : p.gamma, [&](double end) { return shifted_negative_at(p, end); });
    default:
      if (p.soft_targets == FOCAL_MIXTURE) return mixture(p.gamma, p.gamma, [&](double end) { return negative_at(end, p.gamma); });
      return between ? unbounded : hard(p.gamma, p.gamma);
  }
}

CarefulElement class_of_probability(const FocalProblem &problem, double p, double weight) {
  if (weight == 0) return nothing;
  const careful::PowerAny<double> power(problem.gamma);
  const auto inside = [&](double at) {
    const auto e = careful::mirror(careful::modulated_of_probability(power, problem.gamma, careful::logistic_of_probability(at).mirrored(), weight));
    return CarefulElement{e.value, e.grad, e.hess};
  };
  if (p > 0 && p < 1) return inside(p);
  if (p != p) return {p, p, p};
  const NumberRange range = range_of(problem.dtype);
  const CarefulElement limit = weight * mirrored(negative_at(1 - p, problem.gamma)), near = inside(p > 0 ? range.below_one : range.least);
  return {isfinite(limit.value) ? limit.value : near.value, isfinite(limit.grad) ? limit.grad : near.grad, near.hess};
}

namespace {

// Of element k: is it in a row, and itself, neither masked out nor ignored?
bool counts(const Plan &plan, int64_t k) {
  const FocalProblem &p = plan.problem;
  const int64_t row = k / (plan.classes * plan.inner) * plan.inner + k % plan.inner;
  const auto masked = [&](int64_t at) { return number_at(p.mask, p.mask_dtype, at) == 0; };
  if (p.mask_per != FOCAL_ABSENT && masked(p.mask_per == FOCAL_PER_ROW ? row : k)) return false;
  const bool by_index = p.targets_kind == FOCAL_CLASS_INDEX;
  return p.ignore_index != p.ignore_index || number_at(p.targets, p.targets_dtype, by_index ? row : k) != p.ignore_index;
}

}  // namespace

void ProbabilityCheck::look(int64_t first, int64_t last) {
  const FocalProblem &p = plan_.problem;
  const int64_t begin = first * part, end = last * part < plan_.elements ? last * part : plan_.elements;
  if (!look_at_labels(p.logits, p.dtype, begin, end - begin, 0.5).bad) return;
  for (int64_t k = begin; k < end; k++) {
    const double value = number_at(p.logits, p.dtype, k);
    if (!(value < 0 || value > 1) || !counts(plan_, k)) continue;
    int64_t before = error_.load(std::memory_order_relaxed);
    while (k < before && !error_.compare_exchange_weak(before, k, std::memory_order_relaxed)) {
    }
    return;
  }
}

FocalStatus ProbabilityCheck::finish(FocalResult *result) const {
  if (error_ == nowhere) return FOCAL_OK;
  result->error_index = static_cast<double>(error_);
  result->error_value = number_at(plan_.problem.logits, plan_.problem.dtype, error_);
  return FOCAL_BAD_PROBABILITY;
}

}  // namespace focal
