#include "reference.h"

#include <cmath>
#include <vector>

namespace focal {

namespace {

double number_at(const void *array, int32_t dtype, int64_t at) {
  switch (dtype) {
    case FOCAL_FLOAT32: return static_cast<const float *>(array)[at];
    case FOCAL_FLOAT64: return static_cast<const double *>(array)[at];
    case FOCAL_INT8: return static_cast<const int8_t *>(array)[at];
    case FOCAL_UINT8: return static_cast<const uint8_t *>(array)[at];
    case FOCAL_INT16: return static_cast<const int16_t *>(array)[at];
    case FOCAL_UINT16: return static_cast<const uint16_t *>(array)[at];
    case FOCAL_INT32: return static_cast<const int32_t *>(array)[at];
    default: return static_cast<const uint32_t *>(array)[at];
  }
}

void put(void *array, int32_t dtype, int64_t at, double value) {
  if (!array) return;
  if (dtype == FOCAL_FLOAT32) static_cast<float *>(array)[at] = static_cast<float>(value);
  else static_cast<double *>(array)[at] = value;
}

double sigmoid(double x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }
double softplus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }

struct Derivatives { double value, grad, hess; };

// -(1 - p)^gamma log p for the true class of probability p = sigmoid(x), by the chain rule on x
Derivatives true_class(double gamma, double x) {
  const double p = sigmoid(x), q = sigmoid(-x), nll = softplus(-x);
  const double factor = std::pow(q, gamma);
  // d factor / dx = -gamma factor p; d nll / dx = -q; d p / dx = p q
  const double dfactor = -gamma * factor * p, ddfactor = gamma * gamma * factor * p * p - gamma * factor * p * q;
  const double dnll = -q, ddnll = p * q;
  return {factor * nll, dfactor * nll + factor * dnll, ddfactor * nll + 2 * dfactor * dnll + factor * ddnll};
}

Derivatives sigmoid_focal(const FocalProblem &p, double x, double y, double wp, double wn) {
  if (p.soft_targets == FOCAL_MIXTURE || y == 0 || y == 1) {
    const Derivatives one = true_class(p.gamma, x), zero = true_class(p.gamma, -x);
    const double a = wp * y, b = wn * (1 - y);
    // a term of weight nothing is nothing, even where it is infinite
    const auto mix = [](double u, double f, double v, double g) { return (u == 0 ? 0 : u * f) + (v == 0 ? 0 : v * g); };
    return {mix(a, one.value, b, zero.value), mix(a, one.grad, b, -zero.grad), mix(a, one.hess, b, zero.hess)};
  }
  // f = q^gamma with q = y (1 - p) + (1 - y) p, and h the cross entropy
  const double prob = sigmoid(x), rest = sigmoid(-x), variance = prob * rest;
  const double q = y * rest + (1 - y) * prob, dq = (1 - 2 * y) * variance, ddq = dq * (rest - prob);
  const double h = y * softplus(-x) + (1 - y) * softplus(x), dh = prob - y, ddh = variance;
  const double g = p.gamma, f = std::pow(q, g);
  const double df = g == 0 ? 0 : g * std::pow(q, g - 1) * dq;
  const double ddf = g == 0 ? 0 : g * (g - 1) * std::pow(q, g - 2) * dq * dq + g * std::pow(q, g - 1) * ddq;
  const double w = y * wp + (1 - y) * wn;
  return {w * f * h, w * (df * h + f * dh), w * (ddf * h + 2 * df * dh + f * ddh)};
}

struct Place { int64_t row, element; };

struct Reference {
  const FocalProblem &p;
  int64_t classes, inner, rows;

  int64_t element(int64_t row, int64_t c) const { return (row / inner * classes + c) * inner + row % inner; }
  double logit(int64_t at) const { return number_at(p.logits, p.dtype, at); }

  bool masked_out(Place at) const {
    if (p.mask_per == FOCAL_ABSENT) return false;
    return number_at(p.mask, p.mask_dtype, p.mask_per == FOCAL_PER_ROW ? at.row : at.element) == 0;
  }
  double weight(Place at) const {
    if (p.weights_per == FOCAL_ABSENT) return 1;
    return number_at(p.weights, p.weights_dtype, p.weights_per == FOCAL_PER_ROW ? at.row : at.element);
  }
  double class_of(int64_t row) const { return number_at(p.targets, p.targets_dtype, row); }
  bool has_class(int64_t row) const {
    const double index = class_of(row);
    return index >= 0 && index < p.classes && index != p.background && index != p.ignore_index;
  }
  double label(Place at, int64_t c) const {
    if (p.targets_kind == FOCAL_DENSE) return number_at(p.targets, p.targets_dtype, at.element);
    return has_class(at.row) && class_of(at.row) == static_cast<double>(c) ? 1 : 0;
  }
  bool ignored(Place at) const {
    if (p.targets_kind == FOCAL_CLASS_INDEX) return class_of(at.row) == p.ignore_index;
    if (p.loss == FOCAL_SOFTMAX || (p.ignore_index >= 0 && p.ignore_index <= 1)) return false;
    return number_at(p.targets, p.targets_dtype, at.element) == p.ignore_index;
  }
  bool counts(Place at) const { return !masked_out(at) && !ignored(at); }
  double class_weight(const double *per_class, double everywhere, int64_t c) const {
    return per_class ? per_class[c] : everywhere;
  }

