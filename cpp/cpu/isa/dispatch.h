// The dispatch list: which instruction sets this build has, and which this processor runs.
#pragma once

#include "plan.h"

namespace focal {

struct Isa {
  FocalIsa info;
  const Kernels *kernels;
};

// Best first; the last one always runs.
const Isa *isa_list(int32_t *count);

// The kernels for problem.isa, or null where it names none that runs here.
const Kernels *choose_kernels(int32_t isa);

}  // namespace focal
