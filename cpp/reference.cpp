#include "reference.h"

#include "plan.h"

#include <algorithm>
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

// A function of the logit with its first and second derivative: the losses below are their definitions and nothing else.
struct Jet { double value, grad, hess; };

// f(a), given f and its derivatives at a
Jet chain(Jet a, double f, double df, double ddf) { return {f, df * a.grad, ddf * a.grad * a.grad + df * a.hess}; }

Jet operator+(Jet a, Jet b) { return {a.value + b.value, a.grad + b.grad, a.hess + b.hess}; }
Jet operator*(double k, Jet a) { return {k * a.value, k * a.grad, k * a.hess}; }
Jet operator-(Jet a) { return -1 * a; }
Jet operator*(Jet a, Jet b) {
  return {a.value * b.value, a.grad * b.value + a.value * b.grad, a.hess * b.value + 2 * a.grad * b.grad + a.value * b.hess};
}

double sigmoid_of(double x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }
Jet sigmoid(Jet x) {
  const double s = sigmoid_of(x.value), c = sigmoid_of(-x.value);
  return chain(x, s, s * c, s * c * (c - s));
}
Jet softplus(Jet x) {
  const double s = sigmoid_of(x.value), c = sigmoid_of(-x.value);
  return chain(x, x.value > 0 ? x.value + std::log1p(std::exp(-x.value)) : std::log1p(std::exp(x.value)), s, s * c);
}
Jet exponential(Jet a) { const double e = std::exp(a.value); return chain(a, e, e, e); }
Jet minus_log_of_rest(Jet t) { return chain(t, -std::log1p(-t.value), 1 / (1 - t.value), 1 / ((1 - t.value) * (1 - t.value))); }
Jet power(Jet a, double g) {
  if (a.value == 0) return {g == 0 ? 1.0 : 0.0, 0, 0};
  const double f = std::pow(a.value, g);
  return chain(a, f, g * f / a.value, g * (g - 1) * f / a.value / a.value);
}
Jet without_slope(Jet a) { return {a.value, 0, 0}; }

// sigmoid(x)^g, also where sigmoid(x) is no normal number
Jet power_of_sigmoid(Jet x, double g) { return exponential(-g * softplus(-x)); }
// sigmoid(x)^g softplus(x): a negative under focusing g
Jet background(Jet x, double g) { return power_of_sigmoid(x, g) * softplus(x); }

// A term of weight nothing is nothing, even where it is infinite.
Jet weighted(double w, Jet a) { return w == 0 ? Jet{0, 0, 0} : w * a; }
Jet mixture(double y, double wp, Jet one, double wn, Jet zero) { return weighted(wp * y, one) + weighted(wn * (1 - y), zero); }

Jet cross_entropy(Jet x, double y) { return mixture(y, 1, softplus(-x), 1, softplus(x)); }

Jet sigmoid_focal(const FocalProblem &p, Jet x, double y, double wp, double wn) {
  if (p.soft_targets == FOCAL_MIXTURE || y == 0 || y == 1)
    return mixture(y, wp, background(-x, p.gamma), wn, background(x, p.gamma));
  const Jet q = y * sigmoid(-x) + (1 - y) * sigmoid(x);
  return (y * wp + (1 - y) * wn) * (power(q, p.gamma) * cross_entropy(x, y));
}

Jet sigmoid_general(const FocalProblem &p, double gamma, Jet x, double y, double wp, double wn) {
  const Jet factor = y == 0 ? power_of_sigmoid(x, gamma) : y == 1 ? power_of_sigmoid(-x, gamma) : power(y * sigmoid(-x) + (1 - y) * sigmoid(x), gamma);
  return (y * wp + (1 - y) * wn) * (factor * cross_entropy(x, y * (1 - p.beta) + p.beta / 2));
}

Jet focal_star(const FocalProblem &p, Jet x, double y, double wp, double wn) {
  const Jet scaled = p.gamma * x, shift = {p.beta, 0, 0};
  return 1 / p.gamma * mixture(y, wp, softplus(-scaled + -shift), wn, softplus(scaled + -shift));
}

Jet quality_focal(const FocalProblem &p, Jet x, double y, double wp, double wn) {
  const Jet d = y * sigmoid(-x) + -(1 - y) * sigmoid(x), distance = d.value < 0 ? -d : d;
  const Jet modulator = power(distance, p.beta);
  return (y * wp + (1 - y) * wn) * ((p.constant_modulator ? without_slope(modulator) : modulator) * cross_entropy(x, y));
}

Jet varifocal(const FocalProblem &p, Jet x, double y, double wp, double wn) {
  const Jet modulator = power_of_sigmoid(x, p.gamma);
  return y > 0 ? y * wp * cross_entropy(x, y) : weighted(wn, (p.constant_modulator ? without_slope(modulator) : modulator) * softplus(x));
}

Jet heatmap_focal(const FocalProblem &p, Jet x, double y, double wp, double wn) {
  return y == 1 ? weighted(wp, background(-x, p.gamma)) : weighted(wn * std::pow(1 - y, p.beta), background(x, p.gamma));
}

