// What runs on the device, in the order of a call. A launch returns what the driver said to it.
#pragma once

#include "cuda/device/launch.h"
#include "cuda/device/state.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// Fills the counts of the state, which is cleared, and finds what is not allowed.
cudaError_t launch_target_scan(const Work &work, int multiprocessors, cudaStream_t stream);

// Computes the tiles first_tile..last_tile-1, unless the target scan has found something wrong.
cudaError_t launch_element_wise(const Work &work, int multiprocessors, cudaStream_t stream);
cudaError_t launch_softmax(const Work &work, int multiprocessors, cudaStream_t stream);

// Rows of a tile of a softmax loss.
int64_t rows_per_tile(int64_t classes);

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
