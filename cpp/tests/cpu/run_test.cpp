// What a call promises beyond its numbers: the same bits for every number of threads, errors before any write,
// limits at infinity, nothing for nothing, and no wrong answer beside a large logit.
#include <doctest/doctest.h>

#include <cstring>
#include <limits>
#include <random>
#include <thread>

#include "tests/support/problem_builder.h"

namespace {

std::vector<float> random_logits(size_t n, uint32_t seed = 1) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(-2, 3);
  std::vector<float> x(n);
  for (auto &each : x) each = normal(engine);
  return x;
}

}  // namespace

TEST_CASE("sums and gradients have the same bits for every number of threads") {
  const std::vector<float> logits = random_logits(80 * 3001);
  std::vector<int32_t> targets(3001, 80);
  for (size_t i = 0; i < targets.size(); i += 7) targets[i] = static_cast<int32_t>(i % 80);
  for (const int32_t loss : {FOCAL_SIGMOID, FOCAL_SOFTMAX}) {
    FocalProblem p = blank_problem(loss, 3001, 80, 1);
    p.background = 80;
    set_logits(p, logits);
    set_targets(p, FOCAL_CLASS_INDEX, targets);
    std::vector<float> first(logits.size()), grad(logits.size());
    FocalResult want, got;
    p.threads = 1;
    set_outputs(p, nullptr, &first, nullptr);
    REQUIRE(focal_run(&p, &want) == FOCAL_OK);
    for (const int32_t threads : {2, 3, 5, 16}) {
      p.threads = threads;
      for (int round = 0; round < 20; round++) {
        set_outputs(p, nullptr, &grad, nullptr);
        REQUIRE(focal_run(&p, &got) == FOCAL_OK);
        CHECK(std::memcmp(&got, &want, sizeof got) == 0);
        CHECK(grad == first);
      }
    }
  }
}

TEST_CASE("calls from several threads at once do not disturb each other") {
  const std::vector<float> logits = random_logits(200000);
  const std::vector<uint8_t> targets(logits.size(), 0);
  FocalProblem p = blank_problem(FOCAL_SIGMOID, 200000, 1, 1);
  set_logits(p, logits);
  set_targets(p, FOCAL_DENSE, targets);
  FocalResult want;
  REQUIRE(focal_run(&p, &want) == FOCAL_OK);
  std::vector<std::thread> callers;
  int wrong[4] = {};
  for (int caller = 0; caller < 4; caller++)
    callers.emplace_back([&, caller] {
      std::vector<float> grad(logits.size());
      FocalProblem mine = p;
      set_outputs(mine, nullptr, &grad, nullptr);
      for (int round = 0; round < 50; round++) {
        FocalResult got;
        wrong[caller] += focal_run(&mine, &got) != FOCAL_OK || got.sum != want.sum;
      }
    });
  for (auto &caller : callers) caller.join();
  for (const int count : wrong) CHECK(count == 0);
}

TEST_CASE("wrong targets are reported before anything is written") {
  const std::vector<float> logits = random_logits(12000);
  std::vector<float> grad(logits.size(), 42), values(logits.size(), 42);
  FocalResult result;
  SUBCASE("a class out of range") {
    std::vector<int32_t> targets(150, 3);
    targets[149] = 80;
    FocalProblem p = blank_problem(FOCAL_SIGMOID, 150, 80, 1);
    set_logits(p, logits);
    set_targets(p, FOCAL_CLASS_INDEX, targets);
    set_outputs(p, &values, &grad, nullptr);
    CHECK(focal_run(&p, &result) == FOCAL_BAD_CLASS);
    CHECK(result.error_index == 149);
    CHECK(result.error_value == 80);
  }
  SUBCASE("a label outside [0, 1]") {
    std::vector<float> targets(12000, 0);
    targets[11999] = 1.5F;
    FocalProblem p = blank_problem(FOCAL_SIGMOID, 12000, 1, 1);
    set_logits(p, logits);
    set_targets(p, FOCAL_DENSE, targets);
    set_outputs(p, &values, &grad, nullptr);
    CHECK(focal_run(&p, &result) == FOCAL_BAD_TARGET);
    CHECK(result.error_index == 11999);
    CHECK(result.error_value == 1.5);
  }
  SUBCASE("not a problem at all") {
    FocalProblem p = blank_problem(FOCAL_SIGMOID, 1, 1, 1);
    set_outputs(p, &values, &grad, nullptr);
    CHECK(focal_run(&p, &result) == FOCAL_BAD_PROBLEM);  // no logits
    p.abi = 99;
    CHECK(focal_run(&p, &result) == FOCAL_BAD_PROBLEM);
    p.abi = FOCAL_ABI;
    p.isa = 99;
    CHECK(focal_run(&p, &result) == FOCAL_BAD_PROBLEM);
  }
  SUBCASE("a power past the largest, or none") {
    const std::vector<float> targets{0};
    for (double FocalProblem::*power : {&FocalProblem::gamma, &FocalProblem::gamma_negative, &FocalProblem::beta}) {
      FocalProblem p = blank_problem(FOCAL_SIGMOID, 1, 1, 1);
      set_logits(p, logits);
      set_targets(p, FOCAL_DENSE, targets);
      p.*power = FOCAL_LARGEST_POWER;
      CHECK(focal_run(&p, &result) == FOCAL_OK);
      set_outputs(p, &values, &grad, nullptr);
      for (const double bad : {2 * FOCAL_LARGEST_POWER, double(INFINITY), std::nan("")}) {
        p.*power = bad;
        CHECK(focal_run(&p, &result) == FOCAL_BAD_PROBLEM);
      }
    }
  }
  for (const float each : grad) CHECK(each == 42);
  for (const float each : values) CHECK(each == 42);
}