  FocalResult census() const {
    FocalResult r{};
    for (int64_t row = 0; row < rows; row++) {
      bool any = false;
      for (int64_t c = 0; c < classes; c++) {
        const Place at{row, element(row, c)};
        if (!counts(at)) continue;
        any = true;
        r.elements++;
        r.positives += label(at, c) >= 0.5;
      }
      r.rows += any;
    }
    r.denominator = 1;
    if (p.reduction == FOCAL_MEAN) r.denominator = p.loss == FOCAL_SOFTMAX ? r.rows : r.elements;
    if (p.reduction == FOCAL_MEAN_ROWS) r.denominator = r.rows;
    if (p.reduction == FOCAL_MEAN_POSITIVES) r.denominator = r.positives;
    if (r.denominator < 1) r.denominator = 1;
    if (!std::isnan(p.normalizer)) r.denominator = p.normalizer;
    return r;
  }

  double element_wise_row(int64_t row, double grad_scale, double value_scale) const {
    double sum = 0;
    for (int64_t c = 0; c < classes; c++) {
      const Place at{row, element(row, c)};
      Derivatives d{0, 0, 0};
      if (counts(at)) {
        const double y = label(at, c) * (1 - p.label_smoothing) + p.label_smoothing / 2, w = weight(at);
        d = sigmoid_focal(p, logit(at.element), y, w * class_weight(p.class_positive, p.positive_weight, c),
                          w * class_weight(p.class_negative, p.negative_weight, c));
      }
      sum += d.value;
      put(p.values, p.dtype, at.element, d.value * value_scale);
      put(p.grad, p.dtype, at.element, d.grad * grad_scale);
      put(p.hess, p.dtype, at.element, d.hess * grad_scale);
    }
    return sum;
  }

  double softmax_row(int64_t row, double grad_scale, double value_scale) const {
    const bool counts_here = counts({row, element(row, 0)});
    const bool nothing = !counts_here || (p.targets_kind == FOCAL_CLASS_INDEX && !has_class(row));
    std::vector<double> grad(static_cast<size_t>(classes), 0.0);
    double value = 0;
    if (!nothing) {
      double max = -INFINITY;
      for (int64_t c = 0; c < classes; c++) max = std::fmax(max, logit(element(row, c)));
      std::vector<double> e(static_cast<size_t>(classes));
      for (int64_t c = 0; c < classes; c++) e[static_cast<size_t>(c)] = std::exp(logit(element(row, c)) - max);
      double whole = 0;
      for (const double each : e) whole += each;
      for (int64_t c = 0; c < classes; c++) {
        const double y = label({row, element(row, c)}, c) * (1 - p.label_smoothing) + p.label_smoothing / p.classes;
        const double a = y * class_weight(p.class_positive, p.positive_weight, c) * weight({row, 0});
        if (a == 0) continue;
        double others = 0;
        for (int64_t j = 0; j < classes; j++) others += j == c ? 0 : e[static_cast<size_t>(j)];
        const double prob = e[static_cast<size_t>(c)] / whole, q = others / whole;
        const double nll = others < e[static_cast<size_t>(c)]
                               ? std::log1p(others / e[static_cast<size_t>(c)])
                               : max - logit(element(row, c)) + std::log(whole);
        value += a * std::pow(q, p.gamma) * nll;
        // d value / d log p = -a (q^gamma + gamma q^(gamma - 1) p nll); d log p / dx_j = (j == c) - p_j
        const double slope = -a * (std::pow(q, p.gamma) +
                                   (p.gamma == 0 || q == 0 ? 0 : p.gamma * std::pow(q, p.gamma - 1) * prob * nll));
        for (int64_t j = 0; j < classes; j++)
          grad[static_cast<size_t>(j)] += slope * (j == c ? q : -e[static_cast<size_t>(j)] / whole);
      }
    }
    for (int64_t c = 0; c < classes; c++) put(p.grad, p.dtype, element(row, c), grad[static_cast<size_t>(c)] * grad_scale);
    put(p.values, p.dtype, row, value * value_scale);
    return value;
  }
};

}  // namespace

void reference_run(const FocalProblem &p, FocalResult *result) {
  const int64_t inner = static_cast<int64_t>(p.inner);
  const Reference reference{p, static_cast<int64_t>(p.classes), inner, static_cast<int64_t>(p.outer) * inner};
  *result = reference.census();
  const double grad_scale = 1 / result->denominator, value_scale = std::isnan(p.normalizer) ? 1 : 1 / p.normalizer;
  for (int64_t row = 0; row < reference.rows; row++)
    result->sum += p.loss == FOCAL_SOFTMAX ? reference.softmax_row(row, grad_scale, value_scale)
                                           : reference.element_wise_row(row, grad_scale, value_scale);
}

}  // namespace focal
