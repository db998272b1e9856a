#include "cuda/transfer/transfer.h"

namespace focal {
namespace FOCAL_NAMESPACE {

namespace {

constexpr size_t piece_bytes = size_t(4) << 20;

// Pieces take turns in the slots' pinned memory: while the card copies one, the host copies the next.
template <class Copy> cudaError_t in_pieces(FocalCuda &cuda, size_t bytes, Copy copy) {
  cudaError_t error = cudaSuccess;
  for (Slot &slot : cuda.slots)
    if (error == cudaSuccess) error = slot.host.reserve(piece_bytes < bytes ? piece_bytes : bytes);
  int turn = 0;
  for (size_t at = 0; at < bytes && error == cudaSuccess; at += piece_bytes, turn++) {
    Slot &slot = cuda.slots[turn % FocalCuda::slot_count];
    error = cudaStreamSynchronize(slot.stream);
    if (error == cudaSuccess) error = copy(slot, at, bytes - at < piece_bytes ? bytes - at : piece_bytes);
  }
  for (Slot &slot : cuda.slots) {
    const cudaError_t end = cudaStreamSynchronize(slot.stream);
    if (error == cudaSuccess) error = end;
  }
  return error;
}

}  // namespace

bool is_pinned(const void *memory) {
  cudaPointerAttributes attributes;
  if (cudaPointerGetAttributes(&attributes, memory) != cudaSuccess) {
    cudaGetLastError();
    return false;
  }
  return attributes.type == cudaMemoryTypeHost;
}

cudaError_t upload(FocalCuda &cuda, void *to, const void *from, size_t bytes) {
  if (is_pinned(from)) {
    const cudaError_t error = cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, cuda.stream);
    return error == cudaSuccess ? cudaStreamSynchronize(cuda.stream) : error;
  }
  return in_pieces(cuda, bytes, [&](Slot &slot, size_t at, size_t count) {
    memcpy(slot.host.data(), static_cast<const char *>(from) + at, count);
    return cudaMemcpyAsync(static_cast<char *>(to) + at, slot.host.data(), count, cudaMemcpyHostToDevice, slot.stream);
  });
}

cudaError_t download(FocalCuda &cuda, void *to, const void *from, size_t bytes) {
  if (is_pinned(to)) {
    const cudaError_t error = cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, cuda.stream);
    return error == cudaSuccess ? cudaStreamSynchronize(cuda.stream) : error;
  }
  // What a piece brought is taken out of its slot before the slot's next turn, and at the end
  struct Landed { size_t at, count; } landed[FocalCuda::slot_count] = {};
  const auto take = [&](const Slot &slot, Landed &piece) {
    if (piece.count > 0) memcpy(static_cast<char *>(to) + piece.at, slot.host.data(), piece.count);
    piece.count = 0;
  };
  cudaError_t error = in_pieces(cuda, bytes, [&](Slot &slot, size_t at, size_t count) {
    Landed &piece = landed[&slot - cuda.slots];
    take(slot, piece);
    piece = {at, count};
    return cudaMemcpyAsync(slot.host.data(), static_cast<const char *>(from) + at, count, cudaMemcpyDeviceToHost, slot.stream);
  });
  for (int s = 0; s < FocalCuda::slot_count && error == cudaSuccess; s++) take(cuda.slots[s], landed[s]);
  return error;
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