TEST_CASE("nothing gives nothing") {
  const std::vector<float> logits;
  const std::vector<uint8_t> targets;
  for (const int32_t loss : {FOCAL_SIGMOID, FOCAL_SOFTMAX}) {
    FocalProblem p = blank_problem(loss, 0, 3, 1);
    p.reduction = FOCAL_MEAN;
    set_logits(p, logits);
    set_targets(p, FOCAL_DENSE, targets);
    FocalResult result;
    CHECK(focal_run(&p, &result) == FOCAL_OK);
    CHECK(result.sum == 0);
    CHECK(result.denominator == 1);
  }
}

TEST_CASE_TEMPLATE("extreme logits give their limits, and leave their neighbours right", T, float, double) {
  const T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  const T huge = static_cast<T>(3e38);
  for (const auto &[isa, name] : runnable_isas())
    for (const double gamma : {0.0, 0.5, 2.0, 2.7, 5.0})
      for (const int positive : {0, 1}) {
        CAPTURE(name);
        CAPTURE(gamma);
        const T sign = positive ? T(-1) : T(1);
        // wrong by a lot: infinity, 3e38, 1e4, 100; right by a lot; and an ordinary one
        const std::vector<T> logits{sign * inf, sign * huge, sign * T(1e4), sign * T(100), -sign * inf, -sign * huge, -sign * T(1e4), nan, T(0.5)};
        const std::vector<uint8_t> targets(logits.size(), static_cast<uint8_t>(positive));
        FocalProblem p = blank_problem(FOCAL_SIGMOID, static_cast<double>(logits.size()), 1, 1);
        p.gamma = gamma;
        p.isa = isa;
        p.positive_weight = p.negative_weight = 0.5;
        set_logits(p, logits);
        set_targets(p, FOCAL_DENSE, targets);
        std::vector<T> values(logits.size()), grad(logits.size()), hess(logits.size());
        set_outputs(p, &values, &grad, &hess);
        FocalResult result;
        REQUIRE(focal_run(&p, &result) == FOCAL_OK);
        CHECK(values[0] == inf);
        CHECK(values[1] == doctest::Approx(0.5 * static_cast<double>(huge)).epsilon(1e-6));
        CHECK(values[2] == doctest::Approx(5e3).epsilon(1e-6));
        CHECK(values[3] == doctest::Approx(50).epsilon(1e-6));
        for (int i = 0; i < 4; i++) CHECK(grad[i] == doctest::Approx(0.5 * static_cast<double>(sign)).epsilon(1e-6));
        for (int i = 4; i < 7; i++) {
          CHECK(std::fabs(values[i]) < T(1e-37));
          CHECK(std::fabs(grad[i]) < T(1e-37));
        }
        CHECK(std::isnan(values[7]));
        CHECK(std::isnan(grad[7]));
        const std::vector<T> alone{T(0.5)};
        std::vector<T> value_alone(1), grad_alone(1);
        p.outer = 1;
        set_logits(p, alone);
        set_outputs(p, &value_alone, &grad_alone, nullptr);
        REQUIRE(focal_run(&p, &result) == FOCAL_OK);
        CHECK(values[8] == doctest::Approx(static_cast<double>(value_alone[0])).epsilon(2e-6));
        CHECK(grad[8] == doctest::Approx(static_cast<double>(grad_alone[0])).epsilon(2e-6));
      }
}

