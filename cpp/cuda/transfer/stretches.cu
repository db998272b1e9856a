#include "cuda/transfer/stretches.h"
#include "cuda/transfer/transfer.h"

namespace focal {
namespace FOCAL_NAMESPACE {

namespace {

constexpr int64_t stretch_elements = int64_t(1) << 21;

// One of the arrays that travel: a number an element, or of a softmax's values one a row.
struct Traveller {
  char *array;
  uint64_t *address;  // where the kernels find it
  bool in, pinned;
  int64_t elements_each;  // of the call to one of its own
  size_t each;            // bytes of one of its own
};

// Elements of the call.
struct Stretch { int64_t begin, end; };

class Stretches {
 public:
  explicit Stretches(const Call &call)
      : call_(call), work_(call.work), tile_(call.elements_per_tile()), step_(call.tiles_of(stretch_elements)) {
    const FocalProblem &given = call.given;
    FocalProblem &there = work_.plan.problem;
    add(given.logits, FOCAL_CUDA_LOGITS, there.logits_slot, given.dtype, true, 1);
    add(given.grad, FOCAL_CUDA_GRAD, there.grad_slot, given.grad_dtype, false, 1);
    add(given.hess, FOCAL_CUDA_HESS, there.hess_slot, given.hess_dtype, false, 1);
    add(given.values, FOCAL_CUDA_VALUES, there.values_slot, given.dtype, false, call.element_wise ? 1 : call.plan().classes);
  }

  cudaError_t run() {
    cudaError_t error = cudaSuccess;
    int turn = 0;
    for (int64_t first = 0; first < work_.tiles && error == cudaSuccess && !call_.is_cancelled(); first += step_, turn++) {
      const int s = turn % FocalCuda::slot_count;
      error = land(s);
      if (error == cudaSuccess) error = start(s, first, first + step_ < work_.tiles ? first + step_ : work_.tiles);
    }
    for (int s = 0; s < FocalCuda::slot_count; s++) {
      const cudaError_t end = error == cudaSuccess ? land(s) : cudaStreamSynchronize(call_.cuda.slots[s].stream);
      if (error == cudaSuccess) error = end;
    }
    return error;
  }

 private:
  const Call &call_;
  Work work_;  // with addresses of the stretch that starts
  const int64_t tile_, step_;
  size_t room_ = 0;  // in a slot, for each of those that travel
  Traveller travellers_[4];
  size_t count_ = 0;
  Stretch on_their_way_[FocalCuda::slot_count] = {};

  int64_t elements() const { return call_.plan().elements; }

  void add(const void *array, uint32_t bit, uint64_t &address, int32_t dtype, bool in, int64_t elements_each) {
    if (!array || call_.lies(bit)) return;
    const size_t each = bytes_of(dtype), room = padded(static_cast<size_t>(step_ * tile_ < elements() ? step_ * tile_ : elements()) * each);
    travellers_[count_++] = {static_cast<char *>(const_cast<void *>(array)), &address, in, is_pinned(array), elements_each, each};
    room_ = room > room_ ? room : room_;
  }

  // Where an array has the bytes of an element of the call.
  size_t byte_of(const Traveller &one, int64_t element) const { return static_cast<size_t>(element / one.elements_each) * one.each; }

  // Everything that a stretch takes, in a slot that has nothing on its way.
  cudaError_t start(int s, int64_t first, int64_t last) {
    Slot &slot = call_.cuda.slots[s];
    cudaError_t error = slot.device.reserve(room_ * count_);
    if (error == cudaSuccess) error = slot.host.reserve(room_ * count_);
    const Stretch stretch = {first * tile_, last * tile_ < elements() ? last * tile_ : elements()};
    for (size_t t = 0; t < count_ && error == cudaSuccess; t++) {
      // As if the whole array lay there, so that the kernels' indices are those of the call
      *travellers_[t].address = reinterpret_cast<uintptr_t>(slot.device.data() + t * room_) - byte_of(travellers_[t], stretch.begin);
      if (travellers_[t].in) error = copy(slot, t, stretch);
    }
    if (error == cudaSuccess) error = call_.launch_tiles(work_, first, last, slot.stream);
    for (size_t t = 0; t < count_ && error == cudaSuccess; t++)
      if (!travellers_[t].in) error = copy(slot, t, stretch);
    on_their_way_[s] = stretch;
    return error;
  }

  // One array's part of a stretch, to the device or back.
  cudaError_t copy(const Slot &slot, size_t t, Stretch stretch) const {
    const Traveller &one = travellers_[t];
    const size_t from = byte_of(one, stretch.begin), bytes = byte_of(one, stretch.end) - from;
    char *const on_device = slot.device.data() + t * room_, *const here = one.pinned ? one.array + from : slot.host.data() + t * room_;
    if (!one.in) return cudaMemcpyAsync(here, on_device, bytes, cudaMemcpyDeviceToHost, slot.stream);
    if (!one.pinned) memcpy(here, one.array + from, bytes);
    return cudaMemcpyAsync(on_device, here, bytes, cudaMemcpyHostToDevice, slot.stream);
  }

  // Takes out of a slot what the device has put there.
  cudaError_t land(int s) {
    const Slot &slot = call_.cuda.slots[s];
    const cudaError_t error = cudaStreamSynchronize(slot.stream);
    const auto [begin, end] = on_their_way_[s];
    for (size_t t = 0; t < count_ && error == cudaSuccess; t++) {
      const Traveller &one = travellers_[t];
      const size_t from = byte_of(one, begin), to = byte_of(one, end);
      if (!one.in && !one.pinned && to > from) memcpy(one.array + from, slot.host.data() + t * room_, to - from);
    }
    on_their_way_[s] = {};
    return error;
  }
};

}  // namespace

cudaError_t run_stretches(const Call &call) { return Stretches(call).run(); }

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
