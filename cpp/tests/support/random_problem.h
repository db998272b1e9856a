// Random problems over every option, and how far a run of one is from the plain reference: in place and not.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "problem_builder.h"
#include "reference.h"

struct Draw {
  std::mt19937 engine;
  explicit Draw(uint32_t seed) : engine(seed) {}
  int below(int n) { return static_cast<int>(engine() % static_cast<uint32_t>(n)); }
  bool coin() { return below(2) == 1; }
  double uniform() { return engine() / 4294967296.0; }
  double logit() {
    const double spread = below(20) == 0 ? 200 : below(3) == 0 ? 20 : 4;
    return static_cast<float>((uniform() * 2 - 1) * spread);
  }
};

// A random problem with everything it points to.
template <class T> struct Random {
  FocalProblem p;
  std::vector<T> logits, values, grad, hess;
  std::vector<float> weights, labels;
  std::vector<int32_t> indices;
  std::vector<uint8_t> mask;
  std::vector<double> class_positive, class_negative;
  std::string what;
  bool soft = false;

  size_t row_of(size_t element) const {
    const size_t plane = static_cast<size_t>(p.classes * p.inner), inner = static_cast<size_t>(p.inner);
    return element / plane * inner + element % inner;
  }

  // A softmax's mask may not take out what a row is labelled with, unless it takes out the whole row.
  void leave_labelled_classes() {
    for (size_t k = 0; k < mask.size(); k++) {
      const size_t row = row_of(k), classes = static_cast<size_t>(p.classes), inner = static_cast<size_t>(p.inner);
      const bool labelled = labels.empty() ? indices[row] == static_cast<int32_t>(k / inner % classes) : labels[k] > 0;
      mask[k] = row % 5 != 0 && (labelled || mask[k]);
    }
  }

  explicit Random(uint32_t seed) {
    Draw draw(seed);
    const bool softmax = draw.coin();
    const int classes = softmax ? 1 + draw.below(draw.coin() ? 6 : 90) : draw.coin() ? 1 : 1 + draw.below(90);
    const int inner = draw.coin() ? 1 : 1 + draw.below(40), outer = 1 + draw.below(draw.coin() ? 4 : 60);
    const int rows = outer * inner, elements = rows * classes;
    const int32_t others[] = {FOCAL_STAR, FOCAL_QUALITY, FOCAL_VARIFOCAL, FOCAL_HEATMAP, FOCAL_ASYMMETRIC, FOCAL_SIGMOID_GENERAL};
    p = blank_problem(softmax ? FOCAL_SOFTMAX : draw.coin() ? FOCAL_SIGMOID : others[draw.below(6)], outer, classes, inner);
    const double gammas[] = {0, 0.5, 1, 1.5, 2, 3, 4, 5, 0.3, 2.6, 4.9};
    p.gamma = gammas[draw.below(11)];
    p.gamma_negative = gammas[draw.below(11)];
    p.beta = gammas[draw.below(11)];
    // Below 2, rounding of a small distance is felt beyond any bound
    const double distance_powers[] = {0, 1, 2, 2.6, 3, 4.9};
    if (p.loss == FOCAL_QUALITY) p.beta = distance_powers[draw.below(6)];
    if (p.loss == FOCAL_STAR && p.gamma == 0) p.gamma = 0.1;
    if (p.loss == FOCAL_SIGMOID_GENERAL) p.beta = draw.coin() ? 0.1 : 0;
    p.margin = draw.coin() ? 0.05 : 0;
    p.constant_modulator = draw.below(4) == 0;
    if (p.loss == FOCAL_HEATMAP) p.positive_from = 1;
    if (p.loss == FOCAL_VARIFOCAL) p.positive_from = 1.401298464324817e-45;  // the least float
    if (draw.below(4) == 0) p.least_hess = 1e-3;
    for (int i = 0; i < elements; i++) logits.push_back(static_cast<T>(draw.logit()));
    set_logits(p, logits);

    const bool dense = draw.coin() || (classes == 1 && !softmax);
    const bool ignores = draw.below(3) == 0, backgrounds = !softmax && draw.coin();
    if (dense) {
      soft = draw.coin();
      for (int i = 0; i < elements; i++) labels.push_back(soft && draw.below(4) != 0 ? static_cast<float>(draw.uniform()) : static_cast<float>(draw.below(8) == 0));
      if (ignores && !softmax) {
        p.ignore_index = 255;
        for (auto &y : labels) if (draw.below(9) == 0) y = 255;
      }
      set_targets(p, FOCAL_DENSE, labels);
    } else {
      if (ignores) p.ignore_index = -2;
      if (backgrounds) p.background = draw.coin() ? classes : -1;
      for (int i = 0; i < rows; i++) {
        int t = draw.below(classes);
        if (backgrounds && draw.below(4) != 0) t = static_cast<int>(p.background);
        if (ignores && draw.below(6) == 0) t = -2;
        indices.push_back(t);
      }
      set_targets(p, FOCAL_CLASS_INDEX, indices);
      if (softmax && draw.below(4) == 0) p.flags |= FOCAL_ASYMMETRIC_ROWS;
    }
    if (draw.below(3) == 0) p.label_smoothing = 0.1;
    if (!softmax && draw.below(3) == 0) p.soft_targets = FOCAL_MIXTURE;
    if (draw.coin()) {
      for (int c = 0; c < classes; c++) {
        class_positive.push_back(draw.uniform());
        class_negative.push_back(draw.uniform());
      }
      if ((softmax || p.loss == FOCAL_SIGMOID_GENERAL) && draw.below(3) == 0) {
        p.flags |= FOCAL_CLASS_GAMMAS;
        for (int c = 0; c < classes; c++) class_positive.push_back(gammas[draw.below(11)]);
      }
      p.class_positive = class_positive.data();
      p.class_negative = class_negative.data();
    } else {
      p.positive_weight = 0.25;
      p.negative_weight = 0.75;
    }
    const int per = softmax ? 2 : 3;
    p.weights_per = draw.below(per);
    if (p.weights_per != FOCAL_ABSENT) {
      for (int i = 0; i < (p.weights_per == FOCAL_PER_ROW ? rows : elements); i++) weights.push_back(static_cast<float>(draw.uniform() * 3));
      p.weights_dtype = FOCAL_FLOAT32;
      p.weights = weights.data();
    }
    p.mask_per = draw.coin() ? FOCAL_ABSENT : draw.below(3);
    if (p.mask_per != FOCAL_ABSENT) {
      for (int i = 0; i < (p.mask_per == FOCAL_PER_ROW ? rows : elements); i++) mask.push_back(draw.below(4) != 0);
      if (softmax && p.mask_per == FOCAL_PER_ELEMENT) leave_labelled_classes();
      p.mask_dtype = FOCAL_UINT8;
      p.mask = mask.data();
    }
    p.reduction = draw.below(4);
    if (draw.below(5) == 0) p.normalizer = 7.5;
    if (draw.below(4) == 0) p.grad_scale = draw.coin() ? 65536 : 0.3;
    values.resize(static_cast<size_t>(softmax ? rows : elements));
    grad.resize(static_cast<size_t>(elements));
    if (draw.coin()) hess.resize(static_cast<size_t>(elements));
    what = "loss " + std::to_string(p.loss) + " " + std::to_string(outer) + "x" + std::to_string(classes) + "x" +
           std::to_string(inner) + " gamma " + std::to_string(p.gamma) + (dense ? " dense" : " index") +
           (p.soft_targets ? " mixture" : "") + (p.label_smoothing > 0 ? " smoothed" : "") + " seed " + std::to_string(seed);
  }
  void outputs() { set_outputs(p, &values, &grad, hess.empty() ? static_cast<std::vector<T> *>(nullptr) : &hess); }
};

