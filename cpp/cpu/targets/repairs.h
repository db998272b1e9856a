// Targets and probabilities that the kernels do not know, in copies that they do: what rounding has left outside of [0, 1] is 0
// or 1, a heatmap's peak is 1, and a NaN that is to be ignored is an ignore_index or a mask. Made for a call whose scans have found any.
#pragma once

#include "plan.h"

namespace focal {

class Repairs {
 public:
  Repairs() = default;
  Repairs(const Repairs &) = delete;
  ~Repairs();

  // From here on the plan has the copies, until this object ends. FOCAL_OK or FOCAL_OUT_OF_MEMORY.
  FocalStatus mend_targets(Plan *plan);
  FocalStatus mend_probabilities(Plan *plan);

 private:
  void *targets_ = nullptr, *mask_ = nullptr, *probabilities_ = nullptr;
};

}  // namespace focal
