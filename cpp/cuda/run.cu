// One call: a census of the targets, then all tiles, then the sums. Arrays of the host travel through the device stretch by
// stretch, copies of one beside the computing of another.
#include "kernels.h"
#include "transfer.h"

namespace focal {
namespace FOCAL_NAMESPACE {

namespace {

constexpr int64_t stretch_elements = int64_t(1) << 21, launch_elements = int64_t(1) << 28;

size_t padded(size_t bytes) { return (bytes + 255) / 256 * 256; }

// Cuts one allocation into arrays.
class Cutter {
 public:
  explicit Cutter(char *memory) : memory_(memory) {}
  template <class T> T *cut(size_t count) {
    char *const array = memory_ + bytes_;
    bytes_ += padded(count * sizeof(T));
    return reinterpret_cast<T *>(array);
  }
  size_t bytes() const { return bytes_; }

 private:
  char *const memory_;
  size_t bytes_ = 0;
};

// An array as if it began `elements` before `memory`.
template <class T> T *beginning_before(void *memory, int64_t elements, size_t bytes_each) {
  return reinterpret_cast<T *>(reinterpret_cast<uintptr_t>(memory) - static_cast<uintptr_t>(elements) * bytes_each);
}

class Call {
 public:
  Call(FocalCuda &cuda, const FocalProblem &problem, uint32_t on_device)
      : cuda_(cuda), given_(problem), bits_(on_device), element_wise_(problem.loss != FOCAL_SOFTMAX) {
    work_ = {};
    work_.plan = plan_of(problem);
    work_.rows_per_tile = rows_per_tile(work_.plan.classes);
    const int64_t each = element_wise_ ? tile_elements : work_.rows_per_tile;
    work_.tiles = ((element_wise_ ? plan().elements : plan().rows) + each - 1) / each;
  }

  int32_t run(FocalResult *result) {
    cudaError_t error = cudaSetDevice(cuda_.device);
    if (error == cudaSuccess) error = prepare();
    if (error != cudaSuccess) return failed(error, "take the call's arrays");
    error = launch_census(work_, cuda_.multiprocessors, cuda_.stream);
    if (error != cudaSuccess) return failed(error, "look at the targets");
    if (is_cancelled()) return cancelled();
    // What is the host's is not overwritten before the targets are known to be good; on the device the kernels see to that
    if (!stays()) {
      const int32_t status = settle(result);
      if (status != FOCAL_OK) return status;
    }
    error = travels() ? run_stretches() : run_here();
    if (error != cudaSuccess) return failed(error, "compute the loss");
    if (is_cancelled()) return cancelled();
    const int32_t status = settle(result);
    if (status != FOCAL_OK) return status;
    error = bring_back();
    return error == cudaSuccess ? FOCAL_OK : failed(error, "copy the results");
  }

 private:
  FocalCuda &cuda_;
  const FocalProblem &given_;
  const uint32_t bits_;
  const bool element_wise_;
  Work work_;

  const Plan &plan() const { return work_.plan; }
  bool lies(uint32_t bit) const { return (bits_ & bit) != 0; }
  // What has been asked of the device comes to its end: after it nothing is written any more.
  int32_t cancelled() {
    const cudaError_t error = cudaStreamSynchronize(cuda_.stream);
    return error == cudaSuccess ? FOCAL_CANCELLED : failed(error, "compute the loss");
  }
  bool is_cancelled() const { return given_.cancelled && __atomic_load_n(given_.cancelled, __ATOMIC_RELAXED) != 0; }

  // Are logits and outputs all the device's?
  bool stays() const {
    return lies(FOCAL_CUDA_LOGITS) && (!given_.values || lies(FOCAL_CUDA_VALUES)) && (!given_.grad || lies(FOCAL_CUDA_GRAD)) &&
           (!given_.hess || lies(FOCAL_CUDA_HESS));
  }
  // Rows whose classes are apart come whole, and so do probabilities, which the census looks at.
  bool travels() const { return !stays() && given_.inputs == FOCAL_LOGITS && (element_wise_ || plan().inner == 1); }

  size_t value_count() const { return static_cast<size_t>(element_wise_ ? plan().elements : plan().rows); }

