// The numerics contract of softmax rows of any size: float kernels against the double reference, on logits of every
// magnitude whose gaps to the row's maximum reach from nothing to where an exponential is no float any more.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <random>

#include "tests/support/problem_builder.h"
#include "reference.h"

namespace {

enum class Targets { by_index, one_hot, soft };

struct Rows {
  int classes, rows;
  std::vector<float> logits, labels;
  std::vector<int32_t> indices;
};

// Each row has a maximum of at most `size` in magnitude; one third of the targets are that class.
Rows random_rows(int classes, float size, Targets targets) {
  Rows all{classes, 8000 / classes + 1, {}, {}, {}};
  std::mt19937 engine(static_cast<uint32_t>(classes));
  std::uniform_real_distribution<float> unit(0, 1);
  for (int row = 0; row < all.rows; row++) {
    const float max = size * (2 * unit(engine) - 1);
    const int top = static_cast<int>(engine() % static_cast<uint32_t>(classes));
    const int other = static_cast<int>(engine() % static_cast<uint32_t>(classes));
    // log-uniform gaps of 1e-4 .. 120, near each other in some rows and of all sizes in others
    const float smallest = row % 2 ? 1e-4F : std::pow(10.0F, 6 * unit(engine) - 4);
    const int32_t target = row % 3 ? other : top;
    all.indices.push_back(target);
    for (int c = 0; c < classes; c++) {
      all.logits.push_back(c == top ? max : max - smallest * std::pow(120 / smallest, unit(engine)));
      all.labels.push_back(targets == Targets::soft ? unit(engine) : c == target ? 1.0F : 0.0F);
    }
  }
  return all;
}

struct Exact {
  std::vector<double> value, grad, terms;  // terms: what a gradient is made of, which may cancel with soft targets
  double sum = 0;
};

// By the reference, in double.
Exact exact_results(FocalProblem p, const Rows &all, Targets targets) {
  const size_t n = all.logits.size(), classes = static_cast<size_t>(all.classes);
  const std::vector<double> logits(all.logits.begin(), all.logits.end());
  Exact exact{std::vector<double>(static_cast<size_t>(all.rows)), std::vector<double>(n), {}, 0};
  set_logits(p, logits);
  if (targets == Targets::by_index) set_targets(p, FOCAL_CLASS_INDEX, all.indices);
  else set_targets(p, FOCAL_DENSE, all.labels);
  set_outputs(p, &exact.value, &exact.grad, nullptr);
  FocalResult result;
  focal::reference_run(p, &result);
  exact.sum = result.sum;
  exact.terms.assign(n, 0);
  for (size_t c = 0; c < classes; c++) {
    std::vector<float> labels(n, 0);
    for (size_t k = c; k < n; k += classes) labels[k] = all.labels[k];
    std::vector<double> grad(n);
    set_targets(p, FOCAL_DENSE, labels);
    set_outputs(p, nullptr, &grad, nullptr);
    focal::reference_run(p, &result);
    for (size_t k = 0; k < n; k++) exact.terms[k] += std::fabs(grad[k]);
  }
  return exact;
}

struct Worst {
  double value = 0, grad = 0;
  void include(const Worst &other) { *this = {std::fmax(value, other.value), std::fmax(grad, other.grad)}; }
};

Worst worst_error(FocalProblem p, const Rows &all, Targets targets, const Exact &exact) {
  const size_t n = all.logits.size(), rows = static_cast<size_t>(all.rows);
  std::vector<float> value(rows), grad(n);
  set_logits(p, all.logits);
  if (targets == Targets::by_index) set_targets(p, FOCAL_CLASS_INDEX, all.indices);
  else set_targets(p, FOCAL_DENSE, all.labels);
  set_outputs(p, &value, &grad, nullptr);
  FocalResult result;
  REQUIRE(focal_run(&p, &result) == FOCAL_OK);

  Worst worst;
  int wrong = 0;
  const auto compare = [&wrong](double got, double want, double terms, double *largest) {
    if (terms < static_cast<double>(std::numeric_limits<float>::min())) wrong += !(std::fabs(got - want) < 1e-37);
    else *largest = std::fmax(*largest, std::isnan(got) ? INFINITY : std::fabs(got - want) / terms);
  };
  for (size_t r = 0; r < rows; r++) compare(static_cast<double>(value[r]), exact.value[r], exact.value[r], &worst.value);
  for (size_t k = 0; k < n; k++) compare(static_cast<double>(grad[k]), exact.grad[k], exact.terms[k], &worst.grad);
  CHECK(wrong == 0);
  CHECK(std::fabs(result.sum - exact.sum) <= 2e-6 * exact.sum);
  return worst;
}

}  // namespace

