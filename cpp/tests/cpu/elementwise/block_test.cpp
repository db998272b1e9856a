// What the one pass over a block must not forget: logits it has already overwritten when a large one turns up, weights
// that it leaves to the end, positives that it counts apart.
#include <doctest/doctest.h>

#include <cstring>
#include <limits>

#include "tests/support/problem_builder.h"
#include "reference.h"

namespace {

constexpr size_t classes = 80;

// From -45 to 45, in no order; one in 3001 is beyond what the fast path takes, where `with_large` says so.
template <class T> std::vector<T> logits_of(size_t n, bool with_large) {
  std::vector<T> logits(n);
  for (size_t i = 0; i < n; i++) {
    logits[i] = static_cast<T>(static_cast<double>(i * 7919 % 9001) / 100 - 45);
    if (with_large && i % 3001 == 1500) logits[i] = static_cast<T>(i % 2 ? 900 : -900);
  }
  return logits;
}

// Rows 0, 3, 6, ... have a class, so that packs with no positive, with one and with several occur.
std::vector<int32_t> classes_of(size_t rows) {
  std::vector<int32_t> targets(rows, -1);
  for (size_t row = 0; row < rows; row += 3) targets[row] = static_cast<int32_t>(row * 37 % classes);
  return targets;
}

}  // namespace

TEST_CASE_TEMPLATE("a gradient over its own logits is the gradient beside them, large logits or not", T, float, double) {
  for (const auto &[isa, name] : runnable_isas())
    for (const bool with_large : {false, true})
      for (const size_t rows : {1, 12, 57, 151}) {
        CAPTURE(name);
        CAPTURE(with_large);
        CAPTURE(rows);
        const size_t n = rows * classes;
        const std::vector<T> logits = logits_of<T>(n, with_large);
        const std::vector<int32_t> indices = classes_of(rows);
        std::vector<float> soft(n), hard(n);
        for (size_t i = 0; i < n; i++) soft[i] = static_cast<float>(i % 11) / 10, hard[i] = static_cast<float>(i % 5 == 0);
        for (const int kind : {0, 1, 2, 3, 4, 5}) {
          CAPTURE(kind);
          const int32_t loss = kind < 3 ? FOCAL_SIGMOID : FOCAL_ASYMMETRIC;
          const bool by_index = kind % 3 == 0;
          FocalProblem p = by_index ? blank_problem(loss, static_cast<double>(rows), classes, 1) : blank_problem(loss, static_cast<double>(n), 1, 1);
          p.gamma_negative = 4;
          p.margin = 0.05;
          p.isa = isa;
          p.background = -1;
          if (by_index) set_targets(p, FOCAL_CLASS_INDEX, indices);
          else set_targets(p, FOCAL_DENSE, kind % 3 == 1 ? soft : hard);
          set_logits(p, logits);
          std::vector<T> beside(n), over = logits;
          set_outputs(p, nullptr, &beside, nullptr);
          FocalResult first, second;
          REQUIRE(focal_run(&p, &first) == FOCAL_OK);
          set_logits(p, over);
          set_outputs(p, nullptr, &over, nullptr);
          REQUIRE(focal_run(&p, &second) == FOCAL_OK);
          CHECK(first.sum == second.sum);
          CHECK(std::memcmp(over.data(), beside.data(), n * sizeof(T)) == 0);
        }
      }
}