  // Memory for sums and counts, and copies of what the host has.
  cudaError_t prepare() {
    const FocalProblem &p = given_;
    const Plan &made = plan();
    const size_t n = static_cast<size_t>(made.elements), rows = static_cast<size_t>(made.rows), classes = static_cast<size_t>(made.classes);
    const size_t blocks = static_cast<size_t>((work_.tiles + tiles_per_block - 1) / tiles_per_block);
    const auto cut_scratch = [&](char *memory) {
      Cutter cutter(memory);
      work_.state = cutter.cut<State>(1);
      work_.tickets = cutter.cut<unsigned>(blocks);
      work_.tile_sums = cutter.cut<double>(static_cast<size_t>(work_.tiles));
      work_.block_sums = cutter.cut<double>(blocks);
      return cutter.bytes();
    };
    cudaError_t error = cuda_.scratch.reserve(cut_scratch(nullptr));
    if (error != cudaSuccess) return error;
    cut_scratch(cuda_.scratch.data());

    struct Copied { const void *from; size_t bytes; uint64_t *slot; bool comes; };
    FocalProblem &there = work_.plan.problem;
    const auto per = [&](int32_t what) { return what == FOCAL_PER_ROW ? rows : n; };
    const bool whole = !stays() && !travels();
    const size_t each = bytes_of(p.dtype);
    const auto of = [&](const void *array, uint32_t bit, size_t bytes, uint64_t &slot, bool comes) {
      return Copied{array && !lies(bit) ? array : nullptr, bytes, &slot, comes};
    };
    Copied copied[] = {
        of(p.targets, FOCAL_CUDA_TARGETS, (p.targets_kind == FOCAL_CLASS_INDEX ? rows : n) * bytes_of(p.targets_dtype), there.targets_slot, true),
        of(p.weights_per ? p.weights : nullptr, FOCAL_CUDA_WEIGHTS, per(p.weights_per) * bytes_of(p.weights_dtype), there.weights_slot, true),
        of(p.mask_per ? p.mask : nullptr, FOCAL_CUDA_MASK, per(p.mask_per) * bytes_of(p.mask_dtype), there.mask_slot, true),
        of(p.class_positive, 0, classes * sizeof(double), there.class_positive_slot, true),
        of(element_wise_ ? p.class_negative : nullptr, 0, classes * sizeof(double), there.class_negative_slot, true),
        of(whole ? p.logits : nullptr, FOCAL_CUDA_LOGITS, n * each, there.logits_slot, true),
        of(whole ? p.values : nullptr, FOCAL_CUDA_VALUES, value_count() * each, there.values_slot, false),
        of(whole ? p.grad : nullptr, FOCAL_CUDA_GRAD, n * each, there.grad_slot, false),
        of(whole ? p.hess : nullptr, FOCAL_CUDA_HESS, n * each, there.hess_slot, false),
    };
    size_t bytes = 0;
    for (const Copied &one : copied) bytes += one.from ? padded(one.bytes) : 0;
    error = cuda_.inputs.reserve(bytes);
    char *to = cuda_.inputs.data();
    for (const Copied &one : copied) {
      if (!one.from || error != cudaSuccess) continue;
      *one.slot = reinterpret_cast<uintptr_t>(to);
      if (one.comes) error = upload(cuda_, to, one.from, one.bytes);
      to += padded(one.bytes);
    }
    static_assert(offsetof(State, bad_probability) == offsetof(State, bad_target) + 8, "cleared together");
    if (error == cudaSuccess) error = cudaMemsetAsync(work_.state, 0, sizeof(State), cuda_.stream);
    if (error == cudaSuccess) error = cudaMemsetAsync(&work_.state->bad_target, 0xFF, 16, cuda_.stream);
    if (error == cudaSuccess) error = cudaMemsetAsync(work_.tickets, 0, blocks * sizeof(unsigned), cuda_.stream);
    work_.aligned = are_aligned(there, !travels());
    return error;
  }

  // `all`: those that do not travel too, which are aligned in their slots.
  bool are_aligned(const FocalProblem &there, bool all) const {
    const auto is = [](const void *array, int32_t dtype) {
      return !array || reinterpret_cast<uintptr_t>(array) % (dtype == FOCAL_FLOAT64 ? 8 : 16) == 0;
    };
    const auto of = [&](const void *array, uint32_t bit) { return (!all && !lies(bit)) || is(array, there.dtype); };
    return of(there.logits, FOCAL_CUDA_LOGITS) && of(there.values, FOCAL_CUDA_VALUES) && of(there.grad, FOCAL_CUDA_GRAD) &&
           of(there.hess, FOCAL_CUDA_HESS) && (there.targets_kind == FOCAL_CLASS_INDEX || is(there.targets, there.targets_dtype));
  }

  cudaError_t launch_tiles(Work &work, int64_t first, int64_t last, cudaStream_t stream) const {
    work.first_tile = first;
    work.last_tile = last;
    return element_wise_ ? launch_element_wise(work, cuda_.multiprocessors, stream) : launch_softmax(work, cuda_.multiprocessors, stream);
  }

  // Whole blocks of the sum of about so many elements.
  int64_t tiles_of(int64_t elements) const {
    const int64_t of_block = tiles_per_block * (element_wise_ ? tile_elements : work_.rows_per_tile * plan().classes);
    return tiles_per_block * (elements > of_block ? elements / of_block : 1);
  }

