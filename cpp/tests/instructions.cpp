// One fixed call, for callgrind to count: `focal_instructions CASE`. scripts/test-instructions.sh compares the counts
// with the committed ceilings. One thread; the instruction set is the best that valgrind knows.
//
// What is counted is the second call: the first reserves its thread's memory and has the dynamic linker look up what the C++
// library needs for that.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <string>

#include "tests/support/problem_builder.h"

// What callgrind is told to count.
extern "C" __attribute__((noinline)) int32_t counted(const FocalProblem *problem, FocalResult *result) {
  return focal_run(problem, result);
}

namespace {

template <class T> std::vector<T> make_logits(int n) {
  std::vector<T> logits(static_cast<size_t>(n));
  uint32_t state = 1;
  for (auto &x : logits) {
    state = state * 1664525U + 1013904223U;
    x = static_cast<T>(state >> 8) * static_cast<T>(8.0 / 16777216.0) - 6;
  }
  return logits;
}

template <class T> int run(FocalProblem p, const std::vector<T> &logits, bool with_hess = false) {
  std::vector<T> grad(logits.size()), hess(logits.size());
  set_logits(p, logits);
  set_outputs(p, nullptr, &grad, with_hess ? &hess : nullptr);
  p.threads = 1;
  p.reduction = FOCAL_MEAN;
  FocalResult result;
  return focal_run(&p, &result) == FOCAL_OK && counted(&p, &result) == FOCAL_OK ? 0 : 1;
}

template <class T> int by_index(int32_t loss, int rows, double gamma, int classes = 80, T scale = 1) {
  std::vector<int32_t> targets(static_cast<size_t>(rows), loss == FOCAL_SOFTMAX ? 3 : -1);
  for (size_t row = 0; row < targets.size(); row += 50) targets[row] = static_cast<int32_t>(row % classes);
  FocalProblem p = blank_problem(loss, rows, classes, 1);
  p.gamma = gamma;
  p.background = -1;
  p.positive_weight = 0.25;
  p.negative_weight = 0.75;
  set_targets(p, FOCAL_CLASS_INDEX, targets);
  std::vector<T> logits = make_logits<T>(rows * classes);
  for (T &x : logits) x *= scale;
  return run(p, logits);
}

int dense(int32_t loss, double gamma = 2, double beta = 0) {
  std::vector<float> targets = make_logits<float>(96000);
  for (auto &y : targets) y = (y + 6) / 8;
  FocalProblem p = blank_problem(loss, 96000, 1, 1);
  p.gamma = gamma;
  p.gamma_negative = 4;
  p.beta = beta;
  p.margin = 0.05;
  set_targets(p, FOCAL_DENSE, targets);
  return run(p, make_logits<float>(96000));
}

// An element-wise loss of 96,000 logits, of 80 classes, with what may leave the fast road.
struct ElementCall {
  int32_t loss = FOCAL_SIGMOID;
  bool by_index = false;  // else a byte an element
  bool masked_rows = false, masked = false, weighted = false, ignored = false, smoothed = false, far = false, probabilities = false, second = false;
};
template <class T = float> int element_wise(const ElementCall &call) {
  constexpr int rows = 1200, classes = 80, n = rows * classes;
  FocalProblem p = blank_problem(call.loss, rows, classes, 1);
  const bool asymmetric = call.loss == FOCAL_ASYMMETRIC;
  p.gamma = asymmetric ? 1 : 2;
  p.gamma_negative = 4;
  p.margin = 0.05;
  p.background = -1;
  p.positive_weight = asymmetric ? 1 : 0.25;
  p.negative_weight = asymmetric ? 1 : 0.75;
  if (call.ignored) p.ignore_index = 255;
  if (call.smoothed) p.label_smoothing = 0.1;
  std::vector<T> logits = make_logits<T>(n), grad(n), hess(n);
  for (size_t k = 0; call.far && k < n; k += 97) logits[k] = T(-1e9);
  if (call.probabilities) {
    p.inputs = FOCAL_PROBABILITIES;
    for (T &x : logits) x = 1 / (1 + std::exp(-x));
  }
  std::vector<int32_t> indices(rows, -1);
  std::vector<uint8_t> labels(n), mask(call.masked ? n : rows, 1);
  std::vector<float> weights(call.masked_rows ? rows : n, 0.5f);
  for (size_t row = 0; row < rows; row += 50) indices[row] = static_cast<int32_t>(row % classes);
  for (size_t k = 0; k < n; k += 50) labels[k] = 1;
  for (size_t k = 0; call.ignored && k < n; k += 11) labels[k] = 255;
  for (size_t k = 1; k < mask.size(); k += 11) mask[k] = 0;
  if (call.masked || call.masked_rows) {
    p.mask_per = call.masked ? FOCAL_PER_ELEMENT : FOCAL_PER_ROW;
    p.mask = mask.data();
    p.mask_dtype = FOCAL_UINT8;
  }
  if (call.weighted) {
    p.weights_per = call.masked_rows ? FOCAL_PER_ROW : FOCAL_PER_ELEMENT;
    p.weights = weights.data();
    p.weights_dtype = FOCAL_FLOAT32;
  }
  if (call.by_index) set_targets(p, FOCAL_CLASS_INDEX, indices);
  else set_targets(p, FOCAL_DENSE, labels);
  set_logits(p, logits);
  set_outputs(p, nullptr, &grad, call.second ? &hess : nullptr);
  p.threads = 1;
  p.reduction = FOCAL_MEAN;
  FocalResult result;
  return focal_run(&p, &result) == FOCAL_OK && counted(&p, &result) == FOCAL_OK ? 0 : 1;
}

// A softmax over 96,000 logits with what may leave the fast road.
struct SoftmaxCall {
  int classes = 80;
  bool apart = false;  // [1, classes, rows]
  bool ignored = false, far = false, masked_rows = false, masked_classes = false, one_hot = false, probabilities = false, hess = false;
};
template <class Label = uint8_t> int softmax(const SoftmaxCall &call) {
  const int rows = 96000 / call.classes;
  const size_t count = static_cast<size_t>(rows * call.classes);
  FocalProblem p = blank_problem(FOCAL_SOFTMAX, call.apart ? 1 : rows, call.classes, call.apart ? rows : 1);
  std::vector<float> logits = make_logits<float>(rows * call.classes), weights(static_cast<size_t>(rows), 0.5f);
  for (size_t k = 0; call.far && k < count; k += 97) logits[k] = -1e9f;
  if (call.probabilities) {
    p.inputs = FOCAL_PROBABILITIES;
    for (float &x : logits) x = 1 / static_cast<float>(call.classes);
  }
  std::vector<int32_t> indices(static_cast<size_t>(rows));
  std::vector<Label> labels(call.one_hot ? count : 0);
  std::vector<uint8_t> mask(call.masked_classes ? count : static_cast<size_t>(rows), 1);
  for (size_t k = 1; k < mask.size(); k += 11) mask[k] = 0;
  for (size_t row = 0; row < indices.size(); row++) {
    const size_t index = row % static_cast<size_t>(call.classes), at = row * static_cast<size_t>(call.classes) + index;
    indices[row] = call.ignored && row % 10 == 0 ? 255 : static_cast<int32_t>(index);
    if (call.one_hot) labels[at] = 1;
    if (call.masked_classes) mask[at] = 1;
  }
  if (call.ignored) p.ignore_index = 255;
  if (call.masked_rows || call.masked_classes) {
    p.mask_per = call.masked_classes ? FOCAL_PER_ELEMENT : FOCAL_PER_ROW;
    p.mask = mask.data();
    p.mask_dtype = FOCAL_UINT8;
  }
  if (call.masked_rows) {
    p.weights_per = FOCAL_PER_ROW;
    p.weights = weights.data();
    p.weights_dtype = FOCAL_FLOAT32;
  }
  if (call.one_hot) set_targets(p, FOCAL_DENSE, labels);
  else set_targets(p, FOCAL_CLASS_INDEX, indices);
  return run(p, logits, call.hess);
}

const std::map<std::string, std::function<int()>> cases{
    {"sigmoid-80", [] { return by_index<float>(FOCAL_SIGMOID, 1, 2); }},
    {"sigmoid-960", [] { return by_index<float>(FOCAL_SIGMOID, 12, 2); }},
    {"sigmoid-96000", [] { return by_index<float>(FOCAL_SIGMOID, 1200, 2); }},
    {"sigmoid-any-gamma-96000", [] { return by_index<float>(FOCAL_SIGMOID, 1200, 2.2); }},
    {"sigmoid-float64-96000", [] { return by_index<double>(FOCAL_SIGMOID, 1200, 2); }},
    {"sigmoid-soft-96000", [] { return dense(FOCAL_SIGMOID); }},
    {"star-soft-96000", [] { return dense(FOCAL_STAR, 2, 1); }},
    {"quality-96000", [] { return dense(FOCAL_QUALITY, 0, 2); }},
    {"varifocal-96000", [] { return dense(FOCAL_VARIFOCAL); }},
    {"heatmap-96000", [] { return dense(FOCAL_HEATMAP, 2, 4); }},
    {"asymmetric-96000", [] { return dense(FOCAL_ASYMMETRIC, 1); }},
    {"asymmetric-labels", [] { return element_wise({.loss = FOCAL_ASYMMETRIC}); }},
    {"sigmoid-labels", [] { return element_wise({}); }},
    {"sigmoid-labels-mask", [] { return element_wise({.masked = true}); }},
    {"sigmoid-labels-weights", [] { return element_wise({.weighted = true}); }},
    {"sigmoid-labels-ignored", [] { return element_wise({.ignored = true}); }},
    {"sigmoid-labels-smoothed", [] { return element_wise({.smoothed = true}); }},
    {"sigmoid-labels-far", [] { return element_wise({.far = true}); }},
    {"sigmoid-masked-rows", [] { return element_wise({.by_index = true, .masked_rows = true, .weighted = true}); }},
    {"sigmoid-probabilities", [] { return element_wise({.probabilities = true}); }},
    {"sigmoid-second", [] { return element_wise({.second = true}); }},
    {"sigmoid-second-float64", [] { return element_wise<double>({.second = true}); }},
    {"softmax-96000", [] { return by_index<float>(FOCAL_SOFTMAX, 1200, 2); }},
    {"softmax-21-classes", [] { return by_index<float>(FOCAL_SOFTMAX, 4571, 2, 21); }},
    {"softmax-float64", [] { return by_index<double>(FOCAL_SOFTMAX, 1200, 2); }},
    {"softmax-large-logits", [] { return by_index<float>(FOCAL_SOFTMAX, 1200, 2, 80, 20); }},
    {"softmax-2-classes", [] { return softmax({.classes = 2}); }},
    {"softmax-3-classes", [] { return softmax({.classes = 3}); }},
    {"softmax-5-classes", [] { return softmax({.classes = 5}); }},
    {"softmax-10-classes", [] { return softmax({.classes = 10}); }},
    {"softmax-apart-2-classes", [] { return softmax({.classes = 2, .apart = true}); }},
    {"softmax-apart-ignored-20-classes", [] { return softmax({.classes = 20, .apart = true, .ignored = true}); }},
    {"softmax-far-logits", [] { return softmax({.far = true}); }},
    {"softmax-masked-rows", [] { return softmax({.masked_rows = true}); }},
    {"softmax-masked-classes-3", [] { return softmax({.classes = 3, .masked_classes = true}); }},
    {"softmax-masked-classes-80", [] { return softmax({.masked_classes = true}); }},
    {"softmax-one-hot-bytes", [] { return softmax({.one_hot = true}); }},
    {"softmax-one-hot-floats", [] { return softmax<float>({.one_hot = true}); }},
    {"softmax-hess-2-classes", [] { return softmax({.classes = 2, .hess = true}); }},
    {"softmax-hess-10-classes", [] { return softmax({.classes = 10, .hess = true}); }},
    {"softmax-hess-80-classes", [] { return softmax({.hess = true}); }},
    {"softmax-probabilities", [] { return softmax({.probabilities = true}); }},
};

}  // namespace

int main(int argc, char **argv) {
  if (argc == 2) {
    const auto found = cases.find(argv[1]);
    if (found != cases.end()) return found->second();
  }
  for (const auto &[name, body] : cases) std::puts(name.c_str());
  return argc == 1 ? 0 : 2;
}
