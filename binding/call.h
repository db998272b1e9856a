// What one call shares with its JavaScript, and the typed arrays that come with it.
#pragma once

#include <napi.h>

#include <cstddef>
#include <functional>

#include "problem.h"

// In: the problem, where a pointer that is not 0 asks for its array, and `cancelled`. Out: the rest.
struct Call {
  FocalProblem problem;
  FocalResult result;
  int32_t status;
  int32_t cancelled;  // set by JavaScript while an asynchronous call runs
};
static_assert(offsetof(Call, result) == sizeof(FocalProblem) && offsetof(Call, status) == sizeof(FocalProblem) + sizeof(FocalResult) &&
                  offsetof(Call, cancelled) + 4 == sizeof(Call),
              "src/backends/native.ts");

// The arrays of a call, in the order of its arguments.
enum Argument { LOGITS, TARGETS, WEIGHTS, MASK, CLASS_POSITIVE, CLASS_NEGATIVE, VALUES, GRAD, HESS, ARGUMENTS };

// A status of the binding's own, beside FocalStatus.
constexpr int32_t OVERLAP = -1;

// The bytes of an element of a FocalDtype.
uintptr_t bytes_of(int32_t dtype);

// Where an array lies.
struct MemoryRange {
  uintptr_t begin = 0, end = 0;
};

// The first byte of a typed array, also in shared memory. Throws where it is none.
void *data_of(napi_env env, napi_value array);

// Finds an array that is no typed array, for an addon that knows of such; false where it is none at all.
using Find = bool (*)(napi_env env, napi_value array, MemoryRange *range);

// Puts the arrays' addresses into the problem, where it asks for them. OVERLAP where an output lies in the memory of another
// array, except the gradient exactly on the logits; else FOCAL_OK. Throws where an array is none or too short. `found`: which
// arrays are no typed arrays, 1 << Argument each.
int32_t point_to_arrays(napi_env env, const napi_value *arguments, FocalProblem *problem, Find find = nullptr, uint32_t *found = nullptr);

// Throws what a function of the binding threw as a JavaScript error.
template <class F> napi_value as_javascript(napi_env env, F function) try {
  return function();
} catch (const Napi::Error &error) {
  error.ThrowAsJavaScriptException();
  return nullptr;
} catch (const std::exception &error) {
  napi_throw_error(env, nullptr, error.what());
  return nullptr;
}

// Computes a problem, on any thread.
using Run = std::function<int32_t(const FocalProblem *problem, FocalResult *result)>;

// The Call in `memory`, an ArrayBuffer of JavaScript's.
Call *call_in(napi_env env, napi_value memory);

// Runs a problem that points to its arrays on a thread of libuv's, and holds `arguments` (the memory of `call`, and the arrays)
// until it has. Returns a promise that is resolved once `call` is filled, and rejected with what `run` throws.
napi_value queue_call(napi_env env, Call *call, const FocalProblem &problem, const napi_value (&arguments)[1 + ARGUMENTS], Run run);