TEST_CASE("a call leaves its thread's floating point as it was") {
  const std::vector<float> logits(10000, -60);
  const std::vector<uint8_t> targets(10000, 0);
  FocalProblem p = blank_problem(FOCAL_SIGMOID, 10000, 1, 1);
  p.gamma = 5;
  set_logits(p, logits);
  set_targets(p, FOCAL_DENSE, targets);
  std::vector<float> grad(logits.size());
  set_outputs(p, nullptr, &grad, nullptr);
  FocalResult result;
  REQUIRE(focal_run(&p, &result) == FOCAL_OK);
  for (const float each : grad) CHECK(std::fabs(each) < 1e-37F);
  volatile float tiny = 1e-40F;  // which is no normal number
  tiny = tiny * 0.5F;
  CHECK(tiny > 0);
}

TEST_CASE("sums of huge finite logits do not overflow") {
  const std::vector<float> logits(1000, 3e38F);
  const std::vector<uint8_t> targets(1000, 0);
  FocalProblem p = blank_problem(FOCAL_SIGMOID, 1000, 1, 1);
  set_logits(p, logits);
  set_targets(p, FOCAL_DENSE, targets);
  FocalResult result;
  REQUIRE(focal_run(&p, &result) == FOCAL_OK);
  CHECK(result.sum == doctest::Approx(1000 * static_cast<double>(3e38F)));
}

TEST_CASE("softmax at the extremes") {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  for (const auto &[isa, name] : runnable_isas()) {
    CAPTURE(name);
    const std::vector<float> logits{3e38F, -3e38F, 0, /**/ -inf, 0, 0, /**/ inf, 0, 0, /**/ nan, 0, 0, /**/ 1000, 999, -1000, /**/ inf, inf, 0};
    const std::vector<int32_t> targets{1, 0, 0, 0, 0, 0};
    FocalProblem p = blank_problem(FOCAL_SOFTMAX, 6, 3, 1);
    p.isa = isa;
    set_logits(p, logits);
    set_targets(p, FOCAL_CLASS_INDEX, targets);
    std::vector<float> values(6), grad(18);
    set_outputs(p, &values, &grad, nullptr);
    FocalResult result;
    REQUIRE(focal_run(&p, &result) == FOCAL_OK);
    CHECK(values[0] == inf);  // 6e38 is beyond float
    CHECK(grad[0] == doctest::Approx(1));
    CHECK(grad[1] == doctest::Approx(-1));
    CHECK(grad[2] == 0);
    CHECK(values[1] == inf);
    CHECK(grad[3] == doctest::Approx(-1));
    CHECK(grad[4] == doctest::Approx(0.5));
    CHECK(values[2] == 0);
    for (int i = 6; i < 9; i++) CHECK(grad[i] == 0);
    for (int i = 9; i < 12; i++) CHECK(std::isnan(grad[i]));
    CHECK(std::isnan(values[3]));
    const double q = 1 / (1 + std::exp(1.0));
    CHECK(values[4] == doctest::Approx(q * q * std::log1p(std::exp(-1.0))).epsilon(1e-6));
    CHECK(std::isnan(values[5]));
  }
}

TEST_CASE("masked and ignored elements give zero whatever is in them") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> logits{1, nan, 2, 1e30F, -1, 3};
  const std::vector<uint8_t> targets{1, 0, 0, 255, 1, 7};
  const std::vector<uint8_t> mask{1, 0, 1, 1, 1, 0};
  for (const auto &[isa, name] : runnable_isas()) {
    CAPTURE(name);
    FocalProblem p = blank_problem(FOCAL_SIGMOID, 6, 1, 1);
    p.isa = isa;
    p.ignore_index = 255;
    p.reduction = FOCAL_MEAN;
    set_logits(p, logits);
    set_targets(p, FOCAL_DENSE, targets);
    p.mask_per = FOCAL_PER_ELEMENT;
    p.mask_dtype = FOCAL_UINT8;
    p.mask = mask.data();
    std::vector<float> values(6, 9), grad(6, 9);
    set_outputs(p, &values, &grad, nullptr);
    FocalResult result;
    REQUIRE(focal_run(&p, &result) == FOCAL_OK);
    CHECK(result.elements == 3);
    CHECK(result.positives == 2);
    CHECK(result.denominator == 3);
    for (const int i : {1, 3, 5}) {
      CHECK(values[i] == 0);
      CHECK(grad[i] == 0);
      CHECK_FALSE(std::signbit(grad[i]));
    }
    for (const int i : {0, 2, 4}) CHECK(values[i] > 0);
  }
}
