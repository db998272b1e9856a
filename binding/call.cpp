// Lengths are checked again here, because these are pointers, and a getter among the caller's options may have taken an
// array's memory away since the facade looked. An array's type never changes, so the facade's word is enough for that:
// asking again would cost a small call a tenth of its time.
#include "call.h"

#include <string>

namespace {

constexpr const char *names[] = {"logits", "targets", "weights", "mask", "class weights", "class weights", "out", "grad", "hess"};

// Where a typed array lies. No copy, no reference.
bool find_typed_array(napi_env env, napi_value array, int32_t dtype, MemoryRange *range) {
  size_t length = 0;
  void *data = nullptr;
  if (napi_get_typedarray_info(env, array, nullptr, &length, &data, nullptr, nullptr) != napi_ok) return false;
  const uintptr_t begin = reinterpret_cast<uintptr_t>(data);
  *range = {begin, begin + length * bytes_of(dtype)};
  return true;
}

bool overlap(const MemoryRange (&arrays)[ARGUMENTS]) {
  for (int written = VALUES; written <= HESS; written++) {
    if (arrays[written].end == 0) continue;
    for (int other = 0; other < ARGUMENTS; other++) {
      const MemoryRange &a = arrays[written], &b = arrays[other];
      if (other == written || !(a.begin < b.end && b.begin < a.end)) continue;
      if (!(written == GRAD && other == LOGITS && a.begin == b.begin && a.end == b.end)) return true;
    }
  }
  return false;
}

}  // namespace

uintptr_t bytes_of(int32_t dtype) {
  constexpr uint8_t bytes[16] = {4, 8, 1, 1, 2, 2, 4, 4, 2, 2};
  return bytes[dtype & 15];
}

void *data_of(napi_env env, napi_value array) {
  void *data = nullptr;
  if (napi_get_typedarray_info(env, array, nullptr, nullptr, &data, nullptr, nullptr) != napi_ok)
    throw Napi::TypeError::New(env, "expected a typed array");
  return data;
}

int32_t point_to_arrays(napi_env env, const napi_value *arguments, FocalProblem *problem, Find find, uint32_t *found) {
  FocalProblem &p = *problem;
  const double rows = p.outer * p.inner, elements = rows * p.classes;
  const auto length_per = [&](int32_t per) { return per == FOCAL_PER_ROW ? rows : elements; };
  MemoryRange arrays[ARGUMENTS];
  const auto point = [&](uint64_t &slot, Argument at, int32_t dtype, double length) {
    if (!slot) return;
    MemoryRange &range = arrays[at];
    if (!find_typed_array(env, arguments[at], dtype, &range)) {
      if (!find || !find(env, arguments[at], &range)) throw Napi::TypeError::New(env, std::string(names[at]) + " is not a typed array");
      *found |= 1u << at;
    }
    // At least `length` elements
    if (!(static_cast<double>(range.end - range.begin) >= length * static_cast<double>(bytes_of(dtype))))
      throw Napi::RangeError::New(env, std::string(names[at]) + " is shorter than announced (is its buffer detached?)");
    slot = range.begin;
  };
  point(p.logits_slot, LOGITS, p.dtype, elements);
  point(p.targets_slot, TARGETS, p.targets_dtype, p.targets_kind == FOCAL_CLASS_INDEX ? rows : elements);
  point(p.weights_slot, WEIGHTS, p.weights_dtype, length_per(p.weights_per));
  point(p.mask_slot, MASK, p.mask_dtype, length_per(p.mask_per));
  point(p.class_positive_slot, CLASS_POSITIVE, FOCAL_FLOAT64, (p.flags & FOCAL_CLASS_GAMMAS) ? 2 * p.classes : p.classes);
  point(p.class_negative_slot, CLASS_NEGATIVE, FOCAL_FLOAT64, p.classes);
  point(p.values_slot, VALUES, p.dtype, p.loss == FOCAL_SOFTMAX ? rows : elements);
  point(p.grad_slot, GRAD, p.grad_dtype, elements);
  point(p.hess_slot, HESS, p.hess_dtype, elements);
  p.cancelled = nullptr;
  return overlap(arrays) ? OVERLAP : FOCAL_OK;
}