Jet asymmetric(const FocalProblem &p, Jet x, double y, double wp, double wn) {
  const Jet shifted = {p.margin, 0, 0}, prob = sigmoid(x);
  Jet zero = {0, 0, 0};
  if (p.margin == 0) {
    const Jet modulator = power_of_sigmoid(x, p.gamma_negative);
    zero = (p.constant_modulator ? without_slope(modulator) : modulator) * softplus(x);
  } else if (prob.value > p.margin) {
    const Jet t = prob + -shifted, modulator = power(t, p.gamma_negative);
    zero = (p.constant_modulator ? without_slope(modulator) : modulator) * minus_log_of_rest(t);
  }
  const Jet modulator = power_of_sigmoid(-x, p.gamma);
  return mixture(y, wp, (p.constant_modulator ? without_slope(modulator) : modulator) * softplus(-x), wn, zero);
}

// The logit of a probability, to be differentiated with respect to that.
Jet logit_of(double p) {
  const double slope = 1 / (p * (1 - p));
  return {std::log(p) - std::log1p(-p), slope, (2 * p - 1) * slope * slope};
}

Jet element_wise(const FocalProblem &p, double gamma, double input, double y, double wp, double wn) {
  const Jet x = p.inputs == FOCAL_PROBABILITIES ? logit_of(input) : Jet{input, 1, 0};
  switch (p.loss) {
    case FOCAL_STAR: return focal_star(p, x, y, wp, wn);
    case FOCAL_QUALITY: return quality_focal(p, x, y, wp, wn);
    case FOCAL_VARIFOCAL: return varifocal(p, x, y, wp, wn);
    case FOCAL_HEATMAP: return heatmap_focal(p, x, y, wp, wn);
    case FOCAL_ASYMMETRIC: return asymmetric(p, x, y, wp, wn);
    case FOCAL_SIGMOID_GENERAL: return sigmoid_general(p, gamma, x, y, wp, wn);
    default: return sigmoid_focal(p, x, y, wp, wn);
  }
}

struct Position { int64_t row, element; };

struct Reference {
  const FocalProblem &p;
  int64_t classes, inner, rows;

  int64_t element(int64_t row, int64_t c) const { return (row / inner * classes + c) * inner + row % inner; }
  double logit(int64_t at) const { return number_at(p.logits, p.dtype, at); }

  bool masked_out(Position at) const {
    if (p.mask_per == FOCAL_ABSENT) return false;
    return number_at(p.mask, p.mask_dtype, p.mask_per == FOCAL_PER_ROW ? at.row : at.element) == 0;
  }
  double weight(Position at) const {
    if (p.weights_per == FOCAL_ABSENT) return 1;
    return number_at(p.weights, p.weights_dtype, p.weights_per == FOCAL_PER_ROW ? at.row : at.element);
  }
  double class_of(int64_t row) const { return number_at(p.targets, p.targets_dtype, row); }
  bool has_class(int64_t row) const {
    const double index = class_of(row);
    return index >= 0 && index < p.classes && index != p.background && index != p.ignore_index;
  }
  double label(Position at, int64_t c) const {
    if (p.targets_kind == FOCAL_DENSE) return number_at(p.targets, p.targets_dtype, at.element);
    return has_class(at.row) && class_of(at.row) == static_cast<double>(c) ? 1 : 0;
  }
  bool ignored(Position at) const {
    if (p.targets_kind == FOCAL_CLASS_INDEX) return is_ignored_target(p, class_of(at.row));
    if (p.loss == FOCAL_SOFTMAX) return false;
    const double y = number_at(p.targets, p.targets_dtype, at.element);
    return (ignores_nan(p) && std::isnan(y)) || (!(p.ignore_index >= 0 && p.ignore_index <= 1) && y == p.ignore_index);
  }
  bool is_valid(Position at) const { return !masked_out(at) && !ignored(at); }
  double class_weight(const double *per_class, double everywhere, int64_t c) const {
    return per_class ? per_class[c] : everywhere;
  }

