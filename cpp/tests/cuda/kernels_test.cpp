// Device code, compiled for the host: golden values, random problems against the plain reference, arrays of the host and of the
// device, sums in pieces, and what a device can refuse.
#include "cuda/cuda.h"

#include <cstring>
#include <limits>
#include <map>

#include "tests/support/golden_cases.h"
#include "tests/support/random_problem.h"

namespace {

// An open device for each test.
struct Device {
  FocalCuda *cuda = nullptr;
  explicit Device(int32_t index = 0) { REQUIRE(focal_cuda_open(index, &cuda) == FOCAL_OK); }
  ~Device() { focal_cuda_close(cuda); }

  void *copy_of(const void *host, double bytes) const {
    void *memory = nullptr;
    REQUIRE(focal_cuda_allocate(cuda, bytes, &memory) == FOCAL_OK);
    REQUIRE(focal_cuda_copy(cuda, memory, host, bytes, FOCAL_CUDA_TO_DEVICE) == FOCAL_OK);
    return memory;
  }

  // From the host's arrays, which travel through the device.
  auto from_host() const {
    return [this](const FocalProblem &p, FocalResult *result) { return focal_cuda_run(cuda, &p, 0, result); };
  }

  // With every array copied to the device before, and outputs copied back after.
  auto from_device() const {
    return [this](FocalProblem p, FocalResult *result) {
      const double rows = p.outer * p.inner, n = rows * p.classes;
      constexpr double bytes[] = {4, 8, 1, 1, 2, 2, 4, 4, 2, 2};  // of FocalDtype
      const double each = bytes[p.dtype];
      std::map<const void *, void *> there;
      uint32_t on_device = 0;
      const auto move = [&](uint64_t &slot, uint32_t bit, double size) {
        const void *const host = reinterpret_cast<const void *>(slot);
        if (!host) return;
        if (!there.count(host)) there[host] = copy_of(host, size);
        slot = reinterpret_cast<uint64_t>(there[host]);
        on_device |= bit;
      };
      const FocalProblem given = p;
      const auto per = [&](int32_t what) { return what == FOCAL_PER_ROW ? rows : n; };
      move(p.logits_slot, FOCAL_CUDA_LOGITS, n * each);
      move(p.targets_slot, FOCAL_CUDA_TARGETS, (p.targets_kind == FOCAL_DENSE ? n : rows) * bytes[p.targets_dtype]);
      if (p.weights_per) move(p.weights_slot, FOCAL_CUDA_WEIGHTS, per(p.weights_per) * bytes[p.weights_dtype]);
      if (p.mask_per) move(p.mask_slot, FOCAL_CUDA_MASK, per(p.mask_per) * bytes[p.mask_dtype]);
      move(p.values_slot, FOCAL_CUDA_VALUES, (p.loss == FOCAL_SOFTMAX ? rows : n) * each);
      move(p.grad_slot, FOCAL_CUDA_GRAD, n * each);
      move(p.hess_slot, FOCAL_CUDA_HESS, n * each);
      const int32_t status = focal_cuda_run(cuda, &p, on_device, result);
      const auto back = [&](void *host, void *device, double size) {
        if (host) REQUIRE(focal_cuda_copy(cuda, host, device, size, FOCAL_CUDA_TO_HOST) == FOCAL_OK);
      };
      back(given.values, p.values, (p.loss == FOCAL_SOFTMAX ? rows : n) * each);
      back(given.grad, p.grad, n * each);
      back(given.hess, p.hess, n * each);
      for (const auto &[host, memory] : there) focal_cuda_free(0, memory);
      return status;
    };
  }
};

std::vector<float> some_logits(size_t n, uint32_t seed = 1) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(-1, 3);
  std::vector<float> logits(n);
  for (float &x : logits) x = normal(engine);
  return logits;
}

}  // namespace

TEST_CASE("cuda: golden values in float") {
  const Device device;
  for (const Case &c : load_cases()) {
    CAPTURE(c.name);
    for (const bool on_device : {false, true}) {
      const auto run = [&](const FocalProblem &p) {
        FocalResult result;
        REQUIRE((on_device ? device.from_device()(p, &result) : device.from_host()(p, &result)) == FOCAL_OK);
      };
      const Worst worst = worst_error<float>(c, 1e-37, run);
      const double bound = c.special_gamma ? 2e-6 : 8e-6;
      CHECK(worst.value < bound);
      CHECK(worst.grad < bound);
      CHECK(worst.hess < 2e-5);
    }
  }
}

