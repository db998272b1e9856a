// Memory of a GPU as an object of JavaScript's: freed by hand, or by the garbage collector.
#pragma once

#include <napi.h>

#include <memory>

#include "../call.h"

// Any number of owners, as a call on another thread is one; the last one frees it.
using Allocation = std::shared_ptr<void>;

class Memory : public Napi::ObjectWrap<Memory> {
 public:
  // A new one, of `bytes` that V8 is told of where they are this object's.
  static Napi::Object create(Napi::Env env, Allocation allocation, double bytes, bool owned);
  // The one that a value is; null where it is none.
  static Memory *of(napi_env env, napi_value value);
  // What point_to_arrays() asks.
  static bool find(napi_env env, napi_value array, MemoryRange *range);
  static Napi::Function define(Napi::Env env);

  explicit Memory(const Napi::CallbackInfo &info);
  void Finalize(Napi::Env env) override { release(env); }

  // Throws where it has been freed.
  const Allocation &allocation() const;
  MemoryRange range() const;

 private:
  Allocation allocation_;
  double bytes_ = 0;
  bool owned_ = false, freed_ = false;

  void release(Napi::Env env);
  void Free(const Napi::CallbackInfo &info) { release(info.Env()); }
  Napi::Value Address(const Napi::CallbackInfo &info);
};

// What an environment (a thread of JavaScript's) keeps of this addon.
struct Classes {
  Napi::FunctionReference memory, session;
};
