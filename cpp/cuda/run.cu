// One call: a scan of the targets, then all tiles, then the sums.
#include "cuda/call.h"
#include "cuda/transfer/stretches.h"
#include "cuda/transfer/transfer.h"

namespace focal {
namespace FOCAL_NAMESPACE {

namespace {

constexpr int64_t launch_elements = int64_t(1) << 28;

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

// Those that travel are aligned in their slots.
bool are_aligned(const Call &call) {
  const FocalProblem &there = call.plan().problem;
  const bool all = !call.travels();
  const auto is = [](const void *array, int32_t dtype) {
    return !array || reinterpret_cast<uintptr_t>(array) % (dtype == FOCAL_FLOAT64 ? 8 : 16) == 0;
  };
  const auto of = [&](const void *array, uint32_t bit, int32_t dtype) { return (!all && !call.lies(bit)) || is(array, dtype); };
  return of(there.logits, FOCAL_CUDA_LOGITS, there.dtype) && of(there.values, FOCAL_CUDA_VALUES, there.dtype) &&
         of(there.grad, FOCAL_CUDA_GRAD, there.grad_dtype) && of(there.hess, FOCAL_CUDA_HESS, there.hess_dtype) &&
         (there.targets_kind == FOCAL_CLASS_INDEX || is(there.targets, there.targets_dtype));
}

// Memory for sums and counts, and copies of what the host has.
cudaError_t prepare(Call &call) {
  FocalCuda &cuda = call.cuda;
  Work &work = call.work;
  const FocalProblem &p = call.given;
  const Plan &made = call.plan();
  const size_t n = static_cast<size_t>(made.elements), rows = static_cast<size_t>(made.rows), classes = static_cast<size_t>(made.classes);
  const size_t blocks = static_cast<size_t>((work.tiles + tiles_per_block - 1) / tiles_per_block);
  const auto cut_scratch = [&](char *memory) {
    Cutter cutter(memory);
    work.state = cutter.cut<State>(1);
    work.tickets = cutter.cut<unsigned>(blocks);
    work.tile_sums = cutter.cut<double>(static_cast<size_t>(work.tiles));
    work.block_sums = cutter.cut<double>(blocks);
    return cutter.bytes();
  };
  cudaError_t error = cuda.scratch.reserve(cut_scratch(nullptr));
  if (error != cudaSuccess) return error;
  cut_scratch(cuda.scratch.data());

  struct Copied { const void *from; size_t bytes; uint64_t *slot; bool comes; };
  FocalProblem &there = work.plan.problem;
  const auto per = [&](int32_t what) { return what == FOCAL_PER_ROW ? rows : n; };
  const bool whole = !call.stays() && !call.travels();
  const size_t each = bytes_of(p.dtype);
  const auto of = [&](const void *array, uint32_t bit, size_t bytes, uint64_t &slot, bool comes) {
    return Copied{array && !call.lies(bit) ? array : nullptr, bytes, &slot, comes};
  };
  Copied copied[] = {
      of(p.targets, FOCAL_CUDA_TARGETS, (p.targets_kind == FOCAL_CLASS_INDEX ? rows : n) * bytes_of(p.targets_dtype), there.targets_slot, true),
      of(p.weights_per ? p.weights : nullptr, FOCAL_CUDA_WEIGHTS, per(p.weights_per) * bytes_of(p.weights_dtype), there.weights_slot, true),
      of(p.mask_per ? p.mask : nullptr, FOCAL_CUDA_MASK, per(p.mask_per) * bytes_of(p.mask_dtype), there.mask_slot, true),
      of(p.class_positive, 0, ((p.flags & FOCAL_CLASS_GAMMAS) ? 2 : 1) * classes * sizeof(double), there.class_positive_slot, true),
      of(call.element_wise ? p.class_negative : nullptr, 0, classes * sizeof(double), there.class_negative_slot, true),
      of(whole ? p.logits : nullptr, FOCAL_CUDA_LOGITS, n * each, there.logits_slot, true),
      of(whole ? p.values : nullptr, FOCAL_CUDA_VALUES, call.value_count() * each, there.values_slot, false),
      of(whole ? p.grad : nullptr, FOCAL_CUDA_GRAD, n * bytes_of(p.grad_dtype), there.grad_slot, false),
      of(whole ? p.hess : nullptr, FOCAL_CUDA_HESS, n * bytes_of(p.hess_dtype), there.hess_slot, false),
  };
  size_t bytes = 0;
  for (const Copied &one : copied) bytes += one.from ? padded(one.bytes) : 0;
  error = cuda.inputs.reserve(bytes);
  char *to = cuda.inputs.data();
  for (const Copied &one : copied) {
    if (!one.from || error != cudaSuccess) continue;
    *one.slot = reinterpret_cast<uintptr_t>(to);
    if (one.comes) error = upload(cuda, to, one.from, one.bytes);
    to += padded(one.bytes);
  }
  static_assert(offsetof(State, bad_row) == offsetof(State, bad_target) + 16, "cleared together");
  if (error == cudaSuccess) error = cudaMemsetAsync(work.state, 0, sizeof(State), cuda.stream);
  if (error == cudaSuccess) error = cudaMemsetAsync(&work.state->bad_target, 0xFF, 24, cuda.stream);
  if (error == cudaSuccess) error = cudaMemsetAsync(work.tickets, 0, blocks * sizeof(unsigned), cuda.stream);
  work.aligned = are_aligned(call);
  return error;
}

// Everything is on the device: as one launch, or as a few between which a call may be cancelled.
cudaError_t run_here(Call &call) {
  const int64_t step = call.tiles_of(launch_elements);
  cudaError_t error = cudaSuccess;
  for (int64_t first = 0; first < call.work.tiles && error == cudaSuccess && !call.is_cancelled(); first += step) {
    error = call.launch_tiles(call.work, first, first + step < call.work.tiles ? first + step : call.work.tiles, call.cuda.stream);
    if (error == cudaSuccess && call.work.tiles > step && call.given.cancelled) error = cudaStreamSynchronize(call.cuda.stream);
  }
  return error;
}

int32_t refused(const Call &call, FocalResult *result, unsigned long long index, const void *array, int32_t dtype, int32_t status) {
  double number = 0;
  const size_t each = bytes_of(dtype);
  const cudaError_t error = download(call.cuda, &number, static_cast<const char *>(array) + index * each, each);
  if (error != cudaSuccess) return failed(error, "read a target");
  result->error_index = static_cast<double>(index);
  result->error_value = number_at<double>(&number, dtype, 0);
  return status;
}

// Adds the probabilities of a row up, whose index the result has already.
int32_t refused_row(const Call &call, FocalResult *result) {
  const Plan &plan = call.plan();
  const int64_t row = static_cast<int64_t>(result->error_index), outer = row / plan.inner;
  double sum = 0;
  for (int64_t c = 0; c < plan.classes; c++) {
    const int64_t k = (outer * plan.classes + c) * plan.inner + row % plan.inner;
    const FocalProblem &p = plan.problem;
    if (p.mask_per == FOCAL_PER_ELEMENT) {
      const int32_t status = refused(call, result, static_cast<unsigned long long>(k), p.mask, p.mask_dtype, FOCAL_BAD_ROW);
      if (status != FOCAL_BAD_ROW) return status;
      if (result->error_value == 0) continue;
    }
    const int32_t status = refused(call, result, static_cast<unsigned long long>(k), p.logits, p.dtype, FOCAL_BAD_ROW);
    if (status != FOCAL_BAD_ROW) return status;
    sum += result->error_value;
  }
  result->error_index = static_cast<double>(row);
  result->error_value = sum;
  return FOCAL_BAD_ROW;
}

// Waits for what has been asked of the device so far, and reads its counts.
int32_t read_result(const Call &call, FocalResult *result) {
  State state;
  cudaError_t error = cudaMemcpyAsync(&state, call.work.state, sizeof state, cudaMemcpyDeviceToHost, call.cuda.stream);
  if (error == cudaSuccess) error = cudaStreamSynchronize(call.cuda.stream);
  if (error != cudaSuccess) return failed(error, "compute the loss");
  *result = FocalResult{};
  const FocalProblem &there = call.plan().problem;
  if (state.bad_target != nowhere)
    return refused(call, result, state.bad_target, there.targets, there.targets_dtype,
                   there.targets_kind == FOCAL_CLASS_INDEX ? FOCAL_BAD_CLASS : FOCAL_BAD_TARGET);
  if (state.bad_probability != nowhere) return refused(call, result, state.bad_probability, there.logits, there.dtype, FOCAL_BAD_PROBABILITY);
  if (state.bad_row != nowhere) {
    result->error_index = static_cast<double>(state.bad_row);
    return refused_row(call, result);
  }
  result->elements = static_cast<double>(state.elements);
  result->rows = static_cast<double>(state.rows);
  result->positives = static_cast<double>(state.positives);
  result->denominator = denominator_of(call.given, result->elements, result->rows, result->positives);
  result->sum = state.sum;
  return FOCAL_OK;
}

// Outputs that were computed whole.
cudaError_t bring_back(const Call &call) {
  if (call.stays() || call.travels()) return cudaSuccess;
  const FocalProblem &there = call.plan().problem;
  const size_t n = static_cast<size_t>(call.plan().elements), each = bytes_of(call.given.dtype);
  cudaError_t error = cudaSuccess;
  if (call.given.values && !call.lies(FOCAL_CUDA_VALUES)) error = download(call.cuda, call.given.values, there.values, call.value_count() * each);
  if (call.given.grad && !call.lies(FOCAL_CUDA_GRAD) && error == cudaSuccess) error = download(call.cuda, call.given.grad, there.grad, n * bytes_of(there.grad_dtype));
  if (call.given.hess && !call.lies(FOCAL_CUDA_HESS) && error == cudaSuccess) error = download(call.cuda, call.given.hess, there.hess, n * bytes_of(there.hess_dtype));
  return error;
}

// What has been asked of the device comes to its end: after it nothing is written any more.
int32_t cancelled(const Call &call) {
  const cudaError_t error = cudaStreamSynchronize(call.cuda.stream);
  return error == cudaSuccess ? FOCAL_CANCELLED : failed(error, "compute the loss");
}

int32_t run(Call &call, FocalResult *result) {
  cudaError_t error = cudaSetDevice(call.cuda.device);
  if (error == cudaSuccess) error = prepare(call);
  if (error != cudaSuccess) return failed(error, "take the call's arrays");
  error = launch_target_scan(call.work, call.cuda.multiprocessors, call.cuda.stream);
  if (error != cudaSuccess) return failed(error, "look at the targets");
  if (call.is_cancelled()) return cancelled(call);
  // What is the host's is not overwritten before the targets are known to be good; on the device the kernels see to that
  if (!call.stays()) {
    const int32_t status = read_result(call, result);
    if (status != FOCAL_OK) return status;
  }
  error = call.travels() ? run_stretches(call) : run_here(call);
  if (error != cudaSuccess) return failed(error, "compute the loss");
  if (call.is_cancelled()) return cancelled(call);
  const int32_t status = read_result(call, result);
  if (status != FOCAL_OK) return status;
  error = bring_back(call);
  return error == cudaSuccess ? FOCAL_OK : failed(error, "copy the results");
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
  device::Call call(*cuda, *problem, on_device);
  return device::run(call, result);
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
