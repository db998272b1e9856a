// One look at the targets before anything is written: are their values allowed, and how many count?
#pragma once

#include "../problem.h"
#include "plan.h"
#include "pool.h"

namespace focal {

// Fills elements, rows and positives of `result`, and the plan's hard_labels; or, of the first target that is not
// allowed, error_index and error_value.
FocalStatus take_census(Plan *plan, Team *team, FocalResult *result);

}  // namespace focal
