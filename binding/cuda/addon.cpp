// The kernel on NVIDIA GPUs for Node: cpp/cuda/cuda.h. Loads, and says so, where there is no driver and no device.
//
// Thin on purpose: the facade has checked the call.
#include <napi.h>

#include <memory>
#include <string>

#include "memory.h"
#include "session.h"
#include "status.h"

namespace {

// devices(): what there is, in the driver's order. Empty where there is none; then `reason` is what the driver said.
Napi::Value Devices(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  int32_t count = 0;
  const int32_t status = focal_cuda_count(&count);
  Napi::Array list = Napi::Array::New(env);
  list.Set("reason", count == 0 || status != FOCAL_OK ? focal_cuda_error() : "");
  if (status != FOCAL_OK) return list;
  for (int32_t i = 0; i < count; i++) {
    FocalCudaDevice device{};
    check(focal_cuda_device(i, &device));
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("name", device.name);
    entry.Set("capability", std::to_string(device.major) + "." + std::to_string(device.minor));
    entry.Set("memory", device.memory);
    entry.Set("supported", device.supported != 0);
    list.Set(static_cast<uint32_t>(i), entry);
  }
  return list;
}

Napi::Value Open(const Napi::CallbackInfo &info) {
  const int32_t device = info[0].As<Napi::Number>();
  return Session::create(info.Env(), open_device(device), device);
}

// To open a device takes some tenths of a second, which others may need this thread for.
class Opening : public Napi::AsyncWorker {
 public:
  Opening(Napi::Env env, int32_t device) : AsyncWorker(env), deferred_(env), device_(device) {}
  Napi::Promise promise() const { return deferred_.Promise(); }

 private:
  Napi::Promise::Deferred deferred_;
  int32_t device_;
  std::shared_ptr<FocalCuda> cuda_;

  void Execute() override { cuda_ = open_device(device_); }
  void OnOK() override { deferred_.Resolve(Session::create(Env(), std::move(cuda_), device_)); }
  void OnError(const Napi::Error &error) override { deferred_.Reject(error.Value()); }
};

Napi::Value OpenAsync(const Napi::CallbackInfo &info) {
  auto *const opening = new Opening(info.Env(), info[0].As<Napi::Number>());  // which deletes itself
  const Napi::Promise promise = opening->promise();
  opening->Queue();
  return promise;
}

// owner(address): the device in whose memory it lies; -1 for the host's.
Napi::Value Owner(const Napi::CallbackInfo &info) {
  bool lossless = false;
  const uint64_t address = info[0].As<Napi::BigInt>().Uint64Value(&lossless);
  int32_t device = -1;
  check(focal_cuda_owner(reinterpret_cast<const void *>(static_cast<uintptr_t>(address)), &device));
  return Napi::Number::New(info.Env(), device);
}

// pin(array): a function that takes it back, once; the collector calls it otherwise. Who calls this holds the array as long.
Napi::Value Pin(const Napi::CallbackInfo &info) {
  void *const data = data_of(info.Env(), info[0]);
  check(focal_cuda_pin(data, static_cast<double>(info[0].As<Napi::TypedArray>().ByteLength())));
  const auto pinned = std::make_shared<std::shared_ptr<void>>(data, focal_cuda_unpin);
  return Napi::Function::New(info.Env(), [pinned](const Napi::CallbackInfo &) { pinned->reset(); }, "unpin");
}

Napi::Value BlockRows(const Napi::CallbackInfo &info) {
  return Napi::Number::New(info.Env(), focal_cuda_block_rows(info[0].As<Napi::Number>(), info[1].As<Napi::Number>()));
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  auto *const classes = new Classes;
  env.SetInstanceData(classes);
  classes->memory = Napi::Persistent(Memory::define(env));
  classes->session = Napi::Persistent(Session::define(env));
  exports.Set("abi", FOCAL_ABI);
  exports.Set("blockElements", FOCAL_CUDA_BLOCK_ELEMENTS);
  exports.Set("blockRows", Napi::Function::New<BlockRows>(env, "blockRows"));
  exports.Set("devices", Napi::Function::New<Devices>(env, "devices"));
  exports.Set("open", Napi::Function::New<Open>(env, "open"));
  exports.Set("openAsync", Napi::Function::New<OpenAsync>(env, "openAsync"));
  exports.Set("owner", Napi::Function::New<Owner>(env, "owner"));
  exports.Set("pin", Napi::Function::New<Pin>(env, "pin"));
  return exports;
}

}  // namespace

NODE_API_MODULE(focal_loss_cuda, Init)
