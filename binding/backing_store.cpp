#include "backing_store.h"

#if defined(__unix__) || defined(__APPLE__)
#include <dlfcn.h>
#endif

namespace {

// std::shared_ptr<v8::BackingStore> v8::ArrayBuffer::GetBackingStore(): to the processor, a function of `this`, which a napi_value is.
using GetBackingStore = std::shared_ptr<void> (*)(napi_value array_buffer);

GetBackingStore find_get_backing_store() {
#if defined(__unix__) || defined(__APPLE__)
  // v8::ArrayBuffer::New(v8::Isolate *, std::shared_ptr<v8::BackingStore>). Its name tells whose std::shared_ptr V8 was compiled with, and that of
  // GetBackingStore, which only returns one, does not: it may be called where the library is the one that this file is compiled with.
#ifdef _LIBCPP_VERSION
  constexpr const char *witness = "_ZN2v811ArrayBuffer3NewEPNS_7IsolateENSt3__110shared_ptrINS_12BackingStoreEEE";
#else
  constexpr const char *witness = "_ZN2v811ArrayBuffer3NewEPNS_7IsolateESt10shared_ptrINS_12BackingStoreEE";
#endif
  if (dlsym(RTLD_DEFAULT, witness)) return reinterpret_cast<GetBackingStore>(dlsym(RTLD_DEFAULT, "_ZN2v811ArrayBuffer15GetBackingStoreEv"));
#endif
  return nullptr;
}

}  // namespace

std::shared_ptr<void> backing_store_of(napi_env env, napi_value typed_array) {
  static const GetBackingStore get = find_get_backing_store();
  napi_value buffer = nullptr;
  bool is_array_buffer = false;
  if (!get || napi_get_typedarray_info(env, typed_array, nullptr, nullptr, nullptr, &buffer, nullptr) != napi_ok ||
      napi_is_arraybuffer(env, buffer, &is_array_buffer) != napi_ok || !is_array_buffer)
    return nullptr;  // what is no typed array of this kind: memory of a device, or shared memory, which cannot be transferred
  return get(buffer);
}
