// Logits and outputs of the host: through the device stretch by stretch, copies of one beside the computing of another.
#pragma once

#include "cuda/call.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// Computes all tiles, and waits until what they give has come back.
cudaError_t run_stretches(const Call &call);

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
