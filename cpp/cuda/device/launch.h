// Starting kernels from the host.
#pragma once

#include "device.h"

namespace focal {
namespace FOCAL_NAMESPACE {

constexpr int block_threads = 256;

template <class Kernel, class... Arguments>
cudaError_t launch(Kernel kernel, unsigned blocks, unsigned threads, cudaStream_t stream, const Arguments &...arguments) {
#ifdef __CUDACC__
  kernel<<<blocks, threads, 0, stream>>>(arguments...);
  return cudaGetLastError();
#else
  (void)stream;
  const auto body = [&] { kernel(arguments...); };
  return emulator::run(blocks, threads, [](const void *f) { (*static_cast<decltype(body) *>(f))(); }, &body);
#endif
}

// As many blocks as run at once, or as few as there is work for: each goes on to what is left.
template <class Kernel> cudaError_t blocks_for(Kernel kernel, int multiprocessors, int threads, int64_t wanted, unsigned *blocks) {
  int each = 0;
  const cudaError_t error = cudaOccupancyMaxActiveBlocksPerMultiprocessor(&each, kernel, threads, 0);
  if (error != cudaSuccess) return error;
  const int64_t most = static_cast<int64_t>(each > 0 ? each : 1) * multiprocessors;
  *blocks = static_cast<unsigned>(wanted < 1 ? 1 : wanted < most ? wanted : most);
  return cudaSuccess;
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
