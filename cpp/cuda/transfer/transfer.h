// Arrays of the host on their way to the device and back.
#pragma once

#include "cuda/context.h"
#include "cuda/device/numbers.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// Copies whole arrays, in pieces through pinned memory: from pageable memory a card copies at a fraction of its speed.
cudaError_t upload(FocalCuda &cuda, void *to, const void *from, size_t bytes);
cudaError_t download(FocalCuda &cuda, void *to, const void *from, size_t bytes);

// Is it memory that the card copies from and to by itself?
bool is_pinned(const void *memory);

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
