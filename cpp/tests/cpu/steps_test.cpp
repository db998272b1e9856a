// A call in pieces has the bits of the call in one: step by step, chunk after chunk, and it stops where it is told to.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <random>
#include <thread>

#include "tests/support/problem_builder.h"

namespace {

// Rows of logits with a target each or a label per logit, where half of the blocks have a soft label somewhere.
struct Batch {
  std::vector<float> logits, labels, grad;
  std::vector<int32_t> indices;
  std::vector<uint8_t> mask;
  FocalProblem p;

  Batch(int32_t loss, int32_t kind, int outer, int classes, int inner, bool masked) {
    const size_t rows = static_cast<size_t>(outer) * static_cast<size_t>(inner), size = rows * static_cast<size_t>(classes);
    std::mt19937 engine(7);
    std::normal_distribution<float> normal(-1, 4);
    logits.resize(size);
    for (float &x : logits) x = normal(engine);
    labels.resize(size);
    for (size_t k = 0; k < size; k++) labels[k] = k / FOCAL_BLOCK_ELEMENTS % 2 == 0 ? static_cast<float>(k % 5 == 0) : 0.25F;
    indices.resize(rows);
    for (size_t r = 0; r < rows; r++) indices[r] = r % 3 == 0 ? static_cast<int32_t>(r) % classes : -1;
    mask.resize(rows);
    for (size_t r = 0; r < rows; r++) mask[r] = r % 7 != 0;
    grad.assign(size, 42);
    p = blank_problem(loss, outer, classes, inner);
    p.background = -1;
    p.positive_weight = 0.25;
    p.negative_weight = 0.75;
    p.reduction = FOCAL_MEAN;
    set_logits(p, logits);
    if (kind == FOCAL_DENSE) set_targets(p, kind, labels);
    else set_targets(p, kind, indices);
    if (masked) {
      p.mask_per = FOCAL_PER_ROW;
      p.mask_dtype = FOCAL_UINT8;
      p.mask = mask.data();
    }
    set_outputs(p, nullptr, &grad, nullptr);
  }

  // The outer slices from `first` to `last`, as a problem of their own.
  FocalProblem chunk(int first, int last) {
    FocalProblem part = p;
    const size_t inner = static_cast<size_t>(p.inner), slice = inner * static_cast<size_t>(p.classes);
    const size_t row = static_cast<size_t>(first) * inner, at = static_cast<size_t>(first) * slice;
    part.outer = last - first;
    part.logits = logits.data() + at;
    part.grad = grad.data() + at;
    if (p.targets_kind == FOCAL_DENSE) part.targets = labels.data() + at;
    else part.targets = indices.data() + row;
    if (p.mask) part.mask = mask.data() + row;
    return part;
  }
};

struct Shape {
  int32_t loss;
  int outer, classes, inner, chunk;  // `chunk` slices are whole blocks
};
constexpr Shape shapes[] = {
    {FOCAL_SIGMOID, 50000, 1, 1, 4032}, {FOCAL_SIGMOID, 1000, 80, 1, 252}, {FOCAL_SIGMOID, 700, 21, 4, 48},
    {FOCAL_SOFTMAX, 1000, 80, 1, 50},   {FOCAL_SOFTMAX, 20000, 3, 1, 1344}, {FOCAL_SOFTMAX, 40, 3, 1344, 1},
    {FOCAL_SOFTMAX, 7, 5000, 1, 1},
};

template <class F> void each_batch(F f) {
  for (const Shape &shape : shapes)
    for (const int32_t kind : {FOCAL_DENSE, FOCAL_CLASS_INDEX})
      for (const bool masked : {false, true})
        for (const auto &[isa, name] : runnable_isas()) {
          Batch batch(shape.loss, kind, shape.outer, shape.classes, shape.inner, masked);
          batch.p.isa = isa;
          CAPTURE(name);
          CAPTURE(shape.classes);
          CAPTURE(kind);
          CAPTURE(masked);
          f(batch, shape);
        }
}

// Parts and blocks by turns of so many, taken by the workers in turn and backwards.
int32_t take_steps(FocalRun *run, FocalResult *result, int32_t workers, int32_t turn) {
  const int32_t parts = focal_scan_parts(run);
  for (int32_t first = (parts - 1) / turn * turn; first >= 0; first -= turn) focal_scan(run, first, std::min(first + turn, parts));
  const int32_t status = focal_finish_scan(run, result);
  if (status != FOCAL_OK) return status;
  const int32_t blocks = focal_blocks(run);
  for (int32_t first = (blocks - 1) / turn * turn, k = 0; first >= 0; first -= turn, k++)
    focal_compute(run, k % workers, first, std::min(first + turn, blocks));
  return focal_finish(run, result);
}

// As threads that share the memory do it: each takes what is there, until nothing is left.
int32_t take_steps_at_once(FocalRun *run, FocalResult *result, int32_t workers) {
  const auto share = [workers](int32_t count, auto work) {
    std::atomic<int32_t> next{0};
    std::vector<std::thread> threads;
    for (int32_t worker = 0; worker < workers; worker++)
      threads.emplace_back([&, worker] {
        for (int32_t first; (first = next.fetch_add(3)) < count;) work(worker, first, std::min(first + 3, count));
      });
    for (std::thread &thread : threads) thread.join();
  };
  share(focal_scan_parts(run), [run](int32_t, int32_t first, int32_t last) { focal_scan(run, first, last); });
  const int32_t status = focal_finish_scan(run, result);
  if (status != FOCAL_OK) return status;
  share(focal_blocks(run), [run](int32_t worker, int32_t first, int32_t last) { focal_compute(run, worker, first, last); });
  return focal_finish(run, result);
}

}  // namespace

