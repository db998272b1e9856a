// The part of the CUDA runtime that cpp/cuda uses, on the host: a kernel's threads are fibers of the calling thread, streams
// are in order because nothing is asynchronous, and "device" memory is the host's, known apart by its addresses.
//
// It is there to test device code without a GPU, and knows what such a test needs: two devices, a limit of memory, errors on
// demand, approximate instructions as far off as their documentation allows, and the end of a launch whose threads wait for
// each other in vain.
#pragma once

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define __global__
#define __device__
#define __host__
#define __launch_bounds__(...)
#define __grid_constant__
#define __shared__ static thread_local

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  dim3(unsigned size = 1) : x(size) {}
};

struct alignas(16) float4 { float x, y, z, w; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
struct alignas(8) uint2 { unsigned x, y; };
struct alignas(8) float2 { float x, y; };

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInsufficientDriver = 35,
  cudaErrorNoDevice = 100,
  cudaErrorInvalidDevice = 101,
  cudaErrorNoKernelImageForDevice = 209,
  cudaErrorECCUncorrectable = 214,
  cudaErrorIllegalAddress = 700,
  cudaErrorHostMemoryAlreadyRegistered = 712,
  cudaErrorHostMemoryNotRegistered = 713,
  cudaErrorLaunchFailure = 719,
};

// ---- threads ----------------------------------------------------------------------------------------------------------

namespace emulator {
extern thread_local dim3 thread_index, block_index, block_size, grid_size;
// Runs the threads of a launch, one after another. Where it is to fail (focal_emulator_fail), none.
cudaError_t run(dim3 grid, dim3 block, void (*body)(const void *), const void *arguments);
void synchronize_block();
// What the lane `source` of this warp passes in; all lanes of the mask take part.
uint64_t exchange(unsigned mask, uint64_t value, int source);
int lane();
// A factor within `error` of 1, of which `x` decides.
float inexact(float x, float error);
// What the next launch or copy is to fail with.
cudaError_t failure();
}  // namespace emulator

#define threadIdx ::emulator::thread_index
#define blockIdx ::emulator::block_index
#define blockDim ::emulator::block_size
#define gridDim ::emulator::grid_size

inline void __syncthreads() { emulator::synchronize_block(); }
inline void __threadfence() {}

template <class T> T __shfl_sync(unsigned mask, T value, int source) {
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof value);
  bits = emulator::exchange(mask, bits, source);
  memcpy(&value, &bits, sizeof value);
  return value;
}
template <class T> T __shfl_xor_sync(unsigned lanes, T value, int mask) { return __shfl_sync(lanes, value, emulator::lane() ^ mask); }
template <class T> T atomicAdd(T *to, T value) {
  const T before = *to;
  *to += value;
  return before;
}
template <class T> T atomicMin(T *to, T value) {
  const T before = *to;
  if (value < before) *to = value;
  return before;
}

// ---- the runtime ------------------------------------------------------------------------------------------------------

enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2, cudaMemcpyDeviceToDevice = 3 };
enum cudaMemoryType { cudaMemoryTypeUnregistered = 0, cudaMemoryTypeHost = 1, cudaMemoryTypeDevice = 2, cudaMemoryTypeManaged = 3 };
enum { cudaStreamNonBlocking = 1, cudaHostAllocDefault = 0, cudaHostRegisterDefault = 0 };

struct cudaPointerAttributes {
  cudaMemoryType type;
  int device;
};
struct cudaDeviceProp {
  char name[256];
  size_t totalGlobalMem;
  int major, minor, multiProcessorCount;
};
using cudaStream_t = struct EmulatedStream *;

const char *cudaGetErrorName(cudaError_t error);
const char *cudaGetErrorString(cudaError_t error);
cudaError_t cudaGetLastError();
cudaError_t cudaGetDeviceCount(int *count);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int device);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaMalloc(void **memory, size_t bytes);
cudaError_t cudaFree(void *memory);
cudaError_t cudaMemGetInfo(size_t *free_bytes, size_t *total);
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream);
cudaError_t cudaMemsetAsync(void *memory, int value, size_t bytes, cudaStream_t stream);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaHostAlloc(void **memory, size_t bytes, unsigned flags);
cudaError_t cudaFreeHost(void *memory);
cudaError_t cudaHostRegister(void *memory, size_t bytes, unsigned flags);
cudaError_t cudaHostUnregister(void *memory);
cudaError_t cudaPointerGetAttributes(cudaPointerAttributes *attributes, const void *pointer);
template <class Kernel> cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, Kernel, int, size_t) {
  *blocks = 2;
  return cudaSuccess;
}

extern "C" {
// The next launch or copy, of any thread, fails with this; with an error of the device, so does everything after it.
void focal_emulator_fail(int error);
// All is well again.
void focal_emulator_mend(void);
}