TEST_CASE("one weight for all is right from the smallest to the largest") {
  constexpr size_t rows = 151, n = rows * classes;
  const std::vector<float> logits = logits_of<float>(n, false);
  const std::vector<double> exact_logits(logits.begin(), logits.end());
  const std::vector<int32_t> indices = classes_of(rows);
  for (const auto &[isa, name] : runnable_isas())
    for (const double gamma : {0.0, 2.0, 2.7})
      for (const double weight : {0.0, 1e-20, 0.3, 4.0, 5.0, 1e6, 1e16}) {
        CAPTURE(name);
        CAPTURE(gamma);
        CAPTURE(weight);
        FocalProblem p = blank_problem(FOCAL_SIGMOID, rows, classes, 1);
        p.gamma = gamma;
        p.isa = isa;
        p.background = -1;
        p.negative_weight = weight;
        p.positive_weight = 2;
        set_targets(p, FOCAL_CLASS_INDEX, indices);
        std::vector<float> values(n), grad(n);
        std::vector<double> exact_values(n), exact_grad(n);
        FocalResult result, exact;
        set_logits(p, logits);
        set_outputs(p, &values, &grad, nullptr);
        REQUIRE(focal_run(&p, &result) == FOCAL_OK);
        set_logits(p, exact_logits);
        set_outputs(p, &exact_values, &exact_grad, nullptr);
        focal::reference_run(p, &exact);
        CHECK(result.sum == doctest::Approx(exact.sum).epsilon(2e-6));
        int wrong = 0;
        const auto compare = [&wrong](double got, double want) {
          const bool normal = std::fabs(want) >= static_cast<double>(std::numeric_limits<float>::min());
          wrong += !(std::fabs(got - want) < (normal ? 2e-6 * std::fabs(want) : 1e-37));
        };
        for (size_t i = 0; i < n; i++) {
          compare(static_cast<double>(values[i]), exact_values[i]);
          compare(static_cast<double>(grad[i]), exact_grad[i]);
        }
        CHECK(wrong == 0);
      }
}

TEST_CASE("a weight that leaves the range of float times one of 0 is 0") {
  constexpr size_t n = 300;
  const std::vector<float> logits = logits_of<float>(n, false);
  std::vector<float> weights(n, 0);
  std::vector<uint8_t> targets(n);
  for (size_t i = 0; i < n; i++) targets[i] = i % 3 == 0;
  for (const auto &[isa, name] : runnable_isas())
    for (const int32_t loss : {FOCAL_SIGMOID, FOCAL_STAR, FOCAL_ASYMMETRIC}) {
      CAPTURE(name);
      CAPTURE(loss);
      FocalProblem p = blank_problem(loss, n, 1, 1);
      p.isa = isa;
      p.positive_weight = p.negative_weight = 1e42;
      p.weights_per = FOCAL_PER_ELEMENT;
      p.weights_dtype = FOCAL_FLOAT32;
      p.weights = weights.data();
      set_targets(p, FOCAL_DENSE, targets);
      set_logits(p, logits);
      std::vector<float> values(n), grad(n);
      set_outputs(p, &values, &grad, nullptr);
      FocalResult result;
      REQUIRE(focal_run(&p, &result) == FOCAL_OK);
      for (size_t i = 0; i < n; i++) {
        CHECK(std::isfinite(values[i]));
        CHECK(values[i] == 0);
        CHECK(grad[i] == 0);
      }
    }
}

TEST_CASE("far logits have the reference's numbers, on the side of their labels and on the other") {
  const std::vector<float> far{-799, -801, -1e9f, -1e30f, 799, 801, 1e9f, 88, -88};
  const std::vector<float> labels{0, 1, 0.25f};
  for (const auto &[isa, name] : runnable_isas())
    for (const int32_t loss : {FOCAL_SIGMOID, FOCAL_STAR, FOCAL_QUALITY, FOCAL_VARIFOCAL, FOCAL_HEATMAP, FOCAL_ASYMMETRIC, FOCAL_SIGMOID_GENERAL})
      for (const double gamma : {0.1, 2.0}) {
        CAPTURE(name);
        CAPTURE(loss);
        CAPTURE(gamma);
        std::vector<float> logits, targets;
        for (const float x : far)
          for (const float y : labels) logits.push_back(x), targets.push_back(y);
        const size_t n = logits.size();
        FocalProblem p = blank_problem(loss, static_cast<double>(n), 1, 1);
        p.isa = isa;
        p.gamma = gamma;
        p.gamma_negative = 4;
        p.beta = loss == FOCAL_SIGMOID_GENERAL ? 0.1 : gamma;
        p.positive_from = loss == FOCAL_HEATMAP ? 1 : 0.5;
        set_targets(p, FOCAL_DENSE, targets);
        set_logits(p, logits);
        std::vector<float> values(n), grad(n), hess(n);
        set_outputs(p, &values, &grad, &hess);
        FocalResult result;
        REQUIRE(focal_run(&p, &result) == FOCAL_OK);
        std::vector<double> exact_logits(logits.begin(), logits.end()), exact_values(n), exact_grad(n), exact_hess(n);
        p.dtype = p.grad_dtype = p.hess_dtype = FOCAL_FLOAT64;
        set_logits(p, exact_logits);
        set_outputs(p, &exact_values, &exact_grad, &exact_hess);
        focal::reference_run(p, &result);
        const auto is_close = [](float got, double exact) {
          const double single = static_cast<double>(got);
          return single == exact || std::fabs(single - exact) <= 2e-6 * std::fabs(exact) + 1e-37;
        };
        for (size_t i = 0; i < n; i++) {
          CAPTURE(logits[i]);
          CAPTURE(targets[i]);
          CHECK(is_close(values[i], exact_values[i]));
          CHECK(is_close(grad[i], exact_grad[i]));
          CHECK(is_close(hess[i], exact_hess[i]));
        }
      }
}

