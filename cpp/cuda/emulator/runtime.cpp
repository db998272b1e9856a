// The runtime's functions without a GPU. Memory is malloc's, so that tools which watch that watch device code as well.
#include <stdio.h>
#include <stdlib.h>

#include <atomic>
#include <map>
#include <mutex>

#include "cuda_runtime.h"

namespace {

constexpr int devices = 2;
constexpr size_t device_memory = size_t(1) << 30;

struct Allocation {
  size_t bytes;
  cudaMemoryType type;
  int device;
};

std::mutex mutex;
std::map<uintptr_t, Allocation> allocations;
size_t in_use[devices] = {};
std::atomic<int> failing{cudaSuccess};
thread_local int current = 0;
thread_local cudaError_t last = cudaSuccess;

cudaError_t ended(cudaError_t error) {
  if (error != cudaSuccess) last = error;
  return error;
}

bool is_lasting(int error) {
  return error == cudaErrorIllegalAddress || error == cudaErrorLaunchFailure || error == cudaErrorECCUncorrectable;
}

uintptr_t address(const void *memory) { return reinterpret_cast<uintptr_t>(memory); }

// The allocation around an address; the end where there is none. Locked by the caller.
auto around(const void *memory) {
  auto next = allocations.upper_bound(address(memory));
  if (next == allocations.begin()) return allocations.end();
  const auto found = std::prev(next);
  return address(memory) < found->first + found->second.bytes ? found : allocations.end();
}

cudaError_t keep(void *memory, size_t bytes, cudaMemoryType type) {
  allocations[address(memory)] = {bytes, type, current};
  return cudaSuccess;
}

cudaError_t forget(void *memory, cudaMemoryType type) {
  const auto found = allocations.find(address(memory));
  if (found == allocations.end() || found->second.type != type) return cudaErrorInvalidValue;
  if (type == cudaMemoryTypeDevice) in_use[found->second.device] -= found->second.bytes;
  allocations.erase(found);
  return cudaSuccess;
}

}  // namespace

cudaError_t emulator::failure() {
  // A switch for programs that cannot call focal_emulator_fail
  const char *const wanted = getenv("FOCAL_EMULATED_FAILURE");
  if (wanted && *wanted) return static_cast<cudaError_t>(atoi(wanted));
  int error = failing.load();
  if (error != cudaSuccess && !is_lasting(error)) failing.compare_exchange_strong(error, cudaSuccess);
  return static_cast<cudaError_t>(error);
}

const char *cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaErrorMemoryAllocation: return "cudaErrorMemoryAllocation";
    case cudaErrorIllegalAddress: return "cudaErrorIllegalAddress";
    case cudaErrorLaunchFailure: return "cudaErrorLaunchFailure";
    case cudaErrorInvalidDevice: return "cudaErrorInvalidDevice";
    default: return "cudaErrorEmulated";
  }
}
const char *cudaGetErrorString(cudaError_t error) {
  return error == cudaErrorMemoryAllocation ? "out of memory" : "an error of the emulated device";
}
cudaError_t cudaGetLastError() {
  const cudaError_t error = last;
  last = cudaSuccess;
  return error;
}

cudaError_t cudaGetDeviceCount(int *count) {
  *count = devices;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int device) {
  if (device < 0 || device >= devices) return ended(cudaErrorInvalidDevice);
  *properties = {};
  snprintf(properties->name, sizeof properties->name, "emulated device");
  properties->totalGlobalMem = device_memory;
  properties->major = 9;
  properties->multiProcessorCount = 2;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= devices) return ended(cudaErrorInvalidDevice);
  current = device;
  return ended(is_lasting(failing) ? emulator::failure() : cudaSuccess);
}

cudaError_t cudaMalloc(void **memory, size_t bytes) {
  const std::lock_guard lock(mutex);
  *memory = nullptr;
  if (in_use[current] + bytes > device_memory) return ended(cudaErrorMemoryAllocation);
  *memory = aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (!*memory) return ended(cudaErrorMemoryAllocation);
  in_use[current] += bytes;
  return keep(*memory, bytes, cudaMemoryTypeDevice);
}
cudaError_t cudaFree(void *memory) {
  if (!memory) return cudaSuccess;
  const std::lock_guard lock(mutex);
  const cudaError_t error = forget(memory, cudaMemoryTypeDevice);
  if (error == cudaSuccess) free(memory);
  return ended(error);
}
cudaError_t cudaMemGetInfo(size_t *free_bytes, size_t *total) {
  const std::lock_guard lock(mutex);
  *free_bytes = device_memory - in_use[current];
  *total = device_memory;
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind, cudaStream_t) {
  if (const cudaError_t error = emulator::failure()) return ended(error);
  {
    const std::lock_guard lock(mutex);
    const auto lies = [&](const void *memory, bool on_device) {
      const auto found = around(memory);
      const bool is = found != allocations.end() && found->second.type == cudaMemoryTypeDevice;
      return is == on_device && (!is || address(memory) + bytes <= found->first + found->second.bytes);
    };
    if (bytes > 0 && (!lies(to, kind != cudaMemcpyDeviceToHost) || !lies(from, kind != cudaMemcpyHostToDevice)))
      return ended(cudaErrorInvalidValue);
  }
  memmove(to, from, bytes);
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void *memory, int value, size_t bytes, cudaStream_t) {
  memset(memory, value, bytes);
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned) {
  *stream = nullptr;
  return ended(is_lasting(failing) ? emulator::failure() : cudaSuccess);
}
cudaError_t cudaStreamDestroy(cudaStream_t) { return cudaSuccess; }
cudaError_t cudaStreamSynchronize(cudaStream_t) { return ended(emulator::failure()); }

cudaError_t cudaHostAlloc(void **memory, size_t bytes, unsigned) {
  const std::lock_guard lock(mutex);
  *memory = aligned_alloc(256, (bytes + 255) / 256 * 256);
  return *memory ? keep(*memory, bytes, cudaMemoryTypeHost) : ended(cudaErrorMemoryAllocation);
}
cudaError_t cudaFreeHost(void *memory) {
  if (!memory) return cudaSuccess;
  const std::lock_guard lock(mutex);
  const cudaError_t error = forget(memory, cudaMemoryTypeHost);
  if (error == cudaSuccess) free(memory);
  return ended(error);
}
cudaError_t cudaHostRegister(void *memory, size_t bytes, unsigned) {
  const std::lock_guard lock(mutex);
  if (around(memory) != allocations.end()) return ended(cudaErrorHostMemoryAlreadyRegistered);
  return keep(memory, bytes, cudaMemoryTypeHost);
}
cudaError_t cudaHostUnregister(void *memory) {
  const std::lock_guard lock(mutex);
  return ended(forget(memory, cudaMemoryTypeHost) == cudaSuccess ? cudaSuccess : cudaErrorHostMemoryNotRegistered);
}
cudaError_t cudaPointerGetAttributes(cudaPointerAttributes *attributes, const void *pointer) {
  const std::lock_guard lock(mutex);
  const auto found = around(pointer);
  *attributes = {cudaMemoryTypeUnregistered, -1};
  if (found != allocations.end()) *attributes = {found->second.type, found->second.device};
  return cudaSuccess;
}

extern "C" {
void focal_emulator_fail(int error) { failing = error; }
void focal_emulator_mend(void) {
  failing = cudaSuccess;
  last = cudaSuccess;
}
}