TEST_CASE("cuda: golden values in double") {
  const Device device;
  for (const Case &c : load_cases()) {
    CAPTURE(c.name);
    const Worst worst = worst_error<double>(c, 1e-300, [&](const FocalProblem &p) {
      FocalResult result;
      REQUIRE(device.from_device()(p, &result) == FOCAL_OK);
    });
    CHECK(worst.value < 1e-12);
    CHECK(worst.grad < 1e-12);
    CHECK(worst.hess < 1e-12);
  }
}

TEST_CASE("cuda: random problems agree with the reference") {
  const Device device;
  for (uint32_t seed = 0; seed < 600; seed++) {
    compare_with_reference<float>(seed, 8e-6, 1e-37, device.from_host());
    compare_with_reference<float>(seed, 8e-6, 1e-37, device.from_device());
    compare_with_reference<double>(seed, 1e-11, 1e-300, device.from_device());
  }
}

TEST_CASE("cuda: softmax rows of every size, for every way to share a row") {
  const Device device;
  for (const int classes : {1, 2, 3, 8, 9, 12, 80, 127, 128, 129, 1000, 1024, 1025, 2047, 2048, 5000, 8192, 8193, 40000})
    for (const int inner : {1, 3}) {
      if (inner > 1 && classes > 5000) continue;
      CAPTURE(classes);
      CAPTURE(inner);
      const int outer = classes > 1000 ? 2 : 40;
      const size_t rows = static_cast<size_t>(outer * inner), n = rows * static_cast<size_t>(classes);
      const std::vector<float> logits = some_logits(n);
      const std::vector<double> exact_logits(logits.begin(), logits.end());
      std::vector<int32_t> targets(rows);
      for (size_t r = 0; r < rows; r++) targets[r] = static_cast<int32_t>(7 * r % static_cast<size_t>(classes));
      std::vector<float> values(rows), grad(n);
      std::vector<double> exact_values(rows), exact_grad(n);
      FocalProblem p = blank_problem(FOCAL_SOFTMAX, outer, classes, inner), exact = p;
      set_logits(p, logits);
      set_targets(p, FOCAL_CLASS_INDEX, targets);
      set_outputs(p, &values, &grad, nullptr);
      set_logits(exact, exact_logits);
      set_targets(exact, FOCAL_CLASS_INDEX, targets);
      set_outputs(exact, &exact_values, &exact_grad, nullptr);
      FocalResult want, got;
      focal::reference_run(exact, &want);
      REQUIRE(device.from_device()(p, &got) == FOCAL_OK);
      CHECK(std::fabs(got.sum - want.sum) < 2e-6 * want.sum + 1e-37);
      CHECK(difference(values, exact_values, 1e-37, [](size_t) { return 0.0; }) < 2e-6);
      CHECK(difference(grad, exact_grad, 1e-37, [](size_t) { return 0.0; }) < 2e-6);
    }
}

TEST_CASE("cuda: half precision, rounded to nearest") {
  const Device device;
  const std::vector<float> exact_logits = some_logits(6000);
  std::vector<uint16_t> bits(exact_logits.size()), grad(bits.size());
  std::vector<float> logits(bits.size()), want(bits.size());
  std::vector<float> targets(bits.size());
  for (size_t i = 0; i < bits.size(); i++) {
    uint32_t word;
    std::memcpy(&word, &exact_logits[i], 4);
    bits[i] = static_cast<uint16_t>(word >> 16);
    word = static_cast<uint32_t>(bits[i]) << 16;
    std::memcpy(&logits[i], &word, 4);
    targets[i] = static_cast<float>(i % 9 == 0);
  }
  FocalProblem p = blank_problem(FOCAL_SIGMOID, static_cast<double>(bits.size()), 1, 1);
  set_targets(p, FOCAL_DENSE, targets);
  set_logits(p, logits);
  set_outputs(p, nullptr, &want, nullptr);
  FocalResult exact, got;
  REQUIRE(device.from_device()(p, &exact) == FOCAL_OK);
  p.dtype = p.grad_dtype = FOCAL_BFLOAT16;
  p.logits = bits.data();
  p.grad = grad.data();
  REQUIRE(device.from_device()(p, &got) == FOCAL_OK);
  CHECK(got.sum == doctest::Approx(exact.sum).epsilon(1e-6));
  for (size_t i = 0; i < grad.size(); i++) {
    float rounded;
    const uint32_t word = static_cast<uint32_t>(grad[i]) << 16;
    std::memcpy(&rounded, &word, 4);
    CHECK(std::fabs(rounded - want[i]) <= std::fabs(want[i]) * 0x1p-8F);
  }
}

