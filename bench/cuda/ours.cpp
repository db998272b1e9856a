// Times this package's kernels on a GPU, loss and gradient of arrays that lie there, beside a copy of as many bytes within its memory.
//
//   focal_cuda_bench [LOGITS...]     default: 16777216 268435456
//
// Writes one line of JSON a case: milliseconds of a call and of the copy (medians of calls that are waited for, one after the
// other), the sum of the losses, and how far that is from the CPU's for the first rows. compare.py reads them. The data is made from
// element numbers alone, so that others compute the same without a file.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "cuda/cuda.h"

namespace {

struct Case {
  const char *name;
  int32_t loss, targets_kind, dtype;
  int64_t classes;
};
constexpr Case cases[] = {
    {"sigmoid-index-float32", FOCAL_SIGMOID, FOCAL_CLASS_INDEX, FOCAL_FLOAT32, 80},
    {"sigmoid-dense-float32", FOCAL_SIGMOID, FOCAL_DENSE, FOCAL_FLOAT32, 80},
    {"sigmoid-index-bfloat16", FOCAL_SIGMOID, FOCAL_CLASS_INDEX, FOCAL_BFLOAT16, 80},
    {"sigmoid-dense-bfloat16", FOCAL_SIGMOID, FOCAL_DENSE, FOCAL_BFLOAT16, 80},
    {"softmax-80-float32", FOCAL_SOFTMAX, FOCAL_CLASS_INDEX, FOCAL_FLOAT32, 80},
    {"softmax-32768-float32", FOCAL_SOFTMAX, FOCAL_CLASS_INDEX, FOCAL_FLOAT32, 32768},
    {"softmax-80-bfloat16", FOCAL_SOFTMAX, FOCAL_CLASS_INDEX, FOCAL_BFLOAT16, 80},
    {"softmax-32768-bfloat16", FOCAL_SOFTMAX, FOCAL_CLASS_INDEX, FOCAL_BFLOAT16, 32768},
};

[[noreturn]] void fail(const char *what) {
  std::fprintf(stderr, "focal_cuda_bench: %s: %s\n", what, focal_cuda_error());
  std::exit(1);
}
void check(int32_t status, const char *what) {
  if (status != FOCAL_OK) fail(what);
}

// From -7 to 5, of the element's number; as a bfloat16 without its lower half.
float logit(int64_t k, int32_t dtype) {
  const auto hash = static_cast<uint32_t>(static_cast<uint64_t>(k) * 2654435761u);
  float x = static_cast<float>(static_cast<double>(hash) / 4294967296.0 * 12 - 7);
  if (dtype != FOCAL_BFLOAT16) return x;
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  bits &= 0xFFFF0000u;
  std::memcpy(&x, &bits, 4);
  return x;
}

// Every row of a softmax has a class, and one in fifty of a sigmoid.
int32_t target(int64_t row, const Case &c) {
  return c.loss == FOCAL_SOFTMAX || row % 50 == 0 ? static_cast<int32_t>(row * 7 % c.classes) : -1;
}

// Arrays of the host, of the first `rows`.
struct Data {
  std::vector<char> logits, targets;

  Data(const Case &c, int64_t rows) {
    const int64_t n = rows * c.classes;
    const size_t each = c.dtype == FOCAL_BFLOAT16 ? 2 : 4;
    logits.resize(static_cast<size_t>(n) * each);
    for (int64_t k = 0; k < n; k++) put(logits, k, logit(k, c.dtype), each);
    if (c.targets_kind == FOCAL_CLASS_INDEX) {
      targets.resize(static_cast<size_t>(rows) * 4);
      for (int64_t r = 0; r < rows; r++) {
        const int32_t index = target(r, c);
        std::memcpy(targets.data() + 4 * r, &index, 4);
      }
    } else {
      targets.assign(static_cast<size_t>(n) * each, 0);
      for (int64_t r = 0; r < rows; r++)
        if (target(r, c) >= 0) put(targets, r * c.classes + target(r, c), 1, each);
    }
  }

