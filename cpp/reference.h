// The same problem in double with the C library, one element after another: the definitions, for the tests to
// compare the kernels with. Slow on purpose; shares no formula and no code with them.
#pragma once

#include "problem.h"

namespace focal {

// Takes a valid problem whose targets are valid too.
void reference_run(const FocalProblem &problem, FocalResult *result);

}  // namespace focal
