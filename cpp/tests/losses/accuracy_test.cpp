// The numerics contract over the whole range, not at chosen points: float kernels against the double reference,
// wherever the exact result is a normal float.
#include <doctest/doctest.h>

#include <limits>

#include "tests/support/problem_builder.h"
#include "reference.h"

namespace {

struct Worst { double value = 0, grad = 0; };

// What multiplies the outputs.
struct Factors { double weight = 1, grad_scale = 1; };

// Logits from -range to range, all of target 0 (as a background class index, or as dense labels) or 1.
Worst scan(int32_t isa, double gamma, bool by_index, uint8_t label, float range, size_t n = 60000, const Factors &factors = {}) {
  std::vector<float> logits(n);
  for (size_t i = 0; i < n; i++) logits[i] = range * (2 * static_cast<float>(i) / static_cast<float>(n - 1) - 1);
  const std::vector<double> exact_logits(logits.begin(), logits.end());
  const std::vector<int32_t> indices(n / 2, -1);
  const std::vector<uint8_t> labels(n, label);
  std::vector<float> value(n), grad(n);
  std::vector<double> exact_value(n), exact_grad(n);

  FocalProblem p = by_index ? blank_problem(FOCAL_SIGMOID, n / 2, 2, 1) : blank_problem(FOCAL_SIGMOID, n, 1, 1);
  p.gamma = gamma;
  p.isa = isa;
  p.background = -1;
  p.positive_weight = p.negative_weight = factors.weight;
  p.grad_scale = factors.grad_scale;
  if (by_index) set_targets(p, FOCAL_CLASS_INDEX, indices);
  else set_targets(p, FOCAL_DENSE, labels);
  FocalResult result;
  set_logits(p, logits);
  set_outputs(p, &value, &grad, nullptr);
  REQUIRE(focal_run(&p, &result) == FOCAL_OK);
  set_logits(p, exact_logits);
  set_outputs(p, &exact_value, &exact_grad, nullptr);
  focal::reference_run(p, &result);

  Worst worst;
  int wrong = 0;
  const auto compare = [&wrong](double got, double want, double *largest) {
    const bool normal = std::fabs(want) >= static_cast<double>(std::numeric_limits<float>::min());
    if (!normal) wrong += !(std::fabs(got - want) < 1e-37);
    else *largest = std::fmax(*largest, std::fabs(got - want) / std::fabs(want));
  };
  for (size_t i = 0; i < n; i++) {
    compare(static_cast<double>(value[i]), exact_value[i], &worst.value);
    compare(static_cast<double>(grad[i]), exact_grad[i], &worst.grad);
  }
  CHECK(wrong == 0);
  return worst;
}

Worst scan_all(int32_t isa, double gamma) {
  Worst worst;
  for (const float range : {1.0F, 20.0F, 100.0F})
    for (const int kind : {0, 1, 2}) {
      const Worst one = scan(isa, gamma, kind == 0, kind == 2, range);
      worst = {std::fmax(worst.value, one.value), std::fmax(worst.grad, one.grad)};
    }
  return worst;
}

}  // namespace

TEST_CASE("sigmoid focal keeps the contract from -100 to 100") {
  for (const auto &[isa, name] : runnable_isas()) {
    CAPTURE(name);
    Worst special, any;
    for (const double gamma : {0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0}) {
      CAPTURE(gamma);
      const Worst worst = scan_all(isa, gamma);
      CHECK(worst.value < 2e-6);
      CHECK(worst.grad < 2e-6);
      special = {std::fmax(special.value, worst.value), std::fmax(special.grad, worst.grad)};
    }
    for (const double gamma : {0.1, 0.75, 1.3, 2.2, 2.7, 3.7, 4.4, 4.9}) {
      CAPTURE(gamma);
      const Worst worst = scan_all(isa, gamma);
      CHECK(worst.value < 2e-6);  // better than the 8e-6 promised
      CHECK(worst.grad < 2e-6);
      any = {std::fmax(any.value, worst.value), std::fmax(any.grad, worst.grad)};
    }
    MESSAGE(name, ": special gammas value ", special.value, ", grad ", special.grad, "; any gamma value ", any.value,
            ", grad ", any.grad);
  }
}

// A factor must not bring back what was too small on the way, nor lose what is small only before it.
TEST_CASE("results near the smallest normal number keep the contract, whatever multiplies them") {
  for (const auto &[isa, name] : runnable_isas())
    for (const double gamma : {0.5, 2.0, 5.0, 4.4})
      for (const double weight : {1e-12, 0.25, 1.0, 3.0, 1e6, 3e7, 1e12})
        for (const double grad_scale : {1e-9, 1.0, 65536.0, 1e8})
          for (const int kind : {0, 1, 2}) {
            // Above, a power may be too small where its product with all of them is not. Larger weights are in double
            if (weight < 1e7 && weight * grad_scale > 4e6) continue;
            CAPTURE(name);
            CAPTURE(gamma);
            CAPTURE(weight);
            CAPTURE(grad_scale);
            CAPTURE(kind);
            const Worst worst = scan(isa, gamma, kind == 0, kind == 2, 100, 6000, {weight, grad_scale});
            CHECK(worst.value < 2e-6);
            CHECK(worst.grad < (gamma == 4.4 ? 8e-6 : 2e-6));
          }
}
