// libFuzzer on the C ABI: any fields, sizes from 0 to a few blocks, NaN and infinity, arrays at any address, in exactly as much memory as they need, so
// that AddressSanitizer sees whatever lies beyond. scripts/test-fuzz.sh builds and runs it.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "problem.h"
#include "reference.h"

namespace {

// The fuzzer's bytes, one number after another; zeros once they are used up.
class Bytes {
 public:
  Bytes(const uint8_t *data, size_t size) : data_(data), size_(size) {}
  uint8_t byte() { return at_ < size_ ? data_[at_++] : 0; }
  template <class T> T raw() {
    uint8_t bytes[sizeof(T)];
    for (uint8_t &each : bytes) each = byte();
    T value;
    memcpy(&value, bytes, sizeof value);
    return value;
  }
  int32_t below(int32_t count) { return byte() % count; }
  // Mostly what means something
  double number(std::initializer_list<double> usual) {
    const int32_t which = below(static_cast<int32_t>(usual.size()) + 1);
    return which < static_cast<int32_t>(usual.size()) ? usual.begin()[which] : raw<double>();
  }

 private:
  const uint8_t *data_;
  size_t size_, at_ = 0;
};

size_t size_of(int32_t dtype) {
  switch (dtype) {
    case FOCAL_FLOAT64: return 8;
    case FOCAL_FLOAT32: case FOCAL_INT32: case FOCAL_UINT32: return 4;
    case FOCAL_INT8: case FOCAL_UINT8: return 1;
    default: return 2;
  }
}

// `count` elements, which begin where their type may.
struct Array {
  std::unique_ptr<uint8_t[]> memory;
  void *data = nullptr;
  size_t bytes = 0;

