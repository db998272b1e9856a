// Targets of a softmax whose mask takes classes out of rows: which rows are valid, and whether a label contradicts the mask.
#pragma once

#include "cpu/isa/dispatch.h"

namespace focal {

struct MaskedRows {
  int64_t elements, rows, positives;
  int64_t error;  // the first target that is not allowed: no label, no class, or of a class that is masked; INT64_MAX: none
  bool unusual;   // is a label outside [0, 1], or a target NaN?
};

// Looks at rows begin..end-1. A row that is ignored, or has no class left, is not valid, whatever its targets are.
MaskedRows look_at_masked_rows(const Plan &plan, const Kernels &kernels, int64_t begin, int64_t end);

}  // namespace focal
