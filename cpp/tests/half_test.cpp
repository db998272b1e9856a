// Half precision against plain references: every number there is, both ways, and every place between two of them where
// rounding must decide; then whole problems against those of the same numbers in float.
#include "half.h"

#include <doctest/doctest.h>

#include <cstring>
#include <limits>

#include "tests/support/problem_builder.h"

namespace {

using focal::scalar::BFloat16;
using focal::scalar::Float16;

struct Format { int exponent_bits, mantissa_bits; };
template <class H> constexpr Format format_of = std::is_same_v<H, Float16> ? Format{5, 10} : Format{8, 7};
template <class H> constexpr int32_t dtype = std::is_same_v<H, Float16> ? FOCAL_FLOAT16 : FOCAL_BFLOAT16;

// The definition of the formats.
template <class H> double number_of(uint16_t bits) {
  constexpr Format format = format_of<H>;
  const int mantissa = bits & ((1 << format.mantissa_bits) - 1);
  const int exponent = (bits >> format.mantissa_bits) & ((1 << format.exponent_bits) - 1);
  const int bias = (1 << (format.exponent_bits - 1)) - 1;
  const double sign = bits >> 15 ? -1 : 1;
  if (exponent == (1 << format.exponent_bits) - 1) return mantissa ? std::nan("") : sign * INFINITY;
  const int whole = exponent ? mantissa + (1 << format.mantissa_bits) : mantissa;
  return sign * std::ldexp(whole, (exponent ? exponent : 1) - bias - format.mantissa_bits);
}

template <class H> bool is_right(float x, uint16_t expected) { return H(x).bits == expected; }

}  // namespace

