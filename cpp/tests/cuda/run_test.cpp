// Calls of the emulated device: sums that do not depend on how they were asked for, arrays in pieces, errors, memory.
#include "cuda/cuda.h"

#include <doctest/doctest.h>

#include <random>

#include "tests/support/problem_builder.h"

extern "C" void focal_emulator_fail(int error);
extern "C" void focal_emulator_mend(void);

namespace {

struct Batch {
  std::vector<float> logits, grad;
  std::vector<int32_t> indices;
  FocalProblem p;
  FocalCuda *cuda = nullptr;

  Batch(int32_t loss, int rows, int classes) : logits(static_cast<size_t>(rows * classes)), grad(logits.size(), 42), indices(static_cast<size_t>(rows)) {
    std::mt19937 engine(3);
    std::normal_distribution<float> normal(-1, 4);
    for (float &x : logits) x = normal(engine);
    for (size_t r = 0; r < indices.size(); r++) indices[r] = r % 3 == 0 ? static_cast<int32_t>(r) % classes : -1;
    p = blank_problem(loss, rows, classes, 1);
    p.background = -1;
    p.reduction = FOCAL_MEAN_POSITIVES;
    set_logits(p, logits);
    set_targets(p, FOCAL_CLASS_INDEX, indices);
    set_outputs(p, nullptr, &grad, nullptr);
    REQUIRE(focal_cuda_open(0, &cuda) == FOCAL_OK);
  }
  ~Batch() { focal_cuda_close(cuda); }
  Batch(const Batch &) = delete;
  Batch &operator=(const Batch &) = delete;

  FocalResult run() const { return run(p); }
  FocalResult run(const FocalProblem &problem) const {
    FocalResult result;
    REQUIRE(focal_cuda_run(cuda, &problem, 0, &result) == FOCAL_OK);
    return result;
  }
  // The rows from `first` to `last`, as a problem of their own.
  FocalProblem part(int first, int last) {
    FocalProblem some = p;
    const size_t at = static_cast<size_t>(first) * static_cast<size_t>(p.classes);
    some.outer = last - first;
    some.logits = logits.data() + at;
    some.grad = grad.data() + at;
    some.targets = indices.data() + first;
    some.reduction = FOCAL_SUM;
    return some;
  }
};

}  // namespace

TEST_CASE("cuda: a call in stretches has the bits of its whole, and of its parts") {
  for (const int32_t loss : {FOCAL_SIGMOID, FOCAL_SOFTMAX}) {
    CAPTURE(loss);
    // More than one stretch of the host's arrays (2,097,152 logits), and a last one that is no whole block
    Batch batch(loss, 40000, 80);
    const FocalResult whole = batch.run();
    const std::vector<float> grad = batch.grad;
    CHECK(batch.run().sum == whole.sum);
    CHECK(batch.grad == grad);

    const double rows = focal_cuda_block_rows(loss, 80);
    CHECK(rows == (loss == FOCAL_SOFTMAX ? 128 * 25 : FOCAL_CUDA_BLOCK_ELEMENTS / 16));
    double sum = 0;
    for (int first = 0; first < 40000;) {
      const int last = std::min(40000, first + static_cast<int>(rows));
      FocalProblem part = batch.part(first, last);
      part.sum_before = sum;
      sum = batch.run(part).sum;
      first = last;
    }
    CHECK(sum == whole.sum);
  }
}

TEST_CASE("cuda: pinned arrays have the same results, and are the host's") {
  Batch batch(FOCAL_SIGMOID, 40000, 80);
  const FocalResult want = batch.run();
  const std::vector<float> grad = batch.grad;
  REQUIRE(focal_cuda_pin(batch.logits.data(), static_cast<double>(batch.logits.size()) * 4) == FOCAL_OK);
  REQUIRE(focal_cuda_pin(batch.grad.data(), static_cast<double>(batch.grad.size()) * 4) == FOCAL_OK);
  int32_t device = 7;
  CHECK(focal_cuda_owner(batch.logits.data(), &device) == FOCAL_OK);
  CHECK(device == -1);
  batch.grad.assign(batch.grad.size(), 42);
  CHECK(batch.run().sum == want.sum);
  CHECK(batch.grad == grad);
  focal_cuda_unpin(batch.logits.data());
  focal_cuda_unpin(batch.grad.data());
}

