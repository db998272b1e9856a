// Reading and writing the problem's arrays on a device, whatever their type. Which type it is, is the same for all threads.
#pragma once

#ifdef __CUDACC__
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#endif

#include "device.h"

namespace focal {
namespace FOCAL_NAMESPACE {

template <class T> FOCAL_INLINE T number_at(const void *array, int32_t dtype, int64_t at) {
  switch (dtype) {
    case FOCAL_FLOAT32: return static_cast<T>(static_cast<const float *>(array)[at]);
    case FOCAL_FLOAT64: return static_cast<T>(static_cast<const double *>(array)[at]);
    case FOCAL_INT8: return static_cast<T>(static_cast<const int8_t *>(array)[at]);
    case FOCAL_UINT8: return static_cast<T>(static_cast<const uint8_t *>(array)[at]);
    case FOCAL_INT16: return static_cast<T>(static_cast<const int16_t *>(array)[at]);
    case FOCAL_UINT16: return static_cast<T>(static_cast<const uint16_t *>(array)[at]);
    case FOCAL_INT32: return static_cast<T>(static_cast<const int32_t *>(array)[at]);
    case FOCAL_UINT32: return static_cast<T>(static_cast<const uint32_t *>(array)[at]);
    case FOCAL_FLOAT16: return static_cast<T>(static_cast<float>(static_cast<const Float16 *>(array)[at]));
    default: return static_cast<T>(static_cast<float>(static_cast<const BFloat16 *>(array)[at]));
  }
}

// Rounds to what the array holds: logits' types only.
template <class T> FOCAL_ON_DEVICE void put_number(void *array, int32_t dtype, int64_t at, T x) {
  switch (dtype) {
    case FOCAL_FLOAT32: static_cast<float *>(array)[at] = static_cast<float>(x); break;
    case FOCAL_FLOAT64: static_cast<double *>(array)[at] = static_cast<double>(x); break;
    case FOCAL_FLOAT16: static_cast<Float16 *>(array)[at] = Float16(static_cast<float>(x)); break;
    default: static_cast<BFloat16 *>(array)[at] = BFloat16(static_cast<float>(x));
  }
}

FOCAL_ANYWHERE inline size_t bytes_of(int32_t dtype) {
  switch (dtype) {
    case FOCAL_FLOAT64: return 8;
    case FOCAL_INT8:
    case FOCAL_UINT8: return 1;
    case FOCAL_FLOAT32:
    case FOCAL_INT32:
    case FOCAL_UINT32: return 4;
    default: return 2;
  }
}

// ---- four at a time ---------------------------------------------------------------------------------------------------

// Two halves in a word, the first in its lower part.
template <class Half> struct Two;
#ifdef __CUDACC__
// What Float16 and BFloat16 spell out, in an instruction or two. A NaN stays one, if another.
template <> struct Two<Float16> {
  static FOCAL_ON_DEVICE float2 read(unsigned bits) { return __half22float2(bit_cast<__half2>(bits)); }
  static FOCAL_ON_DEVICE unsigned rounded(float low, float high) { return bit_cast<unsigned>(__floats2half2_rn(low, high)); }
};
template <> struct Two<BFloat16> {
  static FOCAL_ON_DEVICE float2 read(unsigned bits) { return make_float2(__uint_as_float(bits << 16), __uint_as_float(bits & 0xFFFF0000u)); }
  static FOCAL_ON_DEVICE unsigned rounded(float low, float high) { return bit_cast<unsigned>(__floats2bfloat162_rn(low, high)); }
};
#else
template <class Half> struct Two {
  static float2 read(unsigned bits) {
    return {bit_cast<Half>(static_cast<uint16_t>(bits)), bit_cast<Half>(static_cast<uint16_t>(bits >> 16))};
  }
  static unsigned rounded(float low, float high) { return Half(low).bits | static_cast<unsigned>(Half(high).bits) << 16; }
};
#endif

template <class Half> FOCAL_ON_DEVICE void unpack(uint2 bits, float (&to)[4]) {
  const float2 first = Two<Half>::read(bits.x), second = Two<Half>::read(bits.y);
  to[0] = first.x, to[1] = first.y, to[2] = second.x, to[3] = second.y;
}
template <class Half> FOCAL_ON_DEVICE uint2 pack(const float (&from)[4]) {
  uint2 bits;
  bits.x = Two<Half>::rounded(from[0], from[1]);
  bits.y = Two<Half>::rounded(from[2], from[3]);
  return bits;
}

// Four numbers from `at` on, which is a multiple of four, of an aligned array.
FOCAL_ON_DEVICE void read_four(const void *array, int32_t dtype, int64_t at, float (&to)[4]) {
  const auto halves = [&] { return static_cast<const uint2 *>(array)[at / 4]; };
  if (dtype == FOCAL_FLOAT32) {
    const float4 x = static_cast<const float4 *>(array)[at / 4];
    to[0] = x.x, to[1] = x.y, to[2] = x.z, to[3] = x.w;
  } else if (dtype == FOCAL_BFLOAT16) {
    unpack<BFloat16>(halves(), to);
  } else if (dtype == FOCAL_FLOAT16) {
    unpack<Float16>(halves(), to);
  } else {
    FOCAL_UNROLLED for (int j = 0; j < 4; j++) to[j] = number_at<float>(array, dtype, at + j);
  }
}

FOCAL_ON_DEVICE void write_four(void *array, int32_t dtype, int64_t at, const float (&from)[4]) {
  if (dtype == FOCAL_FLOAT32) {
    float4 x;
    x.x = from[0], x.y = from[1], x.z = from[2], x.w = from[3];
    static_cast<float4 *>(array)[at / 4] = x;
  } else {
    static_cast<uint2 *>(array)[at / 4] = dtype == FOCAL_BFLOAT16 ? pack<BFloat16>(from) : pack<Float16>(from);
  }
}

// ---- eight halves at a time: sixteen bytes ----------------------------------------------------------------------------

FOCAL_ON_DEVICE void read_eight_halves(const void *array, int32_t dtype, int64_t at, float (&low)[4], float (&high)[4]) {
  const uint4 bits = static_cast<const uint4 *>(array)[at / 8];
  const uint2 first = {bits.x, bits.y}, second = {bits.z, bits.w};
  if (dtype == FOCAL_BFLOAT16) unpack<BFloat16>(first, low), unpack<BFloat16>(second, high);
  else unpack<Float16>(first, low), unpack<Float16>(second, high);
}

FOCAL_ON_DEVICE void write_eight_halves(void *array, int32_t dtype, int64_t at, const float (&low)[4], const float (&high)[4]) {
  const bool brain = dtype == FOCAL_BFLOAT16;
  const uint2 first = brain ? pack<BFloat16>(low) : pack<Float16>(low), second = brain ? pack<BFloat16>(high) : pack<Float16>(high);
  uint4 bits;
  bits.x = first.x, bits.y = first.y, bits.z = second.x, bits.w = second.y;
  static_cast<uint4 *>(array)[at / 8] = bits;
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
