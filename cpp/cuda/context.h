// One device, as one thread uses it: its stream, and memory that is kept from call to call.
#pragma once

#include "cuda.h"
#include "cuda/device/launch.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// Keeps what the driver said for focal_cuda_error(), and says which status that is. `doing` completes "The device failed to".
int32_t failed(cudaError_t error, const char *doing);

// Arrays that share memory begin at multiples of 256 bytes: more than any access needs.
inline size_t padded(size_t bytes) { return (bytes + 255) / 256 * 256; }

// Memory that grows to what is asked for, of the device or pinned of the host.
class Buffer {
 public:
  explicit Buffer(bool of_device) : of_device_(of_device) {}
  ~Buffer() { release(); }
  Buffer(const Buffer &) = delete;
  Buffer &operator=(const Buffer &) = delete;

  cudaError_t reserve(size_t bytes);
  void release();
  char *data() const { return memory_; }

 private:
  const bool of_device_;
  char *memory_ = nullptr;
  size_t bytes_ = 0;
};

// A stretch of a call on its way through the device: in, computed, out.
struct Slot {
  cudaStream_t stream = nullptr;
  Buffer device{true}, host{false};
};

}  // namespace FOCAL_NAMESPACE
}  // namespace focal

struct FocalCuda {
  static constexpr int slot_count = 3;

  int device = 0, multiprocessors = 1;
  cudaStream_t stream = nullptr;
  focal::device::Buffer scratch{true}, inputs{true};
  focal::device::Slot slots[slot_count];

  cudaError_t open(int32_t index);
  ~FocalCuda();
};
