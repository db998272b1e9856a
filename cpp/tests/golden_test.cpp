// Every golden case, on every instruction set that runs here, in float and in double, and
// the plain reference: values of 60 digits, within the numerics contract.
#include "tests/support/golden_cases.h"
#include "reference.h"

TEST_CASE("the reference agrees with the golden values") {
  for (const Case &c : load_cases()) {
    CAPTURE(c.name);
    const Worst worst = worst_error<double>(c, 1e-300, [](const FocalProblem &p) {
      FocalResult result;
      focal::reference_run(p, &result);
    });
    CHECK(worst.value < 1e-12);
    CHECK(worst.grad < 1e-12);
    CHECK(worst.hess < 1e-12);
  }
}

TEST_CASE("float kernels keep the numerics contract") {
  for (const auto &[isa, name] : runnable_isas()) {
    CAPTURE(name);
    Worst overall;
    for (const Case &c : load_cases()) {
      CAPTURE(c.name);
      const Worst worst = worst_error<float>(c, 1e-37, [isa = isa](FocalProblem p) {
        FocalResult result;
        p.isa = isa;
        REQUIRE(focal_run(&p, &result) == FOCAL_OK);
      });
      const double bound = c.special_gamma ? 2e-6 : 8e-6;
      CHECK(worst.value < bound);
      CHECK(worst.grad < bound);
      CHECK(worst.hess < 2e-5);
      overall = {std::fmax(overall.value, worst.value), std::fmax(overall.grad, worst.grad), std::fmax(overall.hess, worst.hess)};
    }
    MESSAGE(name, ", float: value ", overall.value, ", grad ", overall.grad, ", hess ", overall.hess);
  }
}

TEST_CASE("double kernels are right to 1e-12") {
  for (const auto &[isa, name] : runnable_isas()) {
    CAPTURE(name);
    for (const Case &c : load_cases()) {
      CAPTURE(c.name);
      const Worst worst = worst_error<double>(c, 1e-300, [isa = isa](FocalProblem p) {
        FocalResult result;
        p.isa = isa;
        REQUIRE(focal_run(&p, &result) == FOCAL_OK);
      });
      CHECK(worst.value < 1e-12);
      CHECK(worst.grad < 1e-12);
      CHECK(worst.hess < 1e-12);
    }
  }
}