  FocalResult scan_targets() const {
    FocalResult r{};
    for (int64_t row = 0; row < rows; row++) {
      bool any = false;
      for (int64_t c = 0; c < classes; c++) {
        const Position at{row, element(row, c)};
        if (!is_valid(at)) continue;
        any = true;
        r.elements++;
        r.positives += label(at, c) >= p.positive_from;
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
      const Position at{row, element(row, c)};
      Jet d{0, 0, 0};
      const bool valid = is_valid(at);
      if (valid) {
        const double y = label(at, c) * (1 - p.label_smoothing) + p.label_smoothing / 2, w = weight(at);
        d = element_wise(p, gamma_of_class(p, c), logit(at.element), y, w * class_weight(p.class_positive, p.positive_weight, c),
                         w * class_weight(p.class_negative, p.negative_weight, c));
      }
      sum += d.value;
      put(p.values, p.dtype, at.element, d.value * value_scale);
      put(p.grad, p.grad_dtype, at.element, d.grad * grad_scale * p.grad_scale);
      put(p.hess, p.hess_dtype, at.element, valid ? std::fmax(p.least_hess, d.hess * grad_scale) * p.grad_scale : 0);
    }
    return sum;
  }

  // Which classes of a row its mask leaves.
  std::vector<bool> classes_left(int64_t row) const {
    std::vector<bool> in;
    for (int64_t c = 0; c < classes; c++) in.push_back(!masked_out({row, element(row, c)}));
    return in;
  }

  double softmax_row(int64_t row, double grad_scale, double value_scale) const {
    const std::vector<bool> in = classes_left(row);
    const double left = static_cast<double>(std::count(in.begin(), in.end(), true));
    const bool nothing = left == 0 || ignored({row, element(row, 0)}) || (p.targets_kind == FOCAL_CLASS_INDEX && !has_class(row));
    std::vector<double> grad(static_cast<size_t>(classes), 0.0), hess(static_cast<size_t>(classes), 0.0);
    double value = 0;
    if (!nothing) {
      double max = -INFINITY;
      for (int64_t c = 0; c < classes; c++)
        if (in[static_cast<size_t>(c)]) max = std::fmax(max, logit(element(row, c)));
      std::vector<double> e(static_cast<size_t>(classes));
      for (int64_t c = 0; c < classes; c++) e[static_cast<size_t>(c)] = in[static_cast<size_t>(c)] ? std::exp(logit(element(row, c)) - max) : 0;
      double whole = 0;
      for (const double each : e) whole += each;
      // A class's part of the loss, by its derivatives with respect to log p; d log p / dx_j = (j == c) - p_j
      const auto add_term = [&](int64_t c, double slope, double curve) {
        for (int64_t j = 0; j < classes; j++) {
          double rest = 0;
          for (int64_t k = 0; k < classes; k++) rest += k == j ? 0 : e[static_cast<size_t>(k)] / whole;
          const double share = e[static_cast<size_t>(j)] / whole, step = j == c ? rest : -share;
          grad[static_cast<size_t>(j)] += slope * step;
          hess[static_cast<size_t>(j)] += curve * step * step - slope * share * rest;
        }
      };
      for (int64_t c = 0; c < classes; c++) {
        if (!in[static_cast<size_t>(c)]) continue;
        const double y = label({row, element(row, c)}, c) * (1 - p.label_smoothing) + p.label_smoothing / left;
        const double a = y * class_weight(p.class_positive, p.positive_weight, c) * weight({row, 0});
        if (a == 0) continue;
        double others = 0;
        for (int64_t j = 0; j < classes; j++) others += j == c ? 0 : e[static_cast<size_t>(j)];
        const double prob = e[static_cast<size_t>(c)] / whole, q = others / whole;
        const double nll = others < e[static_cast<size_t>(c)]
                               ? std::log1p(others / e[static_cast<size_t>(c)])
                               : max - logit(element(row, c)) + std::log(whole);
        if (has_asymmetric_rows(p) && static_cast<double>(c) != class_of(row)) {
          const double g = p.gamma_negative, m = a * std::pow(prob, g);
          value += m * nll;
          add_term(c, m * (g * nll - 1), m * g * (g * nll - 2));
          continue;
        }
        const double gamma = gamma_of_class(p, c);
        value += a * std::pow(q, gamma) * nll;
        // d value / d log p = -a (q^gamma + gamma q^(gamma - 1) p nll)
        const double slope = -a * (std::pow(q, gamma) + (gamma == 0 || q == 0 ? 0 : gamma * std::pow(q, gamma - 1) * prob * nll));
        // d2 value / d (log p)2
        const double curve = gamma == 0 ? 0 : a * gamma * prob * (std::pow(q, gamma - 1) * (2 - nll) + (gamma - 1) * std::pow(q, gamma - 2) * prob * nll);
        add_term(c, slope, q == 0 ? 0 : curve);
      }
    }
    for (int64_t c = 0; c < classes; c++) put(p.grad, p.grad_dtype, element(row, c), grad[static_cast<size_t>(c)] * grad_scale * p.grad_scale);
    for (int64_t c = 0; c < classes; c++) {
      const bool has = !nothing && in[static_cast<size_t>(c)];
      put(p.hess, p.hess_dtype, element(row, c), has ? std::fmax(p.least_hess, hess[static_cast<size_t>(c)] * grad_scale) * p.grad_scale : 0);
    }
    put(p.values, p.dtype, row, value * value_scale);
    return value;
  }
};

}  // namespace

void reference_run(const FocalProblem &p, FocalResult *result) {
  const int64_t inner = static_cast<int64_t>(p.inner);
  const Reference reference{p, static_cast<int64_t>(p.classes), inner, static_cast<int64_t>(p.outer) * inner};
  *result = reference.scan_targets();
  const double grad_scale = 1 / result->denominator, value_scale = std::isnan(p.normalizer) ? 1 : 1 / p.normalizer;
  for (int64_t row = 0; row < reference.rows; row++)
    result->sum += p.loss == FOCAL_SOFTMAX ? reference.softmax_row(row, grad_scale, value_scale)
                                           : reference.element_wise_row(row, grad_scale, value_scale);
}

}  // namespace focal
