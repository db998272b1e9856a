// The golden cases, values of 60 digits, and how far a run is from them.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "problem_builder.h"

struct Case {
  std::string name;
  FocalProblem problem;
  std::vector<double> logits, targets, class_weights, class_negative, value, grad, hess;
  std::vector<int32_t> indices;
  bool special_gamma = false;
};

inline int32_t number_of(const std::string &loss) {
  const char *const names[] = {"SigmoidFocalLoss", "SoftmaxFocalLoss", "FocalStarLoss", "QualityFocalLoss",
                               "VarifocalLoss", "HeatmapFocalLoss", "AsymmetricLoss"};
  return static_cast<int32_t>(std::find(std::begin(names), std::end(names), loss) - std::begin(names));
}

inline std::vector<Case> load_cases() {
  std::ifstream file(FOCAL_GOLDEN);
  REQUIRE_MESSAGE(file.good(), "cannot read " FOCAL_GOLDEN);
  std::vector<Case> cases;
  const nlohmann::json golden = nlohmann::json::parse(file);
  for (const auto &entry : golden["cases"]) {
    const int32_t loss = number_of(entry["loss"]);
    const bool softmax = loss == FOCAL_SOFTMAX;
    const auto &options = entry["options"], &shape = entry["shape"];
    Case c;
    c.name = entry["loss"].get<std::string>() + " " + options.dump().substr(0, 80);
    c.logits = entry["logits"].get<std::vector<double>>();
    const double n = static_cast<double>(c.logits.size());
    c.problem = softmax ? blank_problem(loss, shape[0], shape[1], 1) : blank_problem(loss, n, 1, 1);
    c.problem.gamma = options.value("gamma", options.value("gammaPositive", 0.0));
    c.problem.gamma_negative = options.value("gammaNegative", 0.0);
    c.problem.beta = options.value("beta", 0.0);
    c.problem.margin = options.value("margin", 0.0);
    for (const double gamma : {0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0}) c.special_gamma |= gamma == c.problem.gamma;
    c.problem.label_smoothing = options.value("labelSmoothing", 0.0);
    if (options.value("softTargets", "") == "mixture") c.problem.soft_targets = FOCAL_MIXTURE;
    if (loss == FOCAL_SIGMOID && !options["alpha"].is_null()) {
      c.problem.positive_weight = options["alpha"];
      c.problem.negative_weight = 1 - c.problem.positive_weight;
    }
    if (loss == FOCAL_VARIFOCAL) c.problem.negative_weight = options["alpha"];
    if (options.contains("classWeights")) c.class_weights = options["classWeights"].get<std::vector<double>>();
    if (entry.value("targetKind", "") == "index") c.indices = entry["targets"].get<std::vector<int32_t>>();
    else c.targets = entry["targets"].get<std::vector<double>>();
    c.value = entry["expected"]["value"].get<std::vector<double>>();
    c.grad = entry["expected"]["grad"].get<std::vector<double>>();
    if (entry["expected"].contains("hess")) c.hess = entry["expected"]["hess"].get<std::vector<double>>();
    cases.push_back(std::move(c));
  }
  REQUIRE(cases.size() == 95);
  return cases;
}

struct Worst { double value = 0, grad = 0, hess = 0; };

// `run` fills the buffers of a problem. Golden logits and targets are exact floats.
template <class T, class Run> Worst worst_error(const Case &c, double floor, Run run) {
  const std::vector<T> logits(c.logits.begin(), c.logits.end()), targets(c.targets.begin(), c.targets.end());
  std::vector<T> value(c.value.size()), grad(c.grad.size()), hess(c.hess.size());
  FocalProblem p = c.problem;
  set_logits(p, logits);
  if (c.indices.empty()) set_targets(p, FOCAL_DENSE, targets);
  else set_targets(p, FOCAL_CLASS_INDEX, c.indices);
  if (!c.class_weights.empty()) p.class_positive = c.class_weights.data();
  set_outputs(p, &value, &grad, nullptr);
  run(p);
  // A gradient of several classes passes through zero: its error is relative to the terms it is made of.
  const double largest_grad = *std::max_element(c.grad.begin(), c.grad.end(), [](double a, double b) { return std::fabs(a) < std::fabs(b); });
  const bool mixed = p.loss == FOCAL_SOFTMAX && (c.indices.empty() || p.label_smoothing > 0);
  const bool soft = p.loss == FOCAL_QUALITY || p.loss == FOCAL_VARIFOCAL || p.loss == FOCAL_ASYMMETRIC ||
                    (p.loss == FOCAL_SIGMOID && (p.label_smoothing > 0 || c.name.find("softTargets") != std::string::npos));
  Worst worst;
  for (size_t i = 0; i < value.size(); i++) worst.value = std::fmax(worst.value, relative_error(value[i], c.value[i], floor));
  for (size_t i = 0; i < grad.size(); i++) {
    const double scale = mixed ? std::fabs(largest_grad) : soft ? std::fmax(std::fabs(c.grad[i]), std::fmin(1, c.value[i])) : std::fabs(c.grad[i]);
    const double error = std::fabs(grad[i] - c.grad[i]);
    worst.grad = std::fmax(worst.grad, error < floor ? 0 : error / scale);
  }
  if (!hess.empty()) {
    set_outputs(p, nullptr, nullptr, &hess);
    run(p);
    for (size_t i = 0; i < hess.size(); i++) {
      const double error = std::fabs(hess[i] - c.hess[i]);
      // the terms of the second derivative are about the size of value and gradient
      const double slope = p.loss == FOCAL_SOFTMAX ? largest_grad : c.grad[i];
      const double scale = std::fmax(std::fabs(c.hess[i]), std::fmin(std::fabs(slope), 1));
      worst.hess = std::fmax(worst.hess, error < floor ? 0 : error / scale);
    }
  }
  return worst;
}
