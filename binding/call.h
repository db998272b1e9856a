// What one call shares with its JavaScript, and the typed arrays that come with it.
#pragma once

#include <napi.h>

#include <cstddef>

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

// Puts the arrays' addresses into the problem, where it asks for them. OVERLAP where an output lies in the memory of another
// array, except the gradient exactly on the logits; else FOCAL_OK. Throws where an array is none or too short.
int32_t point_to_arrays(napi_env env, const napi_value *arguments, FocalProblem *problem);

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

// start(memory, arrays...): runs the problem in `memory`, the bytes of a Call, on a thread of libuv's. Returns a promise that
// is resolved once they are filled; or undefined, with the status OVERLAP.
napi_value Start(napi_env env, napi_callback_info info);
