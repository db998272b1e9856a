// What the targets are found to be: counts and the first mistake, whatever their type and however many threads look.
#include "cpu/targets/target_scan.h"

#include <doctest/doctest.h>

#include <string.h>

#include <array>
#include <limits>
#include <random>
#include <type_traits>

#include "cpu/targets/numbers.h"
#include "cpu/threads/worker_pool.h"
#include "tests/support/problem_builder.h"
#include "reference.h"

using namespace focal;

namespace {

// Enough blocks for the workers to be worth waking.
FocalStatus scan_targets(Plan *plan, int32_t threads, FocalResult *result) {
  // Indices say nothing of blocks, of which 5e9 classes have many
  const bool has_labels = plan->problem.targets_kind != FOCAL_CLASS_INDEX;
  std::vector<uint8_t> hard_blocks(has_labels ? static_cast<size_t>(plan->elements / block_elements + 1) : 0);
  FocalStatus status = FOCAL_OK;
  // Of every instruction set the same is found
  int32_t count;
  const Isa *const list = isa_list(&count);
  for (int32_t i = 0; i < count; i++) {
    if (!list[i].info.supported) continue;
    TargetScan scan(*plan, *list[i].kernels, hard_blocks.data());
    CallWorkers workers(threads, 1000);
    workers.run(scan.parts(), [&](Turns &turns) {
      for (int64_t first, last; turns.next(&first, &last);) scan.scan_parts(first, last);
    });
    FocalResult found{};
    const FocalStatus of_this = scan.finish(&found);
    if (i > 0) {
      CHECK(of_this == status);
      CHECK(memcmp(&found, result, sizeof found) == 0);
    }
    status = of_this;
    *result = found;
  }
  return status;
}

}  // namespace

TEST_CASE_TEMPLATE("indices of every type are counted as their numbers are", S, int8_t, uint8_t, int16_t, uint16_t, int32_t,
                   uint32_t, float, double) {
  const double nan = std::nan("");
  std::mt19937 engine(5);
  for (const double classes : {1.0, 3.0, 100.0, 5e9})
    for (const double background : {nan, -1.0, 2.0, 255.0, 2.5, 1e12})
      for (const double ignored : {nan, -100.0, 0.0, 65535.0, 4294967295.0}) {
        const double usual[] = {0, 1, 2, 99};
        const double rare[] = {-100, -1, 3, 100, 127, 255, 65535, 2147483647.0, 4294967295.0};
        for (int round = 0; round < 20; round++) {
          std::vector<S> indices(1 + engine() % 70);
          for (S &index : indices) {
            const double from = engine() % 16 == 0 ? rare[engine() % 9] : usual[engine() % 4];
            index = static_cast<S>(static_cast<int64_t>(from));
          }
          FocalProblem p = blank_problem(FOCAL_SIGMOID, static_cast<double>(indices.size()), classes, 1);
          set_targets(p, FOCAL_CLASS_INDEX, indices);
          p.background = background;
          p.ignore_index = ignored;
          double rows = 0, positives = 0, error = -1;
          for (size_t k = 0; k < indices.size(); k++) {
            const double index = static_cast<double>(indices[k]);
            if (index == ignored) continue;
            const bool is_class = index >= 0 && index < classes;
            if (!is_class && index != background && error < 0) error = static_cast<double>(k);
            rows++;
            positives += is_class && index != background;
          }
          CAPTURE(classes);
          CAPTURE(background);
          CAPTURE(ignored);
          Plan plan = plan_of(p);
          FocalResult result;
          if (error >= 0) {
            REQUIRE(scan_targets(&plan, 1, &result) == FOCAL_BAD_CLASS);
            REQUIRE(result.error_index == error);
            REQUIRE(result.error_value == static_cast<double>(indices[static_cast<size_t>(error)]));
          } else {
            REQUIRE(scan_targets(&plan, 1, &result) == FOCAL_OK);
            REQUIRE(result.rows == rows);
            REQUIRE(result.elements == rows * classes);
            REQUIRE(result.positives == positives);
          }
        }
      }
}

