#include "session.h"

#include <array>
#include <cstdio>
#include <string>
#include <utility>

#include "../call.h"
#include "memory.h"
#include "status.h"

namespace {

struct Opened {
  std::shared_ptr<FocalCuda> cuda;
  int32_t device;
};

// Which arrays of a call lie on the device, in the bits of cuda.h: class weights never do.
uint32_t on_device(uint32_t found) {
  static_assert(LOGITS == 0 && MASK == 3 && VALUES == 6 && HESS == 8 && FOCAL_CUDA_MASK == 1 << MASK &&
                    FOCAL_CUDA_VALUES == 1 << (VALUES - 2) && FOCAL_CUDA_HESS == 1 << (HESS - 2),
                "cpp/cuda/cuda.h");
  return (found & 15) | (found >> 2 & ~15u);
}

std::string sized(double bytes) {
  char text[32];
  std::snprintf(text, sizeof text, bytes < 1e9 ? "%.1f MB" : "%.1f GB", bytes / (bytes < 1e9 ? 1e6 : 1e9));
  return text;
}

void refuse_allocation(FocalCuda *cuda, double bytes) {
  double free = 0, total = 0;
  const bool known = focal_cuda_memory(cuda, &free, &total) == FOCAL_OK;
  throw std::runtime_error("the GPU has no memory for " + sized(bytes) +
                           (known ? " (" + sized(free) + " of " + sized(total) + " are free)" : "") +
                           "; dispose() arrays that are no longer needed, or take smaller ones");
}

}  // namespace

std::shared_ptr<FocalCuda> open_device(int32_t device) {
  FocalCuda *cuda = nullptr;
  const int32_t status = focal_cuda_open(device, &cuda);
  if (status == FOCAL_OUT_OF_MEMORY)
    throw std::runtime_error("the GPU has no memory left to be opened: end other processes that use it, or take another device");
  check(status);
  return {cuda, focal_cuda_close};
}

Napi::Function Session::define(Napi::Env env) {
  return DefineClass(env, "Session",
                     {InstanceMethod<&Session::Run>("run"), InstanceMethod<&Session::Start>("start"),
                      InstanceMethod<&Session::Allocate>("allocate"), InstanceMethod<&Session::View>("view"),
                      InstanceMethod<&Session::Copy>("copy"), InstanceMethod<&Session::MemoryInfo>("memory")});
}

Napi::Object Session::create(Napi::Env env, std::shared_ptr<FocalCuda> cuda, int32_t device) {
  Opened opened{std::move(cuda), device};
  return env.GetInstanceData<Classes>()->session.New({Napi::External<Opened>::New(env, &opened)});
}

Session::Session(const Napi::CallbackInfo &info) : ObjectWrap(info) {
  Opened &opened = *info[0].As<Napi::External<Opened>>().Data();
  cuda_ = std::move(opened.cuda);
  device_ = opened.device;
}

// run(memory, arrays...): runs the problem in `memory`, the bytes of a Call, and waits for it.
Napi::Value Session::Run(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  napi_value arrays[ARGUMENTS];
  for (int i = 0; i < ARGUMENTS; i++) arrays[i] = info[1 + i];
  Call *const call = call_in(env, info[0]);
  FocalProblem problem = call->problem;
  uint32_t found = 0;
  call->status = point_to_arrays(env, arrays, &problem, Memory::find, &found);
  if (call->status == FOCAL_OK) check_device(call->status = focal_cuda_run(cuda_.get(), &problem, on_device(found), &call->result));
  return env.Undefined();
}

// start(memory, arrays...): the same on a thread of libuv's: see queue_call(). Returns its promise; or undefined, with the status OVERLAP.
Napi::Value Session::Start(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  napi_value arguments[1 + ARGUMENTS];
  for (int i = 0; i <= ARGUMENTS; i++) arguments[i] = info[i];
  Call *const call = call_in(env, arguments[0]);
  FocalProblem problem = call->problem;
  uint32_t found = 0;
  call->status = point_to_arrays(env, arguments + 1, &problem, Memory::find, &found);
  if (call->status == OVERLAP) return env.Undefined();
  // Freed while the call runs, memory stays until it has ended
  std::array<Allocation, ARGUMENTS> held;
  for (int i = 0; i < ARGUMENTS; i++)
    if (found >> i & 1) held[i] = Memory::of(env, arguments[1 + i])->allocation();
  return Napi::Value(env, queue_call(env, call, problem, arguments,
                                     [cuda = cuda_, where = on_device(found), held = std::move(held)](const FocalProblem *p, FocalResult *r) {
                                       const int32_t status = focal_cuda_run(cuda.get(), p, where, r);
                                       check_device(status);
                                       return status;
                                     }));
}

// allocate(bytes): Memory, filled with zeros.
Napi::Value Session::Allocate(const Napi::CallbackInfo &info) {
  const double bytes = info[0].As<Napi::Number>();
  void *data = nullptr;
  const int32_t status = focal_cuda_allocate(cuda_.get(), bytes, &data);
  if (status == FOCAL_OUT_OF_MEMORY) refuse_allocation(cuda_.get(), bytes);
  check(status);
  Allocation allocation(data, [device = device_](void *memory) { focal_cuda_free(device, memory); });
  return Memory::create(info.Env(), std::move(allocation), bytes, true);
}

// view(address, bytes): Memory that belongs to somebody else.
Napi::Value Session::View(const Napi::CallbackInfo &info) {
  bool lossless = false;
  const uint64_t address = info[0].As<Napi::BigInt>().Uint64Value(&lossless);
  Allocation allocation(reinterpret_cast<void *>(static_cast<uintptr_t>(address)), [](void *) {});
  return Memory::create(info.Env(), std::move(allocation), info[1].As<Napi::Number>(), false);
}

// copy(to, toByte, from, fromByte, bytes) between typed arrays and Memory, one of which is Memory; waits for it.
void Session::Copy(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  const auto range_at = [&](int argument, bool *is_device) {
    MemoryRange range;
    *is_device = Memory::find(env, info[argument], &range);
    if (!*is_device) {
      range.begin = reinterpret_cast<uintptr_t>(data_of(env, info[argument]));
      range.end = range.begin + info[argument].As<Napi::TypedArray>().ByteLength();
    }
    const uintptr_t at = range.begin + static_cast<uintptr_t>(info[argument + 1].As<Napi::Number>().DoubleValue());
    if (at + static_cast<uintptr_t>(info[4].As<Napi::Number>().DoubleValue()) > range.end)
      throw Napi::RangeError::New(env, "a copy beyond the end of an array (is its buffer detached?)");
    return at;
  };
  bool to_device = false, from_device = false;
  const uintptr_t to = range_at(0, &to_device), from = range_at(2, &from_device);
  const int32_t direction = !from_device ? FOCAL_CUDA_TO_DEVICE : to_device ? FOCAL_CUDA_WITHIN_DEVICE : FOCAL_CUDA_TO_HOST;
  check(focal_cuda_copy(cuda_.get(), reinterpret_cast<void *>(to), reinterpret_cast<const void *>(from), info[4].As<Napi::Number>(), direction));
}

// memory(): { free, total }, in bytes.
Napi::Value Session::MemoryInfo(const Napi::CallbackInfo &info) {
  double free = 0, total = 0;
  check(focal_cuda_memory(cuda_.get(), &free, &total));
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("free", free);
  result.Set("total", total);
  return result;
}
