#include "memory.h"

#include <stdexcept>
#include <utility>

namespace {

constexpr napi_type_tag tag = {0x3f0c1a55e77d4b19, 0x9d1f6a2b0c55a1e7};

// What create() gives the constructor, which JavaScript has no way to call.
struct Contents {
  Allocation allocation;
  double bytes;
  bool owned;
};

}  // namespace

Napi::Function Memory::define(Napi::Env env) {
  return DefineClass(env, "Memory", {InstanceAccessor<&Memory::Address>("address"), InstanceMethod<&Memory::Free>("free")});
}

Napi::Object Memory::create(Napi::Env env, Allocation allocation, double bytes, bool owned) {
  Contents contents{std::move(allocation), bytes, owned};
  const Napi::Object object = env.GetInstanceData<Classes>()->memory.New({Napi::External<Contents>::New(env, &contents)});
  object.TypeTag(&tag);
  return object;
}

Memory::Memory(const Napi::CallbackInfo &info) : ObjectWrap(info) {
  Contents &contents = *info[0].As<Napi::External<Contents>>().Data();
  allocation_ = std::move(contents.allocation);
  bytes_ = contents.bytes;
  owned_ = contents.owned;
  // The collector counts what it would free, or it would see no need to
  if (owned_) Napi::MemoryManagement::AdjustExternalMemory(info.Env(), static_cast<int64_t>(bytes_));
}

void Memory::release(Napi::Env env) {
  if (freed_) return;
  freed_ = true;
  allocation_.reset();
  if (owned_) Napi::MemoryManagement::AdjustExternalMemory(env, -static_cast<int64_t>(bytes_));
}

const Allocation &Memory::allocation() const {
  if (freed_) throw std::runtime_error("memory of the GPU was used after it had been freed");
  return allocation_;
}

MemoryRange Memory::range() const {
  const uintptr_t begin = reinterpret_cast<uintptr_t>(allocation().get());
  return {begin, begin + static_cast<uintptr_t>(bytes_)};
}

Napi::Value Memory::Address(const Napi::CallbackInfo &info) {
  return Napi::BigInt::New(info.Env(), static_cast<uint64_t>(range().begin));
}

Memory *Memory::of(napi_env env, napi_value value) {
  napi_valuetype type = napi_null;
  bool is_memory = false;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_object) return nullptr;
  if (napi_check_object_type_tag(env, value, &tag, &is_memory) != napi_ok || !is_memory) return nullptr;
  return Unwrap(Napi::Object(env, value));
}

bool Memory::find(napi_env env, napi_value array, MemoryRange *range) {
  const Memory *const memory = of(env, array);
  if (!memory) return false;
  *range = memory->range();
  return true;
}
