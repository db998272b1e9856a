// Where a loss of the family could lose a digit or a limit, on every instruction set against the double reference.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "tests/support/problem_builder.h"
#include "reference.h"

namespace {

constexpr int32_t element_wise[] = {FOCAL_SIGMOID, FOCAL_STAR, FOCAL_QUALITY, FOCAL_VARIFOCAL, FOCAL_HEATMAP, FOCAL_ASYMMETRIC};

template <class T> struct Outputs { std::vector<T> value, grad, hess; };

// With or without the second derivative, which is another kernel.
template <class T> Outputs<T> run(FocalProblem p, const std::vector<T> &logits, const std::vector<double> &targets, bool with_hess) {
  Outputs<T> out{std::vector<T>(logits.size()), std::vector<T>(logits.size()), std::vector<T>(with_hess ? logits.size() : 0)};
  set_logits(p, logits);
  set_targets(p, FOCAL_DENSE, targets);
  set_outputs(p, &out.value, &out.grad, with_hess ? &out.hess : static_cast<std::vector<T> *>(nullptr));
  FocalResult result;
  REQUIRE(focal_run(&p, &result) == FOCAL_OK);
  return out;
}

Outputs<double> exact(FocalProblem p, const std::vector<float> &logits, const std::vector<double> &targets) {
  const std::vector<double> x(logits.begin(), logits.end());
  Outputs<double> out{std::vector<double>(x.size()), std::vector<double>(x.size()), std::vector<double>(x.size())};
  set_logits(p, x);
  set_targets(p, FOCAL_DENSE, targets);
  set_outputs(p, &out.value, &out.grad, &out.hess);
  FocalResult result;
  focal::reference_run(p, &result);
  return out;
}

double worst(const std::vector<float> &got, const std::vector<double> &want) {
  double largest = 0;
  for (size_t i = 0; i < got.size(); i++) largest = std::fmax(largest, relative_error(static_cast<double>(got[i]), want[i], 1e-37));
  return largest;
}

FocalProblem problem_of(int32_t loss, size_t n, int32_t isa) {
  FocalProblem p = blank_problem(loss, static_cast<double>(n), 1, 1);
  p.isa = isa;
  p.beta = p.gamma_negative = 2;
  p.margin = 0.05;
  return p;
}

}  // namespace

TEST_CASE("a tail of focal star keeps its digits where gamma and beta have many") {
  std::vector<float> logits(60000);
  for (size_t i = 0; i < logits.size(); i++) logits[i] = 250 * (2 * static_cast<float>(i) / static_cast<float>(logits.size() - 1) - 1);
  for (const auto &[isa, name] : runnable_isas())
    for (const double gamma : {0.3, 0.7, 1.1, 3.3})
      for (const double beta : {0.0, 0.3, 10.1})
        for (const double label : {0.0, 1.0}) {
          CAPTURE(name);
          CAPTURE(gamma);
          CAPTURE(beta);
          FocalProblem p = problem_of(FOCAL_STAR, logits.size(), isa);
          p.gamma = gamma;
          p.beta = beta;
          const std::vector<double> targets(logits.size(), label);
          const Outputs<double> want = exact(p, logits, targets);
          for (const bool with_hess : {false, true}) {
            const Outputs<float> got = run(p, logits, targets, with_hess);
            CHECK(worst(got.value, want.value) < 6e-7);
            CHECK(worst(got.grad, want.grad) < 6e-7);
            if (with_hess) CHECK(worst(got.hess, want.hess) < 6e-7);
          }
        }
}