// Largest difference between two arrays, relative to the wanted value or to `term(i)` where that is larger.
template <class T, class U, class Term>
double difference(const std::vector<T> &got, const std::vector<U> &want, double floor, Term term) {
  double worst = 0;
  for (size_t i = 0; i < got.size(); i++) {
    const double g = static_cast<double>(got[i]), w = static_cast<double>(want[i]);
    if (std::isnan(g) || std::isnan(w)) return std::isnan(g) && std::isnan(w) ? worst : INFINITY;
    const double error = std::fabs(g - w);
    if (error > floor) worst = std::fmax(worst, error / std::fmax(std::fabs(w), term(i)));
  }
  return worst;
}

// The cross entropies of a random problem's elements, weighted as it says.
inline std::vector<double> cross_entropy(uint32_t seed) {
  Random<double> plain(seed);
  plain.p.loss = FOCAL_SIGMOID;
  plain.p.gamma = 0;
  set_outputs(plain.p, &plain.values, nullptr, nullptr);
  FocalResult result;
  focal::reference_run(plain.p, &result);
  return plain.values;
}

// `run` computes a problem as focal_run does.
template <class T, class Run> void compare_with_reference(uint32_t seed, double bound, double floor, Run run) {
  Random<double> exact(seed);
  Random<T> tried(seed);
  CAPTURE(tried.what);
  exact.outputs();
  tried.outputs();
  FocalResult want, got;
  focal::reference_run(exact.p, &want);
  REQUIRE(run(tried.p, &got) == FOCAL_OK);
  CHECK(got.elements == want.elements);
  CHECK(got.rows == want.rows);
  CHECK(got.positives == want.positives);
  CHECK(got.denominator == want.denominator);
  CHECK(std::fabs(got.sum - want.sum) <= bound * std::fabs(want.sum) + floor);
  // Derivatives at soft labels, and second ones anywhere, pass through zero: there the error is relative to the
  // terms they are made of, which are about the size of the element's (softmax: the row's) value.
  const bool several = tried.p.loss == FOCAL_SOFTMAX && !tried.labels.empty();  // classes in one row
  const bool hard = tried.p.label_smoothing == 0 && !tried.soft && !several;
  const double to_grad = 1 / (want.denominator * (std::isnan(tried.p.normalizer) ? 1 : 1 / tried.p.normalizer)) * tried.p.grad_scale;
  // A distance from the label, or from the margin, is itself a difference: what hangs on it is relative to cross entropy.
  const bool distant = tried.p.loss == FOCAL_QUALITY || tried.p.loss == FOCAL_ASYMMETRIC;
  const std::vector<double> entropy = distant ? cross_entropy(seed) : exact.values;
  const double steepness = distant ? 1 + exact.p.gamma + exact.p.gamma_negative + exact.p.beta : 1;
  const auto term = [&](size_t i) {
    const size_t at = tried.p.loss == FOCAL_SOFTMAX ? exact.row_of(i) : i;
    return std::fabs(entropy[at]) * to_grad * steepness;
  };
  // What is below the floor before it is scaled may be 0
  const double grad_floor = floor * std::fmax(1, tried.p.grad_scale);
  const auto none = [](size_t) { return 0.0; };
  const auto value_term = [&](size_t i) { return distant ? std::fabs(entropy[i]) * steepness : 0; };
  const auto grad_error = [&](const std::vector<T> &grad) {
    return hard && !distant ? difference(grad, exact.grad, grad_floor, none) : difference(grad, exact.grad, grad_floor, term);
  };
  CHECK(difference(tried.values, exact.values, floor, value_term) < bound);
  CHECK(grad_error(tried.grad) < bound);
  if (!tried.hess.empty()) CHECK(difference(tried.hess, exact.hess, grad_floor, term) < 2.5 * bound);

  // In place, with nothing else asked for: the same bits.
  std::vector<T> in_place = tried.logits;
  set_logits(tried.p, in_place);
  set_outputs(tried.p, nullptr, &in_place, nullptr);
  FocalResult again;
  REQUIRE(run(tried.p, &again) == FOCAL_OK);
  if (tried.hess.empty()) {
    CHECK(again.sum == got.sum);
    CHECK(std::equal(in_place.begin(), in_place.end(), tried.grad.begin(), [](T a, T b) { return a == b || (a != a && b != b); }));
  } else {
    CHECK(grad_error(in_place) < bound);
  }
}