TEST_CASE("step by step comes the same as at once") {
  each_batch([](Batch &batch, const Shape &) {
    FocalResult want, got{};
    REQUIRE(focal_run(&batch.p, &want) == FOCAL_OK);
    const std::vector<float> grad = batch.grad;
    for (const int32_t workers : {1, 3})
      for (const bool at_once : {false, true}) {
        batch.grad.assign(grad.size(), 42);
        batch.p.threads = workers;
        FocalRun *run = nullptr;
        REQUIRE(focal_begin(&batch.p, &run) == FOCAL_OK);
        CHECK(focal_scan_parts(run) + focal_blocks(run) > 2);
        CHECK((at_once ? take_steps_at_once(run, &got, workers) : take_steps(run, &got, workers, 2)) == FOCAL_OK);
        focal_end(run);
        CHECK(std::memcmp(&got, &want, sizeof got) == 0);
        CHECK(std::memcmp(batch.grad.data(), grad.data(), grad.size() * sizeof(float)) == 0);
      }
  });
}

TEST_CASE("chunks of whole blocks have the sums of one call, with hard labels beside soft ones") {
  each_batch([](Batch &batch, const Shape &shape) {
    batch.p.reduction = FOCAL_SUM;
    FocalResult want, got{};
    REQUIRE(focal_run(&batch.p, &want) == FOCAL_OK);
    const std::vector<float> grad = batch.grad;
    batch.grad.assign(grad.size(), 42);
    FocalResult total{};
    for (int first = 0, last; first < shape.outer; first = last) {
      last = first + shape.chunk * (1 + first % 2);
      last = last < shape.outer ? last : shape.outer;
      FocalProblem chunk = batch.chunk(first, last);
      chunk.sum_before = total.sum;
      REQUIRE(focal_run(&chunk, &got) == FOCAL_OK);
      total.sum = got.sum;
      total.elements += got.elements;
      total.rows += got.rows;
      total.positives += got.positives;
    }
    CHECK(total.sum == want.sum);
    CHECK(total.elements == want.elements);
    CHECK(total.rows == want.rows);
    CHECK(total.positives == want.positives);
    CHECK(std::memcmp(batch.grad.data(), grad.data(), grad.size() * sizeof(float)) == 0);
  });
}

TEST_CASE("the sum of nothing goes on from what was before") {
  FocalProblem p = blank_problem(FOCAL_SIGMOID, 0, 3, 1);
  p.sum_before = 1.5;
  FocalResult result;
  REQUIRE(focal_run(&p, &result) == FOCAL_OK);
  CHECK(result.sum == 1.5);
  FocalRun *run = nullptr;
  p.mask_per = FOCAL_PER_ROW;
  for (const double classes : {0.0, 3.0}) {
    p.classes = classes;
    result.sum = 0;
    REQUIRE(focal_begin(&p, &run) == FOCAL_OK);
    CHECK(take_steps(run, &result, 1, 1) == FOCAL_OK);
    CHECK(result.sum == 1.5);
    focal_end(run);
  }
}

