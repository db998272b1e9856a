// The types that a caller's array may have.
#pragma once

#include "half.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// Calls f with the array's address, typed, from `from` on.
template <class F> FOCAL_INLINE auto with_type(const void *array, int32_t dtype, int64_t from, F f) {
  switch (dtype) {
    case FOCAL_FLOAT32: return f(static_cast<const float *>(array) + from);
    case FOCAL_FLOAT64: return f(static_cast<const double *>(array) + from);
    case FOCAL_INT8: return f(static_cast<const int8_t *>(array) + from);
    case FOCAL_UINT8: return f(static_cast<const uint8_t *>(array) + from);
    case FOCAL_INT16: return f(static_cast<const int16_t *>(array) + from);
    case FOCAL_UINT16: return f(static_cast<const uint16_t *>(array) + from);
    case FOCAL_INT32: return f(static_cast<const int32_t *>(array) + from);
    case FOCAL_FLOAT16: return f(static_cast<const Float16 *>(array) + from);
    case FOCAL_BFLOAT16: return f(static_cast<const BFloat16 *>(array) + from);
    default: return f(static_cast<const uint32_t *>(array) + from);
  }
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
