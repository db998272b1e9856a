// Random problems over every option, against the plain reference: each instruction set, float and double, both layouts.
#include "tests/support/random_problem.h"

namespace {

auto on(int32_t isa) {
  return [isa](FocalProblem p, FocalResult *result) {
    p.isa = isa;
    return focal_run(&p, result);
  };
}

}  // namespace

TEST_CASE("random problems agree with the reference, in float") {
  for (const auto &[isa, name] : runnable_isas()) {
    CAPTURE(name);
    for (uint32_t seed = 0; seed < 1500; seed++) compare_with_reference<float>(seed, 8e-6, 1e-37, on(isa));
  }
}

TEST_CASE("random problems agree with the reference, in double") {
  for (const auto &[isa, name] : runnable_isas()) {
    CAPTURE(name);
    for (uint32_t seed = 0; seed < 1500; seed++) compare_with_reference<double>(seed, 1e-11, 1e-300, on(isa));
  }
}
