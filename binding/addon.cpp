// The kernel for Node: a session shares the bytes of one call with its JavaScript, and runs it on typed arrays.
//
// Thin on purpose: the facade has checked the call. No state but the sessions', so it loads into any number of contexts and
// worker threads.
#include <napi.h>

#include "call.h"

namespace {

// Plain Node-API, not node-addon-api: this is the function that a small call waits for.
napi_value Run(napi_env env, napi_callback_info info) {
  return as_javascript(env, [&]() -> napi_value {
    napi_value arguments[ARGUMENTS];
    size_t count = ARGUMENTS;
    void *shared = nullptr;
    napi_get_cb_info(env, info, &count, arguments, nullptr, &shared);
    Call &call = *static_cast<Call *>(shared);
    FocalProblem problem = call.problem;
    call.status = point_to_arrays(env, arguments, &problem);
    if (call.status == FOCAL_OK) call.status = focal_run(&problem, &call.result);
    return nullptr;
  });
}

// start(memory, arrays...): the same on a thread of libuv's: runs the problem in `memory`, the bytes of a Call. Returns a promise
// that is resolved once they are filled; or undefined, with the status OVERLAP.
napi_value Start(napi_env env, napi_callback_info info) {
  return as_javascript(env, [&]() -> napi_value {
    napi_value arguments[1 + ARGUMENTS];
    size_t count = 1 + ARGUMENTS;
    napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
    Call *const call = call_in(env, arguments[0]);
    FocalProblem problem = call->problem;
    call->status = point_to_arrays(env, arguments + 1, &problem);
    return call->status == OVERLAP ? nullptr : queue_call(env, call, problem, arguments, focal_run);
  });
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
  napi_value start = nullptr;
  if (napi_create_function(env, "start", NAPI_AUTO_LENGTH, Start, nullptr, &start) != napi_ok) throw Napi::Error::New(env);
  exports.Set("start", Napi::Value(env, start));
  exports.Set("isas", Napi::Function::New(env, Isas, "isas"));
  exports.Set("activeIsa", Napi::Function::New(env, ActiveIsa, "activeIsa"));
  exports.Set("hardwareThreads", Napi::Function::New(env, HardwareThreads, "hardwareThreads"));
  return exports;
}

}  // namespace

NODE_API_MODULE(focal_loss, Init)
