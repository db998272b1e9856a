// One GPU as one thread uses it: a stream, which runs calls, and gives memory and copies it.
#pragma once

#include <napi.h>

#include <memory>

#include "cuda/cuda.h"

class Session : public Napi::ObjectWrap<Session> {
 public:
  static Napi::Function define(Napi::Env env);
  static Napi::Object create(Napi::Env env, std::shared_ptr<FocalCuda> cuda, int32_t device);

  explicit Session(const Napi::CallbackInfo &info);

 private:
  // Also a call's that runs on another thread, which may outlive this object
  std::shared_ptr<FocalCuda> cuda_;
  int32_t device_ = 0;

  Napi::Value Run(const Napi::CallbackInfo &info);
  Napi::Value Start(const Napi::CallbackInfo &info);
  Napi::Value Allocate(const Napi::CallbackInfo &info);
  Napi::Value View(const Napi::CallbackInfo &info);
  void Copy(const Napi::CallbackInfo &info);
  Napi::Value MemoryInfo(const Napi::CallbackInfo &info);
};

// Opens a device: what takes a GPU's driver and memory. Any thread's.
std::shared_ptr<FocalCuda> open_device(int32_t device);