TEST_CASE("what is no problem is not begun, and steps name the first wrong target") {
  Batch batch(FOCAL_SIGMOID, FOCAL_CLASS_INDEX, 1000, 80, 1, false);
  FocalRun *run = nullptr;
  batch.p.abi = 0;
  CHECK(focal_begin(&batch.p, &run) == FOCAL_BAD_PROBLEM);
  batch.p.abi = FOCAL_ABI;
  batch.indices[999] = batch.indices[3] = 80;
  FocalResult result;
  REQUIRE(focal_begin(&batch.p, &run) == FOCAL_OK);
  const int32_t status = take_steps(run, &result, 1, 1);
  focal_end(run);
  CHECK(status == FOCAL_BAD_CLASS);
  CHECK(result.error_index == 3);
  for (const float each : batch.grad) CHECK(each == 42);
}

TEST_CASE("steps name the first wrong probability") {
  Batch batch(FOCAL_SIGMOID, FOCAL_CLASS_INDEX, 1000, 80, 1, false);
  for (float &x : batch.logits) x = 0.25F;
  batch.logits[70001] = 1.5F;
  batch.logits[60001] = -0.5F;
  batch.p.inputs = FOCAL_PROBABILITIES;
  FocalRun *run = nullptr;
  FocalResult result;
  REQUIRE(focal_begin(&batch.p, &run) == FOCAL_OK);
  const int32_t status = take_steps(run, &result, 1, 1);
  focal_end(run);
  CHECK(status == FOCAL_BAD_PROBABILITY);
  CHECK(result.error_index == 60001);
  CHECK(result.error_value == -0.5);
  for (const float each : batch.grad) CHECK(each == 42);
}

TEST_CASE("a run that is cancelled stops, whether it has begun or not") {
  Batch batch(FOCAL_SIGMOID, FOCAL_DENSE, 4000000, 1, 1, false);
  const size_t size = batch.grad.size();
  FocalResult result;
  std::atomic<int32_t> cancelled{1};
  batch.p.cancelled = reinterpret_cast<const int32_t *>(&cancelled);

  SUBCASE("before it has begun nothing is written") {
    for (const int32_t threads : {1, 3}) {
      batch.p.threads = threads;
      CHECK(focal_run(&batch.p, &result) == FOCAL_CANCELLED);
    }
    FocalRun *run = nullptr;
    REQUIRE(focal_begin(&batch.p, &run) == FOCAL_OK);
    CHECK(take_steps(run, &result, 1, 1) == FOCAL_CANCELLED);
    focal_end(run);
    CHECK(std::count(batch.grad.begin(), batch.grad.end(), 42.0F) == static_cast<int64_t>(size));
  }
  SUBCASE("between two steps nothing more is written") {
    cancelled = 0;
    FocalRun *run = nullptr;
    REQUIRE(focal_begin(&batch.p, &run) == FOCAL_OK);
    focal_scan(run, 0, focal_scan_parts(run));
    REQUIRE(focal_finish_scan(run, &result) == FOCAL_OK);
    focal_compute(run, 0, 0, 5);
    const auto left = std::count(batch.grad.begin(), batch.grad.end(), 42.0F);
    CHECK(left == static_cast<int64_t>(size) - 5 * FOCAL_BLOCK_ELEMENTS);
    cancelled = 1;
    focal_compute(run, 0, 5, focal_blocks(run));
    CHECK(focal_finish(run, &result) == FOCAL_CANCELLED);
    focal_end(run);
    CHECK(std::count(batch.grad.begin(), batch.grad.end(), 42.0F) == left);
  }
  SUBCASE("from another thread, in the middle of it, on any number of threads") {
    for (const int32_t threads : {1, 2, 5}) {
      batch.p.threads = threads;
      int64_t left = 0;
      // the other one may come too late, where the machine is busy
      for (int round = 0; left == 0 && round < 100; round++) {
        batch.grad.assign(size, 42);
        cancelled = 0;
        std::thread other([&] {
          const volatile float *const first = batch.grad.data();
          while (*first == 42) std::this_thread::yield();
          cancelled = 1;
        });
        const int32_t status = focal_run(&batch.p, &result);
        other.join();
        left = std::count(batch.grad.begin(), batch.grad.end(), 42.0F);
        CHECK((status == FOCAL_CANCELLED || (status == FOCAL_OK && left == 0)));
      }
      CHECK(left > 0);
    }
    // and the threads are there for the next call
    batch.p.cancelled = nullptr;
    CHECK(focal_run(&batch.p, &result) == FOCAL_OK);
  }
}