  // Everything is on the device: as one launch, or as a few between which a call may be cancelled.
  cudaError_t run_here() {
    const int64_t step = tiles_of(launch_elements);
    cudaError_t error = cudaSuccess;
    for (int64_t first = 0; first < work_.tiles && error == cudaSuccess && !is_cancelled(); first += step) {
      error = launch_tiles(work_, first, first + step < work_.tiles ? first + step : work_.tiles, cuda_.stream);
      if (error == cudaSuccess && work_.tiles > step && given_.cancelled) error = cudaStreamSynchronize(cuda_.stream);
    }
    return error;
  }

  cudaError_t run_stretches();

  // Waits for what has been asked of the device so far, and reads its counts.
  int32_t settle(FocalResult *result) {
    State state;
    cudaError_t error = cudaMemcpyAsync(&state, work_.state, sizeof state, cudaMemcpyDeviceToHost, cuda_.stream);
    if (error == cudaSuccess) error = cudaStreamSynchronize(cuda_.stream);
    if (error != cudaSuccess) return failed(error, "compute the loss");
    *result = FocalResult{};
    const FocalProblem &there = plan().problem;
    if (state.bad_target != nowhere)
      return refused(result, state.bad_target, there.targets, there.targets_dtype,
                     there.targets_kind == FOCAL_CLASS_INDEX ? FOCAL_BAD_CLASS : FOCAL_BAD_TARGET);
    if (state.bad_probability != nowhere) return refused(result, state.bad_probability, there.logits, there.dtype, FOCAL_BAD_PROBABILITY);
    result->elements = static_cast<double>(state.elements);
    result->rows = static_cast<double>(state.rows);
    result->positives = static_cast<double>(state.positives);
    result->denominator = denominator_of(given_, result->elements, result->rows, result->positives);
    result->sum = state.sum;
    return FOCAL_OK;
  }

  int32_t refused(FocalResult *result, unsigned long long index, const void *array, int32_t dtype, int32_t status) {
    double number = 0;
    const size_t each = bytes_of(dtype);
    const cudaError_t error = download(cuda_, &number, static_cast<const char *>(array) + index * each, each);
    if (error != cudaSuccess) return failed(error, "read a target");
    result->error_index = static_cast<double>(index);
    result->error_value = number_at<double>(&number, dtype, 0);
    return status;
  }