 private:
  static void put(std::vector<char> &to, int64_t at, float x, size_t each) {
    const char *const bytes = reinterpret_cast<const char *>(&x);
    std::memcpy(to.data() + static_cast<size_t>(at) * each, bytes + (4 - each), each);
  }
};

FocalProblem problem_of(const Case &c, int64_t rows) {
  FocalProblem p{};
  p.abi = FOCAL_ABI;
  p.loss = c.loss;
  p.dtype = p.grad_dtype = p.hess_dtype = c.dtype;
  p.targets_kind = c.targets_kind;
  p.targets_dtype = c.targets_kind == FOCAL_CLASS_INDEX ? FOCAL_INT32 : c.dtype;
  p.outer = static_cast<double>(rows);
  p.classes = static_cast<double>(c.classes);
  p.inner = 1;
  p.gamma = 2;
  p.background = c.loss == FOCAL_SOFTMAX ? NAN : -1;
  p.ignore_index = p.normalizer = NAN;
  p.grad_scale = 1;
  p.positive_from = 0.5;
  p.least_hess = -INFINITY;
  p.positive_weight = c.loss == FOCAL_SOFTMAX ? 1 : 0.25;
  p.negative_weight = 0.75;
  return p;
}

void *upload(FocalCuda *cuda, const std::vector<char> &bytes) {
  void *memory = nullptr;
  check(focal_cuda_allocate(cuda, static_cast<double>(bytes.size()), &memory), "no memory");
  check(focal_cuda_copy(cuda, memory, bytes.data(), static_cast<double>(bytes.size()), FOCAL_CUDA_TO_DEVICE), "no copy");
  return memory;
}

template <class F> double median_milliseconds(F f) {
  constexpr int warm = 3, calls = 21;
  std::vector<double> times;
  for (int i = 0; i < warm + calls; i++) {
    const auto begin = std::chrono::steady_clock::now();
    f();
    const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - begin;
    if (i >= warm) times.push_back(time.count());
  }
  std::nth_element(times.begin(), times.begin() + calls / 2, times.end());
  return times[calls / 2];
}

void run(FocalCuda *cuda, const Case &c, int64_t logits) {
  const int64_t rows = std::max<int64_t>(1, logits / c.classes), n = rows * c.classes;
  const Data data(c, rows);
  void *const x = upload(cuda, data.logits), *const y = upload(cuda, data.targets);
  void *grad = nullptr;
  check(focal_cuda_allocate(cuda, static_cast<double>(data.logits.size()), &grad), "no memory");

  // First right, then fast: a part of the rows, as the CPU has them
  const int64_t some = std::min<int64_t>(rows, std::max<int64_t>(1, 1000000 / c.classes));
  FocalProblem there = problem_of(c, some), here = there;
  there.logits = x;
  there.targets = y;
  there.grad = grad;
  std::vector<char> want(static_cast<size_t>(some * c.classes) * (c.dtype == FOCAL_BFLOAT16 ? 2 : 4));
  here.logits = data.logits.data();
  here.targets = data.targets.data();
  here.grad = want.data();
  FocalResult ours, cpu;
  constexpr uint32_t all = FOCAL_CUDA_LOGITS | FOCAL_CUDA_TARGETS | FOCAL_CUDA_GRAD;
  check(focal_cuda_run(cuda, &there, all, &ours), "no result");
  check(focal_run(&here, &cpu), "no result of the CPU");
  const double off = std::fabs(ours.sum - cpu.sum) / cpu.sum;
  if (!(off < 1e-5)) {
    std::fprintf(stderr, "focal_cuda_bench: %s: the sum is %.9g; expected %.9g\n", c.name, ours.sum, cpu.sum);
    std::exit(1);
  }

  there.outer = static_cast<double>(rows);
  const double milliseconds = median_milliseconds([&] { check(focal_cuda_run(cuda, &there, all, &ours), "no result"); });
  // Read and written: logits and gradient, and targets where they are as many
  const double moved = static_cast<double>(data.logits.size()) * 2 + static_cast<double>(data.targets.size());
  void *from = nullptr, *to = nullptr;
  check(focal_cuda_allocate(cuda, moved / 2, &from), "no memory");
  check(focal_cuda_allocate(cuda, moved / 2, &to), "no memory");
  const double copy = median_milliseconds([&] { check(focal_cuda_copy(cuda, to, from, moved / 2, FOCAL_CUDA_WITHIN_DEVICE), "no copy"); });
  std::printf("{\"case\":\"%s\",\"logits\":%lld,\"bytes\":%.0f,\"ours\":%.6f,\"copy\":%.6f,\"sum\":%.9g,\"off\":%.3g}\n", c.name, static_cast<long long>(n), moved,
              milliseconds, copy, ours.sum, off);
  std::fflush(stdout);
  for (void *memory : {x, y, grad, from, to}) focal_cuda_free(0, memory);
}

}  // namespace

int main(int count, char **arguments) {
  FocalCuda *cuda = nullptr;
  check(focal_cuda_open(0, &cuda), "no device");
  FocalCudaDevice device;
  check(focal_cuda_device(0, &device), "no device");
  std::printf("{\"device\":\"%s\",\"memory\":%.0f}\n", device.name, device.memory);
  std::vector<int64_t> sizes;
  for (int i = 1; i < count; i++) sizes.push_back(std::atoll(arguments[i]));
  if (sizes.empty()) sizes = {1 << 24, 1 << 28};
  for (const int64_t size : sizes)
    for (const Case &c : cases) run(cuda, c, size);
  focal_cuda_close(cuda);
}
