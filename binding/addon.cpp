// The kernel for Node: typed arrays and the bytes of a FocalProblem in, a status and a FocalResult out.
//
// Thin on purpose. The facade has checked the call; lengths are checked again here, because these are pointers.
// No state of its own, so it loads into any number of contexts and worker threads.
#include <napi.h>

#include <cstring>
#include <string>

#include "problem.h"

namespace {

// Node-API's element types, in the terms of problem.h; -1 for what the kernel does not read.
int32_t dtype_of(napi_typedarray_type type) {
  switch (type) {
    case napi_float32_array: return FOCAL_FLOAT32;
    case napi_float64_array: return FOCAL_FLOAT64;
    case napi_int8_array: return FOCAL_INT8;
    case napi_uint8_array:
    case napi_uint8_clamped_array: return FOCAL_UINT8;
    case napi_int16_array: return FOCAL_INT16;
    case napi_uint16_array: return FOCAL_UINT16;
    case napi_int32_array: return FOCAL_INT32;
    case napi_uint32_array: return FOCAL_UINT32;
    default: return -1;
  }
}

struct Array {
  void *data = nullptr;
  size_t length = 0;
  int32_t dtype = -1;
};

// Takes no copy and keeps no reference: the arrays outlive the call that passes them.
class Arguments {
 public:
  explicit Arguments(const Napi::CallbackInfo &info) : info_(info), env_(info.Env()) {}

  Array array(size_t at, const char *name) const {
    const napi_value value = info_[at];
    bool is_typed_array = false;
    if (napi_is_typedarray(env_, value, &is_typed_array) != napi_ok || !is_typed_array)
      throw Napi::TypeError::New(env_, std::string(name) + " is not a typed array");
    Array result;
    napi_typedarray_type type;
    if (napi_get_typedarray_info(env_, value, &type, &result.length, &result.data, nullptr, nullptr) != napi_ok)
      throw Napi::TypeError::New(env_, std::string(name) + " cannot be read");
    result.dtype = dtype_of(type);
    return result;
  }

  // An array of exactly this type and at least this length, or null.
  void *optional(size_t at, const char *name, int32_t dtype, double length) const {
    napi_valuetype type = napi_undefined;
    napi_typeof(env_, info_[at], &type);
    if (type == napi_null || type == napi_undefined) return nullptr;
    return checked(array(at, name), name, dtype, length);
  }

  void *required(size_t at, const char *name, int32_t dtype, double length) const {
    return checked(array(at, name), name, dtype, length);
  }

 private:
  void *checked(const Array &array, const char *name, int32_t dtype, double length) const {
    if (array.dtype != dtype) throw Napi::TypeError::New(env_, std::string(name) + " has another element type than announced");
    if (static_cast<double>(array.length) < length)
      throw Napi::RangeError::New(env_, std::string(name) + " is shorter than announced (is its buffer detached?)");
    return array.data;
  }

  const Napi::CallbackInfo &info_;
  Napi::Env env_;
};

Napi::Value Run(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  const Arguments arguments(info);
  const Array bytes = arguments.array(0, "problem");
  if (bytes.dtype != FOCAL_UINT8 || bytes.length != sizeof(FocalProblem))
    throw Napi::TypeError::New(env, "problem is not of this addon's size");
  FocalProblem p;
  std::memcpy(&p, bytes.data, sizeof p);

  const double rows = p.outer * p.inner, elements = rows * p.classes;
  const bool softmax = p.loss == FOCAL_SOFTMAX;
  const auto length_per = [&](int32_t per) { return per == FOCAL_PER_ROW ? rows : elements; };
  p.logits = arguments.required(2, "logits", p.dtype, elements);
  p.targets = arguments.required(3, "targets", p.targets_dtype, p.targets_kind == FOCAL_CLASS_INDEX ? rows : elements);
  p.weights = arguments.optional(4, "weights", p.weights_dtype, length_per(p.weights_per));
  p.mask = arguments.optional(5, "mask", p.mask_dtype, length_per(p.mask_per));
  p.class_positive = static_cast<double *>(arguments.optional(6, "class weights", FOCAL_FLOAT64, p.classes));
  p.class_negative = static_cast<double *>(arguments.optional(7, "class weights", FOCAL_FLOAT64, p.classes));
  p.values = arguments.optional(8, "out", p.dtype, softmax ? rows : elements);
  p.grad = arguments.optional(9, "grad", p.dtype, elements);
  p.hess = arguments.optional(10, "hess", p.dtype, elements);

  FocalResult result;
  const int32_t status = focal_run(&p, &result);
  std::memcpy(arguments.required(1, "result", FOCAL_FLOAT64, sizeof result / sizeof(double)), &result, sizeof result);
  return Napi::Number::New(env, status);
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
  exports.Set("run", Napi::Function::New(env, Run, "run"));
  exports.Set("isas", Napi::Function::New(env, Isas, "isas"));
  exports.Set("activeIsa", Napi::Function::New(env, ActiveIsa, "activeIsa"));
  exports.Set("hardwareThreads", Napi::Function::New(env, HardwareThreads, "hardwareThreads"));
  return exports;
}

}  // namespace

NODE_API_MODULE(focal_loss, Init)
