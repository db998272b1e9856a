// The kernel for Node: a session shares the bytes of one call with its JavaScript, and runs it on typed arrays.
//
// Thin on purpose. The facade has checked the call; lengths are checked again here, because these are pointers, and a
// getter among the caller's options may have taken an array's memory away since. An array's type never changes, so the
// facade's word is enough for that: asking again would cost a small call a tenth of its time.
// No state but the sessions', so it loads into any number of contexts and worker threads.
#include <napi.h>

#include <cstddef>
#include <exception>
#include <string>

#include "problem.h"

namespace {

// What a session shares. In: the problem, where a pointer that is not 0 asks for its array. Out: the rest.
struct Call {
  FocalProblem problem;
  FocalResult result;
  int32_t status;
};
static_assert(offsetof(Call, result) == sizeof(FocalProblem) && offsetof(Call, status) == sizeof(FocalProblem) + sizeof(FocalResult),
              "src/backends/native.ts");

// The arguments of run(), in this order.
enum Argument { LOGITS, TARGETS, WEIGHTS, MASK, CLASS_POSITIVE, CLASS_NEGATIVE, VALUES, GRAD, HESS, ARGUMENTS };
constexpr const char *names[] = {"logits", "targets", "weights", "mask", "class weights", "class weights", "out", "grad", "hess"};

// A status of this file's own, beside FocalStatus.
constexpr int32_t OVERLAP = -1;

struct Memory {
  uintptr_t begin = 0, end = 0;
};

uintptr_t bytes_of(int32_t dtype) {
  constexpr uint8_t bytes[16] = {4, 8, 1, 1, 2, 2, 4, 4, 2, 2};
  return bytes[dtype & 15];
}

// An array's memory, which holds at least `length` elements. No copy, no reference: it outlives the call that passes it.
Memory memory_of(napi_env env, const napi_value *arguments, Argument at, int32_t dtype, double length) {
  size_t there = 0;
  void *data = nullptr;
  if (napi_get_typedarray_info(env, arguments[at], nullptr, &there, &data, nullptr, nullptr) != napi_ok)
    throw Napi::TypeError::New(env, std::string(names[at]) + " is not a typed array");
  if (!(static_cast<double>(there) >= length))
    throw Napi::RangeError::New(env, std::string(names[at]) + " is shorter than announced (is its buffer detached?)");
  const uintptr_t begin = reinterpret_cast<uintptr_t>(data);
  return {begin, begin + there * bytes_of(dtype)};
}

// Whether an output lies in the memory of another array. The gradient may lie exactly on the logits.
bool overlap(const Memory (&arrays)[ARGUMENTS]) {
  for (int written = VALUES; written <= HESS; written++) {
    if (arrays[written].end == 0) continue;
    for (int other = 0; other < ARGUMENTS; other++) {
      const Memory &a = arrays[written], &b = arrays[other];
      if (other == written || !(a.begin < b.end && b.begin < a.end)) continue;
      if (!(written == GRAD && other == LOGITS && a.begin == b.begin)) return true;
    }
  }
  return false;
}

// Plain Node-API, not node-addon-api: this is the function that a small call waits for.
napi_value Run(napi_env env, napi_callback_info info) try {
  napi_value arguments[ARGUMENTS];
  size_t count = ARGUMENTS;
  void *shared = nullptr;
  napi_get_cb_info(env, info, &count, arguments, nullptr, &shared);
  Call &call = *static_cast<Call *>(shared);

  FocalProblem p = call.problem;
  const double rows = p.outer * p.inner, elements = rows * p.classes;
  const auto length_per = [&](int32_t per) { return per == FOCAL_PER_ROW ? rows : elements; };
  Memory arrays[ARGUMENTS];
  const auto point = [&](uint64_t &slot, Argument at, int32_t dtype, double length) {
    if (slot) slot = (arrays[at] = memory_of(env, arguments, at, dtype, length)).begin;
  };
  point(p.logits_slot, LOGITS, p.dtype, elements);
  point(p.targets_slot, TARGETS, p.targets_dtype, p.targets_kind == FOCAL_CLASS_INDEX ? rows : elements);
  point(p.weights_slot, WEIGHTS, p.weights_dtype, length_per(p.weights_per));
  point(p.mask_slot, MASK, p.mask_dtype, length_per(p.mask_per));
  point(p.class_positive_slot, CLASS_POSITIVE, FOCAL_FLOAT64, p.classes);
  point(p.class_negative_slot, CLASS_NEGATIVE, FOCAL_FLOAT64, p.classes);
  point(p.values_slot, VALUES, p.dtype, p.loss == FOCAL_SOFTMAX ? rows : elements);
  point(p.grad_slot, GRAD, p.dtype, elements);
  point(p.hess_slot, HESS, p.dtype, elements);

  call.status = overlap(arrays) ? OVERLAP : focal_run(&p, &call.result);
  return nullptr;
} catch (const Napi::Error &error) {
  error.ThrowAsJavaScriptException();
  return nullptr;
} catch (const std::exception &error) {
  napi_throw_error(env, nullptr, error.what());
  return nullptr;
}

// A function of its own with `memory`, the bytes of its Call. They are an ordinary ArrayBuffer (Electron forbids others),
// which the function's property, never to be changed, keeps for as long as it may be called.
Napi::Value Open(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  Napi::ArrayBuffer memory = Napi::ArrayBuffer::New(env, sizeof(Call));
  napi_value run = nullptr;
  if (napi_create_function(env, "run", NAPI_AUTO_LENGTH, Run, memory.Data(), &run) != napi_ok) throw Napi::Error::New(env);
  Napi::Object(env, run).DefineProperty(Napi::PropertyDescriptor::Value("memory", memory, napi_enumerable));
  return Napi::Value(env, run);
}

Napi::Value Isas(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  Napi::Array list = Napi::Array::New(env);
  for (int32_t i = 0; const FocalIsa *isa = focal_isa(i); i++) {
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("name", isa->name);
    entry.Set("description", isa->description);
    entry.Set("features", isa->features);
    entry.Set("supported", isa->supported != 0);
    list.Set(static_cast<uint32_t>(i), entry);
  }
  return list;
}

// The one that serves when a problem asks for none: the list is best first.
Napi::Value ActiveIsa(const Napi::CallbackInfo &info) {
  int32_t i = 0;
  while (!focal_isa(i)->supported) i++;
  return Napi::String::New(info.Env(), focal_isa(i)->name);
}

Napi::Value HardwareThreads(const Napi::CallbackInfo &info) {
  return Napi::Number::New(info.Env(), focal_hardware_threads());
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("abi", FOCAL_ABI);
  exports.Set("open", Napi::Function::New(env, Open, "open"));
  exports.Set("isas", Napi::Function::New(env, Isas, "isas"));
  exports.Set("activeIsa", Napi::Function::New(env, ActiveIsa, "activeIsa"));
  exports.Set("hardwareThreads", Napi::Function::New(env, HardwareThreads, "hardwareThreads"));
  return exports;
}

}  // namespace

NODE_API_MODULE(focal_loss, Init)