  // Outputs that were computed whole.
  cudaError_t bring_back() {
    if (stays() || travels()) return cudaSuccess;
    const FocalProblem &there = plan().problem;
    const size_t n = static_cast<size_t>(plan().elements), each = bytes_of(given_.dtype);
    cudaError_t error = cudaSuccess;
    if (given_.values && !lies(FOCAL_CUDA_VALUES)) error = download(cuda_, given_.values, there.values, value_count() * each);
    if (given_.grad && !lies(FOCAL_CUDA_GRAD) && error == cudaSuccess) error = download(cuda_, given_.grad, there.grad, n * each);
    if (given_.hess && !lies(FOCAL_CUDA_HESS) && error == cudaSuccess) error = download(cuda_, given_.hess, there.hess, n * each);
    return error;
  }
};

// One of the arrays that travel: a number an element, or of a softmax's values one a row.
struct Traveller {
  char *array;
  uint64_t *slot;  // where the kernels find its address
  bool in, pinned;
  int64_t elements_each;  // of the call to one of its own
};

cudaError_t Call::run_stretches() {
  const size_t each = bytes_of(given_.dtype);
  const int64_t step = tiles_of(stretch_elements), tile = element_wise_ ? tile_elements : work_.rows_per_tile * plan().classes;
  Work work = work_;
  FocalProblem &there = work.plan.problem;
  Traveller travellers[4];
  int count = 0;
  const auto add = [&](const void *array, uint32_t bit, uint64_t &slot, bool in, int64_t elements_each) {
    if (array && !lies(bit)) travellers[count++] = {static_cast<char *>(const_cast<void *>(array)), &slot, in, is_pinned(array), elements_each};
  };
  add(given_.logits, FOCAL_CUDA_LOGITS, there.logits_slot, true, 1);
  add(given_.grad, FOCAL_CUDA_GRAD, there.grad_slot, false, 1);
  add(given_.hess, FOCAL_CUDA_HESS, there.hess_slot, false, 1);
  add(given_.values, FOCAL_CUDA_VALUES, there.values_slot, false, element_wise_ ? 1 : plan().classes);

  const int64_t most = step * tile < plan().elements ? step * tile : plan().elements;
  const size_t room = padded(static_cast<size_t>(most) * each);
  struct { int64_t begin, end; } landing[FocalCuda::slot_count] = {};
  // Takes out of a slot what the device has put there.
  const auto land = [&](int s) {
    const cudaError_t error = cudaStreamSynchronize(cuda_.slots[s].stream);
    auto &[begin, end] = landing[s];
    for (int t = 0; t < count && error == cudaSuccess; t++) {
      const Traveller &one = travellers[t];
      const size_t from = static_cast<size_t>(begin / one.elements_each) * each, to = static_cast<size_t>(end / one.elements_each) * each;
      if (!one.in && !one.pinned && to > from) memcpy(one.array + from, cuda_.slots[s].host.data() + static_cast<size_t>(t) * room, to - from);
    }
    begin = end = 0;
    return error;
  };

  cudaError_t error = cudaSuccess;
  int turn = 0;
  for (int64_t first = 0; first < work.tiles && error == cudaSuccess && !is_cancelled(); first += step, turn++) {
    const int s = turn % FocalCuda::slot_count;
    Slot &slot = cuda_.slots[s];
    error = land(s);
    if (error == cudaSuccess) error = slot.device.reserve(room * static_cast<size_t>(count));
    if (error == cudaSuccess) error = slot.host.reserve(room * static_cast<size_t>(count));
    if (error != cudaSuccess) break;
    const int64_t last = first + step < work.tiles ? first + step : work.tiles;
    const int64_t begin = first * tile, end = last * tile < plan().elements ? last * tile : plan().elements;
    const auto copy = [&](int t, bool in) {
      const Traveller &one = travellers[t];
      char *const on_device = slot.device.data() + static_cast<size_t>(t) * room, *const pinned = slot.host.data() + static_cast<size_t>(t) * room;
      const size_t at = static_cast<size_t>(begin / one.elements_each) * each, bytes = static_cast<size_t>(end / one.elements_each) * each - at;
      char *const here = one.pinned ? one.array + at : pinned;
      if (!in) return cudaMemcpyAsync(here, on_device, bytes, cudaMemcpyDeviceToHost, slot.stream);
      if (!one.pinned) memcpy(pinned, one.array + at, bytes);
      return cudaMemcpyAsync(on_device, here, bytes, cudaMemcpyHostToDevice, slot.stream);
    };
    for (int t = 0; t < count && error == cudaSuccess; t++) {
      *travellers[t].slot = reinterpret_cast<uintptr_t>(
          beginning_before<void>(slot.device.data() + static_cast<size_t>(t) * room, begin / travellers[t].elements_each, each));
      if (travellers[t].in) error = copy(t, true);
    }
    if (error == cudaSuccess) error = launch_tiles(work, first, last, slot.stream);
    for (int t = 0; t < count && error == cudaSuccess; t++)
      if (!travellers[t].in) error = copy(t, false);
    landing[s] = {begin, end};
  }
  for (int s = 0; s < FocalCuda::slot_count; s++) {
    const cudaError_t end = error == cudaSuccess ? land(s) : cudaStreamSynchronize(cuda_.slots[s].stream);
    if (error == cudaSuccess) error = end;
  }
  return error;
}

// The bit of an array that lies on another device; 0 where none does.
uint32_t elsewhere(const FocalCuda &cuda, const FocalProblem &p, uint32_t on_device) {
  const void *const arrays[] = {p.logits, p.targets, p.weights, p.mask, p.values, p.grad, p.hess};
  for (uint32_t k = 0, bit = 1; k < 7; k++, bit *= 2) {
    int32_t device = cuda.device;
    if (arrays[k] && (on_device & bit)) focal_cuda_owner(arrays[k], &device);
    if (device != cuda.device) return bit;
  }
  return 0;
}

}  // namespace

}  // namespace FOCAL_NAMESPACE
}  // namespace focal

int32_t focal_cuda_run(FocalCuda *cuda, const FocalProblem *problem, uint32_t on_device, FocalResult *result) {
  using namespace focal;
  if (!is_valid(*problem)) return FOCAL_BAD_PROBLEM;
  if (problem->outer * problem->classes * problem->inner == 0) return result_of_nothing(*problem, result);
  if (const uint32_t bit = device::elsewhere(*cuda, *problem, on_device)) {
    *result = FocalResult{};
    result->error_index = bit;
    return FOCAL_CUDA_WRONG_DEVICE;
  }
  return device::Call(*cuda, *problem, on_device).run(result);
}

double focal_cuda_block_rows(int32_t loss, double classes) {
  if (loss == FOCAL_SOFTMAX) return static_cast<double>(focal::device::tiles_per_block * focal::device::rows_per_tile(static_cast<int64_t>(classes)));
  const auto common = [](double a, double b) {
    while (b != 0) {
      const double rest = fmod(a, b);
      a = b;
      b = rest;
    }
    return a;
  };
  return FOCAL_CUDA_BLOCK_ELEMENTS / common(FOCAL_CUDA_BLOCK_ELEMENTS, classes);
}