TEST_CASE("cuda: a bad target is told by index and value, and nothing is written") {
  Batch batch(FOCAL_SIGMOID, 3000, 5);
  batch.indices[2222] = 5;
  batch.indices[2999] = 9;
  FocalResult result;
  REQUIRE(focal_cuda_run(batch.cuda, &batch.p, 0, &result) == FOCAL_BAD_CLASS);
  CHECK(result.error_index == 2222);
  CHECK(result.error_value == 5);
  for (const float g : batch.grad) REQUIRE(g == 42);
}

TEST_CASE("cuda: a cancelled call says so") {
  Batch batch(FOCAL_SIGMOID, 3000, 5);
  const int32_t cancelled = 1;
  batch.p.cancelled = &cancelled;
  FocalResult result;
  CHECK(focal_cuda_run(batch.cuda, &batch.p, 0, &result) == FOCAL_CANCELLED);
  for (const float g : batch.grad) REQUIRE(g == 42);
}

TEST_CASE("cuda: a problem of nothing, and one that is none") {
  Batch batch(FOCAL_SIGMOID, 2, 2);
  FocalProblem nothing = batch.p;
  nothing.outer = 0;
  nothing.sum_before = 3;
  CHECK(batch.run(nothing).sum == 3);
  batch.p.abi = FOCAL_ABI + 1;
  FocalResult result;
  CHECK(focal_cuda_run(batch.cuda, &batch.p, 0, &result) == FOCAL_BAD_PROBLEM);
}

TEST_CASE("cuda: memory belongs to a device, and ends") {
  Batch batch(FOCAL_SIGMOID, 100, 5);
  FocalCuda *second = nullptr;
  REQUIRE(focal_cuda_open(1, &second) == FOCAL_OK);
  void *memory = nullptr;
  REQUIRE(focal_cuda_allocate(second, 2000, &memory) == FOCAL_OK);
  int32_t device = 0;
  CHECK(focal_cuda_owner(static_cast<char *>(memory) + 1999, &device) == FOCAL_OK);
  CHECK(device == 1);
  batch.p.logits = memory;
  FocalResult result;
  CHECK(focal_cuda_run(batch.cuda, &batch.p, FOCAL_CUDA_LOGITS, &result) == FOCAL_CUDA_WRONG_DEVICE);
  CHECK(result.error_index == FOCAL_CUDA_LOGITS);
  focal_cuda_free(1, memory);

  double left = 0, total = 0;
  REQUIRE(focal_cuda_memory(second, &left, &total) == FOCAL_OK);
  CHECK(left == total);
  CHECK(focal_cuda_allocate(second, total + 1, &memory) == FOCAL_OUT_OF_MEMORY);
  CHECK(memory == nullptr);
  CHECK(std::string(focal_cuda_error()).find("out of memory") != std::string::npos);
  CHECK(focal_cuda_allocate(second, 0, &memory) == FOCAL_OK);
  CHECK(memory == nullptr);
  focal_cuda_free(1, nullptr);
  focal_cuda_close(second);
  CHECK(focal_cuda_open(2, &second) == FOCAL_CUDA_FAILED);
}

TEST_CASE("cuda: a lost device fails every call, with what the driver says") {
  Batch batch(FOCAL_SIGMOID, 100, 5);
  constexpr int illegal_address = 700, out_of_memory = 2;
  focal_emulator_fail(out_of_memory);
  FocalResult result;
  CHECK(focal_cuda_run(batch.cuda, &batch.p, 0, &result) == FOCAL_OUT_OF_MEMORY);
  CHECK(focal_cuda_run(batch.cuda, &batch.p, 0, &result) == FOCAL_OK);
  focal_emulator_fail(illegal_address);
  for (int again = 0; again < 2; again++) {
    CHECK(focal_cuda_run(batch.cuda, &batch.p, 0, &result) == FOCAL_CUDA_LOST);
    CHECK(std::string(focal_cuda_error()).find("cudaErrorIllegalAddress") != std::string::npos);
  }
  focal_emulator_mend();
  CHECK(focal_cuda_run(batch.cuda, &batch.p, 0, &result) == FOCAL_OK);
}

TEST_CASE("cuda: devices describe themselves") {
  int32_t count = 0;
  REQUIRE(focal_cuda_count(&count) == FOCAL_OK);
  CHECK(count == 2);
  FocalCudaDevice description;
  REQUIRE(focal_cuda_device(1, &description) == FOCAL_OK);
  CHECK(std::string(description.name) == "emulated device");
  CHECK(description.supported == 1);
  CHECK(focal_cuda_device(2, &description) == FOCAL_CUDA_FAILED);
}
