// Losses of probabilities: the reference's, by way of the logit; finite at both ends; refused outside of them.
#include <doctest/doctest.h>

#include <limits>

#include "tests/support/problem_builder.h"
#include "reference.h"

namespace {

constexpr int32_t element_wise[] = {FOCAL_SIGMOID, FOCAL_STAR, FOCAL_QUALITY, FOCAL_VARIFOCAL, FOCAL_HEATMAP, FOCAL_ASYMMETRIC};

FocalProblem probabilities(int32_t loss, size_t n) {
  FocalProblem p = blank_problem(loss, static_cast<double>(n), 1, 1);
  p.inputs = FOCAL_PROBABILITIES;
  p.gamma = 1.5;
  p.gamma_negative = 4;
  p.beta = 1.5;
  p.margin = 0.05;
  p.positive_weight = 0.25;
  p.negative_weight = 0.75;
  return p;
}

}  // namespace

TEST_CASE_TEMPLATE("losses of probabilities are those of their logits, by the chain rule", T, float, double) {
  constexpr size_t n = 9973;
  std::vector<T> given(n);
  std::vector<float> labels(n);
  for (size_t k = 0; k < n; k++) {
    given[k] = static_cast<T>(0.001 + 0.998 * static_cast<double>(k * 7919 % n) / n);
    labels[k] = k % 3 < 2 ? static_cast<float>(k % 3) : static_cast<float>(k % 64) / 64;
  }
  const std::vector<double> exact_given(given.begin(), given.end());
  const double rounding = sizeof(T) == sizeof(float) ? 6e-8 : 0;
  for (const auto &[isa, name] : runnable_isas())
    for (const int32_t loss : element_wise)
      for (const int32_t soft_targets : {FOCAL_LINEAR, FOCAL_MIXTURE}) {
        CAPTURE(name);
        CAPTURE(loss);
        FocalProblem p = probabilities(loss, n);
        p.isa = isa;
        p.soft_targets = soft_targets;
        set_targets(p, FOCAL_DENSE, labels);
        std::vector<T> values(n), grad(n), hess(n);
        std::vector<double> exact_values(n), exact_grad(n), exact_hess(n);
        FocalResult result, exact;
        set_logits(p, given);
        set_outputs(p, &values, &grad, &hess);
        REQUIRE(focal_run(&p, &result) == FOCAL_OK);
        set_logits(p, exact_given);
        set_outputs(p, &exact_values, &exact_grad, &exact_hess);
        focal::reference_run(p, &exact);
        CHECK(result.sum == doctest::Approx(exact.sum).epsilon(1e-12));
        int wrong = 0;
        for (size_t k = 0; k < n; k++) {
          // what the chain rule's terms cancel to, near a margin or a label
          const double slope = 1 / (exact_given[k] * (1 - exact_given[k]));
          const auto check = [&](T got, double want, double terms) {
            wrong += !(std::fabs(static_cast<double>(got) - want) <= rounding * std::fabs(want) + 1e-11 * terms);
          };
          check(values[k], exact_values[k], exact_values[k]);
          check(grad[k], exact_grad[k], std::fabs(exact_grad[k]) + exact_values[k] * slope);
          check(hess[k], exact_hess[k], std::fabs(exact_hess[k]) + (std::fabs(exact_grad[k]) + exact_values[k] * slope) * slope);
        }
        CHECK(wrong == 0);
      }
}

TEST_CASE_TEMPLATE("probabilities of 0 and 1 have finite losses, NaN has none, and what is outside is refused", T, float, double) {
  const std::vector<T> ends{0, 1, 0, 1, 0, 1, T(-0.0), std::numeric_limits<T>::denorm_min(), 1 - std::numeric_limits<T>::epsilon() / 2};
  const std::vector<float> labels{0, 1, 1, 0, 0.5, 0.5, 1, 1, 0};
  const size_t n = ends.size();
  for (const auto &[isa, name] : runnable_isas())
    for (const int32_t loss : element_wise)
      for (const double gamma : {0.0, 0.5, 1.0, 2.0, 5.0}) {
        CAPTURE(name);
        CAPTURE(loss);
        CAPTURE(gamma);
        FocalProblem p = probabilities(loss, n);
        p.isa = isa;
        p.gamma = p.gamma_negative = p.beta = loss == FOCAL_STAR && gamma == 0 ? 0.1 : gamma;
        set_targets(p, FOCAL_DENSE, labels);
        std::vector<T> given = ends, values(n), grad(n), hess(n);
        FocalResult result;
        set_logits(p, given);
        set_outputs(p, &values, &grad, &hess);
        REQUIRE(focal_run(&p, &result) == FOCAL_OK);
        CHECK(std::isfinite(result.sum));
        for (const auto &array : {values, grad, hess})
          for (const T each : array) CHECK(std::isfinite(each));
        given[4] = std::numeric_limits<T>::quiet_NaN();
        REQUIRE(focal_run(&p, &result) == FOCAL_OK);
        CHECK(std::isnan(values[4]));
        CHECK(std::isnan(grad[4]));
        CHECK(std::isnan(hess[4]));
        given[5] = T(1.5);
        given[7] = T(-1);
        values.assign(n, 7);
        CHECK(focal_run(&p, &result) == FOCAL_BAD_PROBABILITY);
        CHECK(result.error_index == 5);
        CHECK(result.error_value == 1.5);
        for (const T each : values) CHECK(each == 7);
      }
}