  Array(int32_t dtype, size_t count, size_t shift) : bytes(count * size_of(dtype)) {
    const size_t before = shift * size_of(dtype);
    memory.reset(new uint8_t[before + bytes]);
    data = memory.get() + before;
    memset(memory.get(), 0xa5, before + bytes);
  }
  bool is_untouched() const { return std::all_of(memory.get(), static_cast<uint8_t *>(data) + bytes, [](uint8_t each) { return each == 0xa5; }); }
};

void fail(const char *what, const FocalProblem &p) {
  fprintf(stderr, "kernel_fuzz: %s: loss %d, dtype %d, targets %d of %d, %g x %g x %g, gamma %g\n", what, p.loss, p.dtype, p.targets_kind, p.targets_dtype, p.outer,
          p.classes, p.inner, p.gamma);
  abort();
}

// `whole`: class indices, of which whoever calls has checked that floats are whole numbers.
void fill(Array &array, int32_t dtype, Bytes &bytes, bool labels, bool whole = false) {
  const size_t each = size_of(dtype), count = array.bytes / each;
  const bool any = bytes.below(4) == 0 && !(whole && (dtype == FOCAL_FLOAT32 || dtype == FOCAL_FLOAT64));
  // A few numbers again and again: the fuzzer's input is short, and arrays are long
  std::vector<double> few(1 + static_cast<size_t>(bytes.below(32)));
  for (double &number : few) number = labels ? bytes.number({0, 1, 1, 0.5, 0.25}) : bytes.number({0, 1, -1, 3.5, -20, 88.5, -104, 700, -745});
  if (whole)
    for (double &number : few) number = std::trunc(number);
  for (size_t i = 0; i < count; i++) {
    uint8_t *const to = static_cast<uint8_t *>(array.data) + i * each;
    const double number = few[i * 7 % few.size()];
    if (any) for (size_t k = 0; k < each; k++) to[k] = bytes.byte();
    else if (dtype == FOCAL_FLOAT64) memcpy(to, &number, 8);
    else if (dtype == FOCAL_FLOAT32) { const float single = static_cast<float>(number); memcpy(to, &single, 4); }
    else { const int32_t whole = std::fabs(number) < 1e9 ? static_cast<int32_t>(number) : 0; memcpy(to, &whole, each); }
  }
}

// A logit that is NaN makes the sum NaN, which the reference's weight of 0 takes away again.
bool has_nan(const void *logits, int32_t dtype, size_t count) {
  const float *const singles = static_cast<const float *>(logits);
  const double *const doubles = static_cast<const double *>(logits);
  return dtype == FOCAL_FLOAT64 ? std::any_of(doubles, doubles + count, [](double x) { return std::isnan(x); })
                                : std::any_of(singles, singles + count, [](float x) { return std::isnan(x); });
}

bool is_close(double actual, double exact, double tolerance) {
  if (std::isnan(exact) || std::isnan(actual)) return std::isnan(exact) == std::isnan(actual);
  return actual == exact || std::fabs(actual - exact) <= tolerance * std::fmax(1, std::fabs(exact));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Bytes bytes(data, size);
  FocalProblem p{};
  p.abi = bytes.below(50) == 49 ? bytes.raw<int32_t>() : FOCAL_ABI;
  p.loss = bytes.below(8);
  p.dtype = std::initializer_list<int32_t>{FOCAL_FLOAT32, FOCAL_FLOAT64, FOCAL_FLOAT16, FOCAL_BFLOAT16}.begin()[bytes.below(4)];
  p.targets_kind = bytes.below(2);
  p.targets_dtype = bytes.below(10);
  p.soft_targets = bytes.below(2);
  p.reduction = bytes.below(4);
  p.weights_per = bytes.below(3);
  p.weights_dtype = bytes.below(10);
  p.mask_per = bytes.below(3);
  p.mask_dtype = bytes.below(10);
  p.threads = 1;
  p.constant_modulator = bytes.below(2);
  p.inputs = bytes.below(4) == 3 ? FOCAL_PROBABILITIES : FOCAL_LOGITS;
  p.flags = bytes.below(16);
  if (p.loss == FOCAL_SOFTMAX && p.targets_kind == FOCAL_DENSE) p.flags &= ~FOCAL_IGNORE_NAN;  // of whole rows, which the reference does not know
  p.outer = bytes.below(3) == 0 ? bytes.raw<uint16_t>() % 3000 : bytes.below(20);
  p.classes = bytes.below(12);
  p.inner = 1 + bytes.below(3);
  p.gamma = bytes.number({0, 0.5, 1, 1.5, 2, 3, 4, 5, 2.7});
  p.gamma_negative = bytes.number({0, 4, 1, 2.5});
  p.beta = bytes.number({0, 1, 2, 4});
  p.margin = bytes.number({0, 0.05});
  // Of sigmoid general the smoothing of its cross entropy alone
  if (p.loss == FOCAL_SIGMOID_GENERAL) p.beta = std::initializer_list<double>{0, 0.1, 1}.begin()[bytes.below(3)];
  p.label_smoothing = bytes.below(3) == 2 && (p.loss <= FOCAL_STAR || p.loss == FOCAL_SIGMOID_GENERAL) ? 0.1 : 0;
  // Whole numbers, as whoever calls has checked: the kernel compares integers, the reference doubles
  p.background = std::initializer_list<double>{NAN, -1, p.classes}.begin()[bytes.below(3)];
  p.ignore_index = std::initializer_list<double>{NAN, -1, 255, -100}.begin()[bytes.below(4)];
  p.normalizer = bytes.number({NAN, 1, 7});
  p.grad_scale = bytes.number({1, 1, 1024});
  p.positive_from = p.loss == FOCAL_HEATMAP ? 1 : 0.5;
  p.least_hess = bytes.number({-INFINITY, 0});
  p.positive_weight = bytes.number({1, 0.25});
  p.negative_weight = bytes.number({1, 0.75});
  p.grad_dtype = p.hess_dtype = p.dtype;

  const size_t rows = static_cast<size_t>(p.outer * p.inner), elements = rows * static_cast<size_t>(p.classes);
  const auto shift = [&] { return static_cast<size_t>(bytes.below(5)); };
  const auto count_of = [&](int32_t per) { return per == FOCAL_PER_ELEMENT ? elements : rows; };
  Array logits(p.dtype, elements, shift()), targets(p.targets_dtype, p.targets_kind == FOCAL_CLASS_INDEX ? rows : elements, shift());
  Array weights(p.weights_dtype, count_of(p.weights_per), shift()), mask(p.mask_dtype, count_of(p.mask_per), shift());
  Array values(p.dtype, p.loss == FOCAL_SOFTMAX ? rows : elements, shift()), grad(p.dtype, elements, shift()), hess(p.dtype, elements, shift());
  fill(logits, p.dtype, bytes, p.inputs == FOCAL_PROBABILITIES);
  fill(targets, p.targets_dtype, bytes, true, p.targets_kind == FOCAL_CLASS_INDEX);
  fill(weights, p.weights_dtype, bytes, true);
  fill(mask, p.mask_dtype, bytes, true);
  p.logits = logits.data;
  p.targets = targets.data;
  if (p.weights_per != FOCAL_ABSENT) p.weights = weights.data;
  if (p.mask_per != FOCAL_ABSENT) p.mask = mask.data;
  const int32_t outputs = bytes.below(8);
  if (outputs & 1) p.values = values.data;
  if (outputs & 2) p.grad = grad.data;
  if (outputs & 4) p.hess = hess.data;
  // A weight of each class, and behind the positives' a gamma of each, which whoever calls has checked
  std::vector<double> class_positive(2 * static_cast<size_t>(p.classes)), class_negative(static_cast<size_t>(p.classes));
  for (double &weight : class_positive) weight = bytes.number({1, 0.25, 0.75, 0});
  for (double &weight : class_negative) weight = bytes.number({1, 0.75, 0});
  for (int32_t c = 0; c < p.classes; c++) class_positive[static_cast<size_t>(p.classes + c)] = std::initializer_list<double>{0, 0.5, 2, 2.7, 5, 1e-122}.begin()[bytes.below(6)];
  if (p.flags & FOCAL_CLASS_GAMMAS || bytes.below(4) == 3) {
    p.class_positive = class_positive.data();
    p.class_negative = class_negative.data();
  }

  FocalResult result{};
  const int32_t status = focal_run(&p, &result);
  if (status < FOCAL_OK || status > FOCAL_BAD_ROW) fail("a status that is none", p);
  if (status != FOCAL_OK) {
    if (!values.is_untouched() || !grad.is_untouched() || !hess.is_untouched()) fail("outputs were written before all was checked", p);
    return 0;
  }
  if (result.elements > static_cast<double>(elements) || result.rows > static_cast<double>(rows)) fail("more is valid than there is", p);

  // Step by step it has the same bits
  FocalRun *run = nullptr;
  FocalResult again{};
  if (focal_begin(&p, &run) != FOCAL_OK) fail("cannot be begun", p);
  focal_scan(run, 0, focal_scan_parts(run));
  if (focal_finish_scan(run, &again) != FOCAL_OK) fail("the scan by steps says otherwise", p);
  focal_compute(run, 0, 0, focal_blocks(run));
  if (focal_finish(run, &again) != FOCAL_OK || memcmp(&result.sum, &again.sum, sizeof result.sum) != 0) {
    if (!(std::isnan(result.sum) && std::isnan(again.sum))) fail("the sum by steps is another", p);
  }
  focal_end(run);

  // The reference knows no half precision beside the logits
  const auto is_half = [](int32_t dtype) { return dtype == FOCAL_FLOAT16 || dtype == FOCAL_BFLOAT16; };
  if (is_half(p.targets_dtype) || (p.weights && is_half(p.weights_dtype)) || (p.mask && is_half(p.mask_dtype)) || is_half(p.dtype)) return 0;

  // Counts are the reference's. Its sums too, of logits and usual powers
  FocalProblem plain = p;
  plain.values = plain.grad = plain.hess = nullptr;
  FocalResult exact{};
  focal::reference_run(plain, &exact);
  if (result.elements != exact.elements || result.rows != exact.rows || result.positives != exact.positives) fail("counts differ from the reference's", p);
  const bool is_measured = p.inputs == FOCAL_LOGITS && p.gamma <= 5 && p.gamma_negative <= 5 &&
                           std::fabs(p.beta) <= 5 && std::fabs(exact.sum) < 1e30 && !(std::isnan(result.sum) && has_nan(logits.data, p.dtype, elements));
  if (is_measured && !is_close(result.sum, exact.sum, p.dtype == FOCAL_FLOAT64 ? 1e-9 : 1e-4)) {
    fprintf(stderr, "sum %.17g, reference %.17g\n", result.sum, exact.sum);
    fail("the sum differs from the reference's", p);
  }
  return 0;
}