TEST_CASE("cuda: logits beyond the formulas, infinite ones and NaN, among others") {
  const Device device;
  constexpr float huge = std::numeric_limits<float>::max(), infinity = std::numeric_limits<float>::infinity();
  std::vector<float> logits = some_logits(5000), targets(logits.size());
  const std::pair<size_t, float> strange[] = {{3, 300}, {700, -300}, {1500, huge}, {1501, -huge}, {2047, infinity}, {2048, -infinity}, {4999, 88}};
  for (const auto &[at, x] : strange) logits[at] = x;
  for (size_t i = 0; i < targets.size(); i++) targets[i] = static_cast<float>(i % 2);
  const std::vector<double> exact_logits(logits.begin(), logits.end());
  std::vector<float> values(logits.size());
  std::vector<double> exact_values(logits.size()), exact_grad(logits.size());
  FocalProblem p = blank_problem(FOCAL_SIGMOID, 5000, 1, 1), exact = p;
  set_targets(p, FOCAL_DENSE, targets);
  set_targets(exact, FOCAL_DENSE, targets);
  set_logits(exact, exact_logits);
  set_outputs(exact, &exact_values, &exact_grad, nullptr);
  FocalResult result;
  REQUIRE(focal_run(&exact, &result) == FOCAL_OK);
  // The gradient in place of the logits, which the path beside the formulas must have read by then
  std::vector<float> in_place = logits;
  set_logits(p, in_place);
  set_outputs(p, &values, &in_place, nullptr);
  REQUIRE(device.from_device()(p, &result) == FOCAL_OK);
  for (size_t i = 0; i < values.size(); i++) {
    if (std::isinf(exact_values[i]) || exact_values[i] > static_cast<double>(huge)) CHECK(std::isinf(values[i]));
    else CHECK(relative_error(values[i], exact_values[i], 1e-37) < 2e-6);
    CHECK(relative_error(in_place[i], exact_grad[i], 1e-37) < 2e-6);
  }
  in_place = logits;
  in_place[10] = std::numeric_limits<float>::quiet_NaN();
  REQUIRE(device.from_host()(p, &result) == FOCAL_OK);
  CHECK(std::isnan(values[10]));
  CHECK(std::isnan(in_place[10]));
  CHECK(std::isnan(result.sum));
}

TEST_CASE("cuda: probabilities have the values of the CPU") {
  const Device device;
  std::vector<double> targets = {0, 1, 0, 1, 0, 1, 0.5};
  for (const int32_t loss : {FOCAL_SIGMOID, FOCAL_STAR, FOCAL_QUALITY, FOCAL_VARIFOCAL, FOCAL_HEATMAP, FOCAL_ASYMMETRIC, FOCAL_SOFTMAX}) {
    CAPTURE(loss);
    std::vector<double> probabilities = {0, 1, 1e-30, 0.5, 0.999999, 1e-5, 0.25};
    if (loss == FOCAL_SOFTMAX) probabilities = {0, 0.2, 1e-30, 0.5, 0.04999, 1e-5, 0.25};
    FocalProblem p = loss == FOCAL_SOFTMAX ? blank_problem(loss, 1, 7, 1) : blank_problem(loss, 7, 1, 1);
    p.inputs = FOCAL_PROBABILITIES;
    p.beta = 2;
    p.gamma_negative = 3;
    set_logits(p, probabilities);
    set_targets(p, FOCAL_DENSE, targets);
    std::vector<double> values(loss == FOCAL_SOFTMAX ? 1 : 7), grad(7), want_values(values.size()), want_grad(7);
    FocalResult want, got;
    set_outputs(p, &want_values, &want_grad, nullptr);
    REQUIRE(focal_run(&p, &want) == FOCAL_OK);
    set_outputs(p, &values, &grad, nullptr);
    REQUIRE(device.from_host()(p, &got) == FOCAL_OK);
    for (size_t i = 0; i < values.size(); i++) CHECK(relative_error(values[i], want_values[i], 1e-300) < 1e-12);
    for (size_t i = 0; i < grad.size(); i++) CHECK(relative_error(grad[i], want_grad[i], 1e-300) < 1e-12);
    probabilities[3] = 1.5;
    grad.assign(7, 42);
    CHECK(device.from_host()(p, &got) == FOCAL_BAD_PROBABILITY);
    CHECK(got.error_index == 3);
    CHECK(got.error_value == 1.5);
    CHECK(grad == std::vector<double>(7, 42));
    probabilities[3] = 0.5;
  }
}