TEST_CASE("positives are found wherever they are, however many") {
  constexpr size_t n = 4500;  // more than a block, and not whole words of labels
  for (const auto &[isa, name] : runnable_isas())
    for (const int32_t loss : {FOCAL_ASYMMETRIC, FOCAL_SIGMOID})
      for (const unsigned one_in : {1u, 3u, 9u, 40u, 64u, 500u, 5000u})
        for (const bool skips : {false, true}) {
          CAPTURE(name);
          CAPTURE(loss);
          CAPTURE(one_in);
          CAPTURE(skips);
          std::vector<float> logits = logits_of<float>(n, true), as_floats(n);
          std::vector<uint8_t> labels(n), mask(n, 1);
          uint32_t state = one_in;
          for (size_t k = 0; k < n; k++) {
            state = state * 1664525U + 1013904223U;
            labels[k] = (state >> 8) % one_in == 0;
            as_floats[k] = labels[k];
            mask[k] = !skips || (state >> 24) % 5 != 0;
          }
          FocalProblem p = blank_problem(loss, static_cast<double>(n), 1, 1);
          p.isa = isa;
          p.gamma_negative = 4;
          p.margin = 0.05;
          p.positive_weight = 0.25;
          set_logits(p, logits);
          if (skips) p.mask_per = FOCAL_PER_ELEMENT, p.mask_dtype = FOCAL_UINT8, p.mask = mask.data();
          std::vector<float> values(n), grad(n), of_floats(n);
          FocalResult result;
          set_targets(p, FOCAL_DENSE, labels);
          set_outputs(p, &values, &grad, nullptr);
          REQUIRE(focal_run(&p, &result) == FOCAL_OK);
          set_targets(p, FOCAL_DENSE, as_floats);
          set_outputs(p, nullptr, &of_floats, nullptr);
          FocalResult second;
          REQUIRE(focal_run(&p, &second) == FOCAL_OK);
          CHECK(std::memcmp(grad.data(), of_floats.data(), n * sizeof(float)) == 0);
          if (!skips) CHECK(second.sum == result.sum);  // else floats are not known to be hard, and an asymmetric loss adds up both sides
          const std::vector<double> exact_logits(logits.begin(), logits.end());
          std::vector<double> exact_values(n), exact_grad(n);
          p.dtype = p.grad_dtype = FOCAL_FLOAT64;
          set_logits(p, exact_logits);
          set_outputs(p, &exact_values, &exact_grad, nullptr);
          FocalResult exact;
          focal::reference_run(p, &exact);
          CHECK(relative_error(result.sum, exact.sum, 0) < 1e-6);
          double worst = 0;
          for (size_t k = 0; k < n; k++)
            worst = std::fmax(worst, std::fmax(relative_error(static_cast<double>(values[k]), exact_values[k], 1e-37), relative_error(static_cast<double>(grad[k]), exact_grad[k], 1e-37)));
          CHECK(worst < 4e-6);
        }
}

