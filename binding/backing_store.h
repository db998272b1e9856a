// The memory of an ArrayBuffer, kept for as long as another thread works on it.
#pragma once

#include <napi.h>

#include <memory>

// Keeps the memory of a typed array from being freed. Node-API keeps an array from being collected, but a program may transfer its buffer: to
// a worker thread that drops it, say. The memory itself is V8's, which counts its holders; Node.js has no other way to become one of them.
// Holds nothing where the engine is another, or V8's functions cannot be found.
std::shared_ptr<void> backing_store_of(napi_env env, napi_value typed_array);
