// Targets that another thread overwrites after they were scanned: their rows have some result, the others their own, and nothing is
// written elsewhere.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "tests/support/problem_builder.h"

namespace {

struct Shape { int32_t loss; int outer, classes, inner; };
constexpr Shape shapes[] = {
    {FOCAL_SIGMOID, 600, 80, 1}, {FOCAL_SIGMOID, 9000, 1, 1}, {FOCAL_SIGMOID, 30, 5, 300}, {FOCAL_SIGMOID_GENERAL, 600, 20, 1},
    {FOCAL_SOFTMAX, 600, 80, 1}, {FOCAL_SOFTMAX, 3000, 2, 1}, {FOCAL_SOFTMAX, 3000, 5, 1}, {FOCAL_SOFTMAX, 10, 2, 1000},
    {FOCAL_SOFTMAX, 6, 21, 500}, {FOCAL_SOFTMAX, 3, 9000, 1},
};

enum Option { plain, weighted_classes, gammas_of_classes, smoothed, with_hess, options };

template <class S> constexpr S wild[] = {std::numeric_limits<S>::max(), std::numeric_limits<S>::lowest(), S(1000000), S(-5),
                                         std::numeric_limits<S>::has_quiet_NaN ? std::numeric_limits<S>::quiet_NaN() : S(9000)};

template <class S> void check(const Shape &shape, int option, int32_t isa) {
  const size_t rows = static_cast<size_t>(shape.outer) * static_cast<size_t>(shape.inner), classes = static_cast<size_t>(shape.classes);
  const size_t size = rows * classes, inner = static_cast<size_t>(shape.inner);
  std::vector<float> logits(size), grad(size), hess(size), want(size);
  for (size_t k = 0; k < size; k++) logits[k] = std::sin(static_cast<float>(k)) * 4;
  std::vector<S> targets(rows);
  for (size_t r = 0; r < rows; r++) targets[r] = static_cast<S>(r * 7 % classes);
  const std::vector<double> factors(2 * classes, 0.75);

  FocalProblem p = blank_problem(shape.loss, shape.outer, shape.classes, shape.inner);
  p.isa = isa;
  if (option == weighted_classes || option == gammas_of_classes) p.class_positive = p.class_negative = factors.data();
  if (option == gammas_of_classes) p.flags |= FOCAL_CLASS_GAMMAS;
  if (option == smoothed) p.label_smoothing = 0.1;
  set_logits(p, logits);
  set_targets(p, FOCAL_CLASS_INDEX, targets);
  set_outputs(p, nullptr, &want, option == with_hess ? &hess : nullptr);
  FocalResult result;
  REQUIRE(focal_run(&p, &result) == FOCAL_OK);

  p.grad = grad.data();
  FocalRun *run = nullptr;
  REQUIRE(focal_begin(&p, &run) == FOCAL_OK);
  focal_scan(run, 0, focal_scan_parts(run));
  REQUIRE(focal_finish_scan(run, &result) == FOCAL_OK);
  for (size_t r = 0; r < rows; r += 3) targets[r] = wild<S>[r / 3 % std::size(wild<S>)];
  focal_compute(run, 0, 0, focal_blocks(run));
  CHECK(focal_finish(run, &result) == FOCAL_OK);
  focal_end(run);

  size_t others = 0;
  for (size_t k = 0; k < size; k++) {
    const size_t row = k / (classes * inner) * inner + k % inner;
    if (row % 3 != 0) others += std::memcmp(&grad[k], &want[k], sizeof(float)) != 0;
  }
  CHECK(others == 0);
}

}  // namespace

TEST_CASE("targets that change after they were scanned lead nowhere else") {
  for (const Shape &shape : shapes)
    for (int option = plain; option < options; option++)
      for (const auto &[isa, name] : runnable_isas()) {
        CAPTURE(name);
        CAPTURE(shape.loss);
        CAPTURE(shape.classes);
        CAPTURE(option);
        check<int32_t>(shape, option, isa);
        check<float>(shape, option, isa);
        check<double>(shape, option, isa);
      }
}