TEST_CASE("rows that are not valid give zeros whatever is in them, with weights of rows too") {
  constexpr size_t rows = 130, n = rows * classes;
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  for (const auto &[isa, name] : runnable_isas())
    for (const bool ignored : {false, true}) {
      CAPTURE(name);
      CAPTURE(ignored);
      std::vector<float> logits = logits_of<float>(n, true), weights(rows);
      std::vector<int32_t> indices = classes_of(rows);
      std::vector<uint8_t> mask(rows, 1);
      for (size_t row = 0; row < rows; row++) {
        weights[row] = static_cast<float>(row % 7) / 2;
        if (row % 4 != 1) continue;
        if (ignored) indices[row] = 255;
        else mask[row] = 0;
        for (size_t c = 0; c < classes; c += 9) logits[row * classes + c] = c % 2 ? nan : c % 4 ? infinity : 1e30f;
      }
      FocalProblem p = blank_problem(FOCAL_SIGMOID, rows, classes, 1);
      p.isa = isa;
      p.background = -1;
      p.ignore_index = 255;
      p.positive_weight = 0.25;
      p.negative_weight = 0.75;
      p.weights_per = FOCAL_PER_ROW;
      p.weights_dtype = FOCAL_FLOAT32;
      p.weights = weights.data();
      p.mask_per = FOCAL_PER_ROW;
      p.mask_dtype = FOCAL_UINT8;
      p.mask = mask.data();
      set_targets(p, FOCAL_CLASS_INDEX, indices);
      set_logits(p, logits);
      std::vector<float> values(n, 9), grad(n, 9);
      set_outputs(p, &values, &grad, nullptr);
      FocalResult result, exact;
      REQUIRE(focal_run(&p, &result) == FOCAL_OK);
      const std::vector<double> exact_logits(logits.begin(), logits.end());
      std::vector<double> exact_values(n), exact_grad(n);
      p.dtype = p.grad_dtype = FOCAL_FLOAT64;
      set_logits(p, exact_logits);
      set_outputs(p, &exact_values, &exact_grad, nullptr);
      focal::reference_run(p, &exact);
      CHECK(relative_error(result.sum, exact.sum, 0) < 1e-6);
      for (size_t k = 0; k < n; k++) {
        CAPTURE(k);
        if (k / classes % 4 == 1) {
          CHECK(values[k] == 0);
          CHECK(grad[k] == 0);
          CHECK_FALSE(std::signbit(grad[k]));
        } else {
          CHECK(relative_error(static_cast<double>(grad[k]), exact_grad[k], 1e-37) < 4e-6);
        }
      }
    }
}

TEST_CASE("smoothed labels have the same bits as bytes, as indices and as floats") {
  constexpr size_t rows = 75, n = rows * classes;
  for (const auto &[isa, name] : runnable_isas())
    for (const double gamma : {0.0, 2.0, 2.2})
      for (const double smoothing : {0.1, 0.9, 1.0})
        for (const bool weighted : {false, true}) {
          CAPTURE(name);
          CAPTURE(gamma);
          CAPTURE(smoothing);
          CAPTURE(weighted);
          const std::vector<float> logits = logits_of<float>(n, true);
          const std::vector<int32_t> indices = classes_of(rows);
          std::vector<uint8_t> bytes(n);
          std::vector<float> floats(n), weights(n);
          for (size_t k = 0; k < n; k++) {
            bytes[k] = indices[k / classes] == static_cast<int32_t>(k % classes);
            floats[k] = bytes[k];
            weights[k] = static_cast<float>(k % 13) / 4;
          }
          FocalProblem p = blank_problem(FOCAL_SIGMOID, rows, classes, 1);
          p.isa = isa;
          p.gamma = gamma;
          p.background = -1;
          p.label_smoothing = smoothing;
          p.positive_weight = 0.25;
          p.negative_weight = 0.75;
          if (weighted) p.weights_per = FOCAL_PER_ELEMENT, p.weights_dtype = FOCAL_FLOAT32, p.weights = weights.data();
          set_logits(p, logits);
          const auto grad_of = [&](auto kind, const auto &targets, double *sum) {
            std::vector<float> grad(n);
            set_targets(p, kind, targets);
            set_outputs(p, nullptr, &grad, nullptr);
            FocalResult result;
            REQUIRE(focal_run(&p, &result) == FOCAL_OK);
            *sum = result.sum;
            return grad;
          };
          double of_floats, of_bytes, of_indices;
          const std::vector<float> expected = grad_of(FOCAL_DENSE, floats, &of_floats);
          CHECK(grad_of(FOCAL_DENSE, bytes, &of_bytes) == expected);
          CHECK(grad_of(FOCAL_CLASS_INDEX, indices, &of_indices) == expected);
          CHECK(of_bytes == of_floats);
          CHECK(of_indices == of_floats);
        }
}