TEST_CASE_TEMPLATE("labels are hard where each is exactly 0 or 1", S, int8_t, uint8_t, int16_t, uint16_t, int32_t, uint32_t, float,
                   double) {
  for (const size_t size : {1U, 7U, 1024U, 5000U, 70000U}) {
    std::vector<S> labels(size, S(0));
    for (size_t k = 0; k < size; k += 3) labels[k] = S(1);
    FocalProblem p = blank_problem(FOCAL_SIGMOID, static_cast<double>(size), 1, 1);
    set_targets(p, FOCAL_DENSE, labels);
    FocalResult result;
    for (const int32_t threads : {1, 3}) {
      CAPTURE(size);
      Plan plan = plan_of(p);
      REQUIRE(scan_targets(&plan, threads, &result) == FOCAL_OK);
      CHECK(plan.hard_labels);
      CHECK(result.positives == static_cast<double>((size + 2) / 3));
      CHECK(result.elements == static_cast<double>(size));
      CHECK(result.rows == static_cast<double>(size));

      plan.problem.label_smoothing = 0.1;
      REQUIRE(scan_targets(&plan, threads, &result) == FOCAL_OK);
      CHECK_FALSE(plan.hard_labels);

      plan = plan_of(p);
      plan.problem.ignore_index = 255;
      REQUIRE(scan_targets(&plan, threads, &result) == FOCAL_OK);
      CHECK_FALSE(plan.hard_labels);
    }
    if constexpr (!std::is_integral_v<S>) {
      for (const S soft : {S(0.5), S(0.25), std::numeric_limits<S>::denorm_min(), S(1) - std::numeric_limits<S>::epsilon() / 2})
        for (const size_t at : {size_t(0), size / 2, size - 1}) {
          std::vector<S> softened = labels;
          softened[at] = soft;
          set_targets(p, FOCAL_DENSE, softened);
          Plan plan = plan_of(p);
          REQUIRE(scan_targets(&plan, 3, &result) == FOCAL_OK);
          CHECK_FALSE(plan.hard_labels);
          CHECK(result.positives == static_cast<double>((size + 2) / 3 - (at % 3 == 0) + (soft >= S(0.5))));
        }
    }
  }
}

TEST_CASE("the first of several wrong targets is reported, however many threads look") {
  constexpr size_t size = 400000;
  for (const bool by_index : {false, true})
    for (const bool masked : {false, true})
      for (const size_t first : {size_t(0), size_t(20000), size_t(399999)}) {
        std::vector<float> targets(size, 0);
        for (size_t k = first; k < size; k += 7777) targets[k] = 3 + static_cast<float>(k % 5);
        const std::vector<uint8_t> mask(size, 1);
        FocalProblem p = blank_problem(FOCAL_SIGMOID, static_cast<double>(size), 1, 1);
        set_targets(p, by_index ? FOCAL_CLASS_INDEX : FOCAL_DENSE, targets);
        if (masked) {
          p.mask_per = FOCAL_PER_ELEMENT;
          p.mask_dtype = FOCAL_UINT8;
          p.mask = mask.data();
        }
        for (const int32_t threads : {1, 2, 5})
          for (int round = 0; round < 10; round++) {
            Plan plan = plan_of(p);
            FocalResult result;
            REQUIRE(scan_targets(&plan, threads, &result) == (by_index ? FOCAL_BAD_CLASS : FOCAL_BAD_TARGET));
            REQUIRE(result.error_index == static_cast<double>(first));
            REQUIRE(result.error_value == static_cast<double>(targets[first]));
          }
      }
}

TEST_CASE("masked and ignored elements are counted as the definitions say, in either layout") {
  std::mt19937 engine(11);
  for (const auto &[outer, classes, inner] : {std::array{9000.0, 7.0, 1.0}, {3.0, 5.0, 7000.0}, {2.0, 20000.0, 3.0}})
    for (const int32_t kind : {FOCAL_DENSE, FOCAL_CLASS_INDEX})
      for (const int32_t mask_per : {FOCAL_ABSENT, FOCAL_PER_ROW, FOCAL_PER_ELEMENT})
        for (const bool ignores : {false, true}) {
          const size_t elements = static_cast<size_t>(outer * classes * inner);
          const std::vector<float> logits(elements, 0.5F);
          std::vector<uint8_t> targets(elements), mask(elements);
          for (uint8_t &target : targets) target = engine() % 3 == 0 && ignores ? 255 : engine() % 2;
          for (uint8_t &in : mask) in = engine() % 4 == 0;
          FocalProblem p = blank_problem(FOCAL_SIGMOID, outer, classes, inner);
          set_logits(p, logits);
          set_targets(p, kind, targets);
          p.reduction = FOCAL_MEAN_ROWS;
          if (ignores) p.ignore_index = 255;
          p.mask_per = mask_per;
          p.mask_dtype = FOCAL_UINT8;
          p.mask = mask.data();
          FocalResult want, got;
          reference_run(p, &want);
          for (const int32_t threads : {1, 2, 5}) {
            Plan plan = plan_of(p);
            CAPTURE(inner);
            CAPTURE(kind);
            CAPTURE(mask_per);
            REQUIRE(scan_targets(&plan, threads, &got) == FOCAL_OK);
            CHECK(got.elements == want.elements);
            CHECK(got.rows == want.rows);
            CHECK(got.positives == want.positives);
          }
        }
}
