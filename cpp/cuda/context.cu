#include "cuda/context.h"

#include <stdio.h>

#include <new>

namespace focal {
namespace FOCAL_NAMESPACE {

namespace {

thread_local char message[320] = "nothing has failed";

bool is_lost(cudaError_t error) {
  switch (error) {
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchFailure:
    case cudaErrorECCUncorrectable: return true;
    default: return false;
  }
}

}  // namespace

int32_t failed(cudaError_t error, const char *doing) {
  cudaGetLastError();  // so that the next call does not hear of it
  snprintf(message, sizeof message, "the device failed to %s: %s (%s)", doing, cudaGetErrorString(error), cudaGetErrorName(error));
  if (error == cudaErrorMemoryAllocation) return FOCAL_OUT_OF_MEMORY;
  return is_lost(error) ? FOCAL_CUDA_LOST : FOCAL_CUDA_FAILED;
}

cudaError_t Buffer::reserve(size_t bytes) {
  if (bytes <= bytes_) return cudaSuccess;
  release();
  void *memory = nullptr;
  const cudaError_t error = of_device_ ? cudaMalloc(&memory, bytes) : cudaHostAlloc(&memory, bytes, cudaHostAllocDefault);
  if (error != cudaSuccess) return error;
  memory_ = static_cast<char *>(memory);
  bytes_ = bytes;
  return cudaSuccess;
}

void Buffer::release() {
  if (!memory_) return;
  if (of_device_) cudaFree(memory_);
  else cudaFreeHost(memory_);
  memory_ = nullptr;
  bytes_ = 0;
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal

using focal::device::failed;

cudaError_t FocalCuda::open(int32_t index) {
  device = index;
  cudaDeviceProp properties;
  cudaError_t error = cudaGetDeviceProperties(&properties, index);
  if (error == cudaSuccess) error = cudaSetDevice(index);
  multiprocessors = properties.multiProcessorCount;
  if (error == cudaSuccess) error = cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
  for (focal::device::Slot &slot : slots)
    if (error == cudaSuccess) error = cudaStreamCreateWithFlags(&slot.stream, cudaStreamNonBlocking);
  return error;
}

FocalCuda::~FocalCuda() {
  cudaSetDevice(device);
  if (stream) cudaStreamDestroy(stream);
  for (focal::device::Slot &slot : slots)
    if (slot.stream) cudaStreamDestroy(slot.stream);
}

const char *focal_cuda_error(void) { return focal::device::message; }

int32_t focal_cuda_count(int32_t *count) {
  int found = 0;
  const cudaError_t error = cudaGetDeviceCount(&found);
  *count = error == cudaSuccess ? found : 0;
  const char *const none = *count > 0 ? nullptr : error == cudaErrorInsufficientDriver ? "no NVIDIA driver, or one too old" : "no NVIDIA GPU";
  if (error != cudaSuccess && error != cudaErrorInsufficientDriver && error != cudaErrorNoDevice) return failed(error, "be counted");
  cudaGetLastError();
  if (none) snprintf(focal::device::message, sizeof focal::device::message, "%s", none);
  return FOCAL_OK;
}

int32_t focal_cuda_device(int32_t device, FocalCudaDevice *description) {
  cudaDeviceProp properties;
  const cudaError_t error = cudaGetDeviceProperties(&properties, device);
  if (error != cudaSuccess) return failed(error, "describe itself");
  *description = {};
  snprintf(description->name, sizeof description->name, "%s", properties.name);
  description->major = properties.major;
  description->minor = properties.minor;
  description->multiprocessors = properties.multiProcessorCount;
  description->supported = properties.major * 10 + properties.minor >= 75;
  description->memory = static_cast<double>(properties.totalGlobalMem);
  return FOCAL_OK;
}

int32_t focal_cuda_open(int32_t device, FocalCuda **cuda) {
  FocalCuda *const opened = new (std::nothrow) FocalCuda;
  if (!opened) return FOCAL_OUT_OF_MEMORY;
  const cudaError_t error = opened->open(device);
  if (error != cudaSuccess) {
    const int32_t status = failed(error, "be opened");
    delete opened;
    return status;
  }
  *cuda = opened;
  return FOCAL_OK;
}

void focal_cuda_close(FocalCuda *cuda) { delete cuda; }

int32_t focal_cuda_allocate(FocalCuda *cuda, double bytes, void **memory) {
  *memory = nullptr;
  if (bytes == 0) return FOCAL_OK;
  const size_t size = static_cast<size_t>(bytes);
  cudaError_t error = cudaSetDevice(cuda->device);
  if (error == cudaSuccess) error = cudaMalloc(memory, size);
  if (error != cudaSuccess) return failed(error, "allocate memory");
  error = cudaMemsetAsync(*memory, 0, size, cuda->stream);
  if (error == cudaSuccess) error = cudaStreamSynchronize(cuda->stream);
  if (error == cudaSuccess) return FOCAL_OK;
  cudaFree(*memory);
  *memory = nullptr;
  return failed(error, "clear memory");
}

void focal_cuda_free(int32_t device, void *memory) {
  if (!memory) return;
  cudaSetDevice(device);
  cudaFree(memory);
  cudaGetLastError();  // of a lost device there is nothing to free
}

int32_t focal_cuda_copy(FocalCuda *cuda, void *to, const void *from, double bytes, int32_t direction) {
  if (bytes == 0) return FOCAL_OK;
  const cudaMemcpyKind kind = direction == FOCAL_CUDA_TO_DEVICE ? cudaMemcpyHostToDevice
                              : direction == FOCAL_CUDA_TO_HOST ? cudaMemcpyDeviceToHost
                                                                : cudaMemcpyDeviceToDevice;
  cudaError_t error = cudaSetDevice(cuda->device);
  if (error == cudaSuccess) error = cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), kind, cuda->stream);
  if (error == cudaSuccess) error = cudaStreamSynchronize(cuda->stream);
  return error == cudaSuccess ? FOCAL_OK : failed(error, "copy");
}

int32_t focal_cuda_pin(void *memory, double bytes) {
  const cudaError_t error = cudaHostRegister(memory, static_cast<size_t>(bytes), cudaHostRegisterDefault);
  return error == cudaSuccess ? FOCAL_OK : failed(error, "pin memory");
}
void focal_cuda_unpin(void *memory) {
  cudaHostUnregister(memory);
  cudaGetLastError();
}

int32_t focal_cuda_owner(const void *pointer, int32_t *device) {
  cudaPointerAttributes attributes;
  const cudaError_t error = cudaPointerGetAttributes(&attributes, pointer);
  if (error != cudaSuccess) return failed(error, "tell whose memory that is");
  const bool on_device = attributes.type == cudaMemoryTypeDevice || attributes.type == cudaMemoryTypeManaged;
  *device = on_device ? attributes.device : -1;
  return FOCAL_OK;
}

int32_t focal_cuda_memory(FocalCuda *cuda, double *free_bytes, double *total_bytes) {
  size_t left = 0, total = 0;
  cudaError_t error = cudaSetDevice(cuda->device);
  if (error == cudaSuccess) error = cudaMemGetInfo(&left, &total);
  if (error != cudaSuccess) return failed(error, "tell its memory");
  *free_bytes = static_cast<double>(left);
  *total_bytes = static_cast<double>(total);
  return FOCAL_OK;
}