TEST_CASE_TEMPLATE("every half precision number is read exactly and written back as it was", H, Float16, BFloat16) {
  int wrong = 0;
  for (uint32_t bits = 0; bits < 65536; bits++) {
    const uint16_t half = static_cast<uint16_t>(bits);
    H stored;
    stored.bits = half;
    const float got = stored;
    const double want = number_of<H>(half);
    if (std::isnan(want)) {
      wrong += !std::isnan(got) || !std::isnan(static_cast<float>(H(got)));
      wrong += std::signbit(got) != (half >> 15 != 0);
      wrong += (focal::scalar::as_int(got) & 0x00400000) == 0;  // quiet
    } else {
      wrong += static_cast<double>(got) != want || std::signbit(got) != std::signbit(want) || !is_right<H>(got, half);
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE_TEMPLATE("between two numbers rounding is to the nearest, and to the even one half way", H, Float16, BFloat16) {
  const uint16_t infinity = static_cast<uint16_t>(((1 << format_of<H>.exponent_bits) - 1) << format_of<H>.mantissa_bits);
  int wrong = 0;
  for (uint16_t low = 0; low < infinity; low++) {
    const uint16_t high = static_cast<uint16_t>(low + 1), even = low % 2 ? high : low;
    const double below = number_of<H>(low);
    // past the largest number the next step would be as large as the last one
    const double above = high == infinity ? 2 * below - number_of<H>(static_cast<uint16_t>(low - 1)) : number_of<H>(high);
    const float middle = static_cast<float>((below + above) / 2);
    REQUIRE(static_cast<double>(middle) == (below + above) / 2);
    for (const float sign : {1.0F, -1.0F}) {
      const uint16_t s = sign < 0 ? 0x8000 : 0;
      wrong += !is_right<H>(sign * middle, even | s);
      wrong += !is_right<H>(sign * std::nextafter(middle, 0.0F), low | s);
      wrong += !is_right<H>(sign * std::nextafter(middle, INFINITY), high | s);
    }
  }
  CHECK(wrong == 0);
  CHECK(is_right<H>(INFINITY, infinity));
  CHECK(is_right<H>(-std::numeric_limits<float>::max(), static_cast<uint16_t>(infinity | 0x8000)));
  CHECK(is_right<H>(std::numeric_limits<float>::denorm_min(), 0));
}

namespace {

// Values, gradient and hessian of a problem in half precision are those in float, rounded. Bit for bit, but NaN is NaN.
template <class H> int differences(FocalProblem p, const std::vector<uint16_t> &logits, bool hess) {
  const size_t n = logits.size(), values_size = p.loss == FOCAL_SOFTMAX ? static_cast<size_t>(p.outer * p.inner) : n;
  std::vector<float> wide(n), values(values_size), grad(n), second(hess ? n : 0);
  for (size_t k = 0; k < n; k++) wide[k] = static_cast<float>(number_of<H>(logits[k]));
  set_logits(p, wide);
  set_outputs(p, &values, &grad, hess ? &second : nullptr);
  FocalResult want, got;
  REQUIRE(focal_run(&p, &want) == FOCAL_OK);

  std::vector<uint16_t> half_values(values_size), half_grad = logits, half_hess(second.size());
  p.dtype = p.grad_dtype = p.hess_dtype = dtype<H>;
  p.logits = half_grad.data();  // the gradient goes over the logits
  set_outputs(p, &half_values, &half_grad, hess ? &half_hess : nullptr);
  REQUIRE(focal_run(&p, &got) == FOCAL_OK);
  int wrong = std::memcmp(&got, &want, sizeof got) != 0;
  const auto compare = [&](const std::vector<float> &exact, const std::vector<uint16_t> &halves) {
    for (size_t k = 0; k < exact.size(); k++) {
      const double number = number_of<H>(halves[k]);
      wrong += std::isnan(exact[k]) ? !std::isnan(number) : H(exact[k]).bits != halves[k];
    }
  };
  compare(values, half_values);
  compare(grad, half_grad);
  compare(second, half_hess);
  return wrong;
}

}  // namespace

TEST_CASE_TEMPLATE("a problem in half precision is the one in float, rounded", H, Float16, BFloat16) {
  // every number but infinities and NaN, in no order, and weights from small to large
  std::vector<uint16_t> logits;
  for (uint32_t k = 0; k < 65536; k++)
    if (std::isfinite(number_of<H>(static_cast<uint16_t>(k * 40503)))) logits.push_back(static_cast<uint16_t>(k * 40503));
  logits.resize(logits.size() / 21 * 21);
  const size_t n = logits.size();
  std::vector<float> labels(n), soft(n), weights(n), row_weights(n / 3);
  std::vector<int32_t> indices(n / 3);
  for (size_t k = 0; k < n; k++) {
    labels[k] = static_cast<float>(k % 3 == 0);
    soft[k] = static_cast<float>(k % 11) / 10;
    weights[k] = std::ldexp(1.0F, static_cast<int>(k % 61) - 30);
  }
  for (size_t r = 0; r < indices.size(); r++) indices[r] = static_cast<int32_t>(r % 4) - 1, row_weights[r] = weights[r];
  for (const auto &[isa, name] : runnable_isas()) {
    CAPTURE(name);
    for (const int32_t loss : {FOCAL_SIGMOID, FOCAL_STAR, FOCAL_QUALITY, FOCAL_VARIFOCAL, FOCAL_HEATMAP, FOCAL_ASYMMETRIC})
      for (const bool hess : {false, true}) {
        CAPTURE(loss);
        FocalProblem p = blank_problem(loss, static_cast<double>(n), 1, 1);
        p.isa = isa;
        p.beta = 1;
        set_targets(p, FOCAL_DENSE, loss == FOCAL_SIGMOID ? labels : soft);
        CHECK(differences<H>(p, logits, hess) == 0);
        p.weights_per = FOCAL_PER_ELEMENT;
        p.weights = weights.data();
        CHECK(differences<H>(p, logits, hess) == 0);
      }
    for (const int32_t loss : {FOCAL_SIGMOID, FOCAL_SOFTMAX})
      for (const double inner : {1.0, 7.0}) {
        CAPTURE(loss);
        CAPTURE(inner);
        FocalProblem p = blank_problem(loss, static_cast<double>(n) / 3 / inner, 3, inner);
        p.isa = isa;
        p.background = -1;
        set_targets(p, FOCAL_CLASS_INDEX, indices);
        CHECK(differences<H>(p, logits, false) == 0);
        p.weights_per = FOCAL_PER_ROW;
        p.weights = row_weights.data();
        p.mask_per = FOCAL_PER_ROW;
        p.mask = row_weights.data();
        CHECK(differences<H>(p, logits, false) == 0);
        set_targets(p, FOCAL_DENSE, soft);
        CHECK(differences<H>(p, logits, false) == 0);
      }
    // rows longer than a block, and classes apart
    for (const double classes : {static_cast<double>(n) / 7, static_cast<double>(n) / 21}) {
      FocalProblem p = blank_problem(FOCAL_SOFTMAX, 1, classes, static_cast<double>(n) / classes);
      p.isa = isa;
      set_targets(p, FOCAL_DENSE, soft);
      CHECK(differences<H>(p, logits, false) == 0);
    }
  }
}