TEST_CASE("softmax focal keeps the contract at every size of logits") {
  Worst special, any;
  for (const float size : {1.0F, 30.0F, 45.0F, 100.0F, 250.0F, 1e3F, 1e4F, 1e29F, 1e38F})
    for (const int classes : {1, 2, 5, 21, 80})
      for (const Targets targets : {Targets::by_index, Targets::one_hot, Targets::soft}) {
        const Rows all = random_rows(classes, size, targets);
        for (const double gamma : {0.0, 0.5, 2.0, 5.0, 0.3, 2.7}) {
          CAPTURE(size);
          CAPTURE(classes);
          CAPTURE(gamma);
          CAPTURE(static_cast<int>(targets));
          FocalProblem p = blank_problem(FOCAL_SOFTMAX, all.rows, classes, 1);
          p.gamma = gamma;
          const Exact exact = exact_results(p, all, targets);
          const bool is_special = gamma != 0.3 && gamma != 2.7;
          for (const auto &[isa, name] : runnable_isas()) {
            CAPTURE(name);
            p.isa = isa;
            const Worst worst = worst_error(p, all, targets, exact);
            CHECK(worst.value < (is_special ? 2e-6 : 8e-6));
            CHECK(worst.grad < (is_special ? 2e-6 : 8e-6));
            (is_special ? special : any).include(worst);
          }
        }
      }
  MESSAGE("special gammas value ", special.value, ", grad ", special.grad, "; any gamma value ", any.value, ", grad ",
          any.grad);
}

TEST_CASE("weights do not lift what has underflowed in a shifted row") {
  const Rows all = random_rows(5, 60, Targets::by_index);
  for (const double gamma : {0.0, 0.4, 0.5, 2.0})
    for (const double weight : {15.0, 17.0, 999.0, 1e6}) {
      CAPTURE(gamma);
      CAPTURE(weight);
      FocalProblem p = blank_problem(FOCAL_SOFTMAX, all.rows, 5, 1);
      p.gamma = gamma;
      p.positive_weight = weight;
      const Exact exact = exact_results(p, all, Targets::by_index);
      for (const auto &[isa, name] : runnable_isas()) {
        CAPTURE(name);
        p.isa = isa;
        const Worst worst = worst_error(p, all, Targets::by_index, exact);
        CHECK(worst.value < 8e-6);
        CHECK(worst.grad < 8e-6);
      }
    }
}

// One large logit must not cost the other rows of its block a digit, or the call the fast path its result.
TEST_CASE("a masked row of large logits changes nothing") {
  const Rows rows = random_rows(21, 20, Targets::by_index);
  for (const auto &[isa, name] : runnable_isas()) {
    CAPTURE(name);
    FocalProblem p = blank_problem(FOCAL_SOFTMAX, rows.rows, 21, 1);
    p.isa = isa;
    std::vector<uint8_t> mask(static_cast<size_t>(rows.rows), 1);
    mask[3] = 0;
    p.mask_per = FOCAL_PER_ROW;
    p.mask_dtype = FOCAL_UINT8;
    p.mask = mask.data();
    set_targets(p, FOCAL_CLASS_INDEX, rows.indices);
    std::vector<float> plain = rows.logits, large = rows.logits, plain_grad(plain.size()), large_grad(plain.size());
    std::fill_n(large.begin() + 3 * 21, 21, 1e20F);
    FocalResult plain_result, large_result;
    set_logits(p, plain);
    set_outputs(p, nullptr, &plain_grad, nullptr);
    REQUIRE(focal_run(&p, &plain_result) == FOCAL_OK);
    set_logits(p, large);
    set_outputs(p, nullptr, &large_grad, nullptr);
    REQUIRE(focal_run(&p, &large_result) == FOCAL_OK);
    CHECK(plain_result.sum == large_result.sum);
    CHECK(plain_grad == large_grad);
  }
}

// Half precision beside logits in double was read as if it were double, beyond its end.
TEST_CASE("masks and labels of half precision beside logits in double are those in double") {
  constexpr size_t classes = 3, rows = 700;
  for (const size_t inner : {1, 7}) {
    std::vector<double> logits(classes * rows), labels(logits.size()), mask(logits.size());
    std::vector<uint16_t> half_labels(logits.size()), half_mask(logits.size());
    for (size_t i = 0; i < logits.size(); i++) {
      const size_t c = i / inner % classes, row = i / inner / classes * inner + i % inner;
      logits[i] = static_cast<double>(i * 37 % 101) / 10 - 5;
      labels[i] = c == row % 2;
      mask[i] = c == row % 2 || row % 5 != 0;
      half_labels[i] = labels[i] != 0 ? 0x3c00 : 0;
      half_mask[i] = mask[i] != 0 ? 0x3c00 : 0;
    }
    for (const auto &[isa, name] : runnable_isas()) {
      CAPTURE(name);
      FocalProblem p = blank_problem(FOCAL_SOFTMAX, static_cast<double>(rows / inner), classes, static_cast<double>(inner));
      p.isa = isa;
      p.mask_per = FOCAL_PER_ELEMENT;
      std::vector<double> grad(logits.size()), half_grad(logits.size());
      FocalResult exact, result;
      set_logits(p, logits);
      set_targets(p, FOCAL_DENSE, labels);
      p.mask_dtype = FOCAL_FLOAT64;
      p.mask = mask.data();
      set_outputs(p, nullptr, &grad, nullptr);
      REQUIRE(focal_run(&p, &exact) == FOCAL_OK);
      p.targets_dtype = p.mask_dtype = FOCAL_FLOAT16;
      p.targets = half_labels.data();
      p.mask = half_mask.data();
      set_outputs(p, nullptr, &half_grad, nullptr);
      REQUIRE(focal_run(&p, &result) == FOCAL_OK);
      CHECK(result.sum == exact.sum);
      CHECK(half_grad == grad);
    }
  }
}