TEST_CASE("an asymmetric negative just above the margin keeps its digits") {
  std::vector<float> logits;
  for (float distance = 1e-6F; distance > 1e-15F; distance *= 0.9F) logits.push_back(distance);
  for (const auto &[isa, name] : runnable_isas())
    for (const double gamma : {0.0, 0.5, 1.0, 2.0, 4.0}) {
      CAPTURE(name);
      CAPTURE(gamma);
      FocalProblem p = problem_of(FOCAL_ASYMMETRIC, logits.size(), isa);
      p.gamma_negative = gamma;
      p.margin = 0.5;  // whose logit is 0, where floats are dense
      const std::vector<double> targets(logits.size(), 0);
      const Outputs<float> got = run(p, logits, targets, true), without_hess = run(p, logits, targets, false);
      for (size_t i = 0; i < logits.size(); i++) {
        const double x = static_cast<double>(logits[i]);
        // The reference subtracts the margin and loses its digits, so that this is from the series: t = p - 1/2 = x / 4 - ...
        const double t = x / 4, value = std::pow(t, gamma + 1), grad = (gamma + 1) * std::pow(t, gamma) / 4;
        const double hess = gamma == 0 ? 1.0 / 16 : (gamma + 1) * gamma * std::pow(t, gamma - 1) / 16;
        CHECK(relative_error(static_cast<double>(got.value[i]), value, 1e-37) < 1e-5);
        CHECK(relative_error(static_cast<double>(got.grad[i]), grad, 1e-37) < 1e-5);
        CHECK(relative_error(static_cast<double>(got.hess[i]), hess, 1e-37) < 1e-5);
        CHECK(relative_error(static_cast<double>(without_hess.value[i]), value, 1e-37) < 2e-6);
        CHECK(relative_error(static_cast<double>(without_hess.grad[i]), grad, 1e-37) < 2e-6);
      }
    }
}

TEST_CASE("asymmetric loss keeps the contract for any margin, label and logit") {
  std::vector<float> logits;
  for (const float range : {4.0F, 20.0F, 87.0F})
    for (int i = 0; i < 20000; i++) logits.push_back(range * (static_cast<float>(i) / 10000 - 1));
  for (const auto &[isa, name] : runnable_isas())
    for (const double margin : {0.0, 1e-6, 0.01, 0.05, 0.3, 0.5, 0.99})
      for (const double gamma : {0.0, 1.0, 2.0, 4.0})
        for (const double label : {0.0, 0.3, 1.0})
          for (const bool constant : {false, true}) {
            CAPTURE(name);
            CAPTURE(margin);
            CAPTURE(gamma);
            CAPTURE(label);
            CAPTURE(constant);
            FocalProblem p = problem_of(FOCAL_ASYMMETRIC, logits.size(), isa);
            p.gamma = 1;
            p.gamma_negative = gamma;
            p.margin = margin;
            p.constant_modulator = constant;
            const std::vector<double> targets(logits.size(), label);
            const Outputs<double> want = exact(p, logits, targets);
            const Outputs<float> got = run(p, logits, targets, false);
            CHECK(worst(got.value, want.value) < 2e-6);
            // That of a soft label is a difference of two sides, and 0 where they meet
            if (label == 0 || label == 1) CHECK(worst(got.grad, want.grad) < 2e-6);
          }
}

TEST_CASE_TEMPLATE("no power is so large that a result is no number", T, float, double) {
  const std::vector<T> logits{-80, -30, -1, T(-1e-30), 0, T(1e-38), 1, 17, 30, 40, 80};
  for (const auto &[isa, name] : runnable_isas())
    for (const int32_t loss : element_wise)
      for (const double power : {50.0, 1e9, FOCAL_LARGEST_POWER})
        for (const double margin : {0.0, 0.05, 0.5, 0.99})
          for (const double label : {0.0, 1e-9, 0.3, 1.0})
            for (const bool with_hess : {false, true}) {
              CAPTURE(name);
              CAPTURE(loss);
              CAPTURE(power);
              CAPTURE(label);
              FocalProblem p = problem_of(loss, logits.size(), isa);
              p.gamma = p.beta = p.gamma_negative = power;
              p.margin = margin;
              const Outputs<T> got = run(p, logits, std::vector<double>(logits.size(), label), with_hess);
              for (const std::vector<T> *output : {&got.value, &got.grad, &got.hess})
                CHECK(std::all_of(output->begin(), output->end(), [](T each) { return std::isfinite(each); }));
            }
}

