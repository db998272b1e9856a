// One look at the targets before anything is written: are their values allowed, and how many count?
#pragma once

#include "../problem.h"
#include "plan.h"

namespace focal {

// Fills elements, rows and positives of `result`, or its error_index and error_value.
FocalStatus take_census(const Plan &plan, FocalResult *result);

}  // namespace focal