TEST_CASE("no power is so small that a result is another's") {
  // Past 1e18 the square of a logit is no float
  const std::vector<float> logits{-3e38F, -1e30F, -1e22F, -1e19F, -80, -1, 0, 1, 30, 87.5F, 1e17F, 1e19F, 1e22F, 1e30F, 3e38F};
  for (const auto &[isa, name] : runnable_isas())
    for (const int32_t loss : element_wise)
      for (const double power : {FOCAL_LEAST_STAR_GAMMA, 1e-17, 1e-122, 1e-310})
        for (const double label : {0.0, 0.3, 1.0})
          for (const double positive_weight : {1.0, 0.0})
            for (const bool with_hess : {false, true}) {
              if (loss == FOCAL_STAR && power < FOCAL_LEAST_STAR_GAMMA) continue;
              CAPTURE(name);
              CAPTURE(loss);
              CAPTURE(power);
              CAPTURE(label);
              CAPTURE(positive_weight);
              FocalProblem p = problem_of(loss, logits.size(), isa);
              p.gamma = p.gamma_negative = power;
              p.beta = loss == FOCAL_STAR ? 1 : power;
              p.positive_weight = positive_weight;
              const std::vector<double> targets(logits.size(), label);
              const Outputs<float> got = run(p, logits, targets, with_hess);
              const Outputs<double> want = exact(p, logits, targets);
              for (size_t i = 0; i < logits.size(); i++) {
                CAPTURE(logits[i]);
                CHECK(relative_error(static_cast<double>(got.value[i]), static_cast<double>(static_cast<float>(want.value[i])), 1e-37) < 2e-6);
                CHECK(relative_error(static_cast<double>(got.grad[i]), want.grad[i], 1e-37) < 2e-6);
              }
            }
  FocalProblem p = problem_of(FOCAL_STAR, 1, 0);
  const std::vector<double> targets{0};
  const std::vector<float> logit{1};
  set_logits(p, logit);
  set_targets(p, FOCAL_DENSE, targets);
  FocalResult result;
  p.gamma = 7.7e-122;
  CHECK(focal_run(&p, &result) == FOCAL_BAD_PROBLEM);
}

TEST_CASE_TEMPLATE("a label that is no number is refused, or ignored where NaN is", T, float, double) {
  const std::vector<T> logits{-5, -1, 0, 1, 5, 3};
  const std::vector<double> targets{0.25, std::nan(""), std::nan(""), std::nan(""), std::nan(""), 0.25};
  for (const auto &[isa, name] : runnable_isas())
    for (const int32_t loss : element_wise)
      for (const double power : {0.0, 2.0, 2.6, 4.0})
        for (const bool with_hess : {false, true}) {
          CAPTURE(name);
          CAPTURE(loss);
          CAPTURE(power);
          FocalProblem p = problem_of(loss, logits.size(), isa);
          p.beta = p.gamma_negative = power;
          p.gamma = power == 0 ? 1 : power;
          p.flags = FOCAL_IGNORE_NAN;
          const Outputs<T> got = run(p, logits, targets, with_hess);
          for (const std::vector<T> *output : {&got.value, &got.grad, &got.hess})
            for (size_t i = 0; i < output->size(); i++) CHECK(((*output)[i] == 0) == (i > 0 && i < 5));
          p.flags = 0;
          std::vector<T> value(logits.size(), 7);
          set_logits(p, logits);
          set_targets(p, FOCAL_DENSE, targets);
          set_outputs(p, &value, static_cast<std::vector<T> *>(nullptr), static_cast<std::vector<T> *>(nullptr));
          FocalResult result;
          CHECK(focal_run(&p, &result) == FOCAL_BAD_TARGET);
          CHECK(result.error_index == 1);
          CHECK(value == std::vector<T>(logits.size(), 7));
        }
}
