// Half precision in memory, float in arithmetic: float16 (IEEE binary16) and bfloat16 (the upper half of a float).
//
// Reading is exact. Writing rounds to nearest even, subnormals included; what is too large becomes infinity. A NaN stays
// one, with its sign and its leading bits, and is quiet afterwards, as the processors' own instructions have it.
// Everything is integer arithmetic without branches, so that loops over it vectorise.
#pragma once

#include <type_traits>

#include "pack.h"
#include "problem.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// The bits of a float in three parts
constexpr int32_t float_infinity = 0x7F800000, float_magnitude = 0x7FFFFFFF, float_quiet = 0x00400000;
constexpr int32_t float_exponent_bias = 127 << 23;

struct Float16 {
  uint16_t bits;

  Float16() = default;
  FOCAL_INLINE explicit Float16(float from) {
    constexpr int32_t too_large = (127 + 16) << 23, smallest_normal = (127 - 14) << 23, half = (127 - 1) << 23;
    const int32_t all = as_int(from), a = all & float_magnitude;
    // Beside 1/2 a float ends where a subnormal float16 does, so that adding it rounds
    const int32_t subnormal = as_int(as_float(a) + as_float(half)) - half;
    const int32_t normal = (a - ((127 - 15) << 23) + 0xFFF + ((a >> 13) & 1)) >> 13;
    const int32_t not_finite = a > float_infinity ? 0x7E00 | ((a >> 13) & 0x3FF) : 0x7C00;
    const int32_t finite = a < smallest_normal ? subnormal : normal;
    bits = static_cast<uint16_t>((a >= too_large ? not_finite : finite) | ((all >> 16) & 0x8000));
  }
  FOCAL_INLINE operator float() const {
    constexpr int32_t infinity = 31 << 23, rebias = (127 - 15) << 23, smallest_normal = (127 - 14) << 23;
    const int32_t a = (bits & 0x7FFF) << 13, sign = static_cast<int32_t>(static_cast<uint32_t>(bits & 0x8000) << 16);
    const int32_t subnormal = as_int(as_float(a + smallest_normal) - as_float(smallest_normal));
    const int32_t not_finite = (a + 2 * rebias) | (a > infinity ? float_quiet : 0);
    return as_float((a >= infinity ? not_finite : a < (1 << 23) ? subnormal : a + rebias) | sign);
  }
};

struct BFloat16 {
  uint16_t bits;

  BFloat16() = default;
  FOCAL_INLINE explicit BFloat16(float from) {
    const int32_t all = as_int(from), a = all & float_magnitude;
    const int32_t rounded = static_cast<int32_t>(static_cast<uint32_t>(a + 0x7FFF + ((a >> 16) & 1)) >> 16);
    bits = static_cast<uint16_t>((a > float_infinity ? (a | float_quiet) >> 16 : rounded) | ((all >> 16) & 0x8000));
  }
  FOCAL_INLINE operator float() const {
    const int32_t all = static_cast<int32_t>(static_cast<uint32_t>(bits) << 16);
    return as_float(all | ((all & float_magnitude) > float_infinity ? float_quiet : 0));
  }
};

// Numbers into a kernel's scratch and back. Of the same type: a copy.
template <class T> FOCAL_INLINE void copy_numbers(const T *__restrict from, int64_t count, T *__restrict to) {
  memcpy(to, from, static_cast<size_t>(count) * sizeof(T));
}
template <class From, class To> FOCAL_INLINE void copy_numbers(const From *__restrict from, int64_t count, To *__restrict to) {
  for (int64_t k = 0; k < count; k++) to[k] = To(from[k]);
}

#ifdef __F16C__
// These instructions are exactly what Float16 spells out.
FOCAL_INLINE void copy_numbers(const Float16 *__restrict from, int64_t count, float *__restrict to) {
  int64_t k = 0;
#ifdef __AVX512F__
  for (; k + 16 <= count; k += 16)
    _mm512_storeu_ps(to + k, _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(from + k))));
#endif
  for (; k + 8 <= count; k += 8)
    _mm256_storeu_ps(to + k, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i *>(from + k))));
  for (; k < count; k++) to[k] = _cvtsh_ss(from[k].bits);
}
FOCAL_INLINE void copy_numbers(const float *__restrict from, int64_t count, Float16 *__restrict to) {
  constexpr int nearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  int64_t k = 0;
#ifdef __AVX512F__
  for (; k + 16 <= count; k += 16)
    _mm256_storeu_si256(reinterpret_cast<__m256i *>(to + k), _mm512_cvtps_ph(_mm512_loadu_ps(from + k), nearest));
#endif
  for (; k + 8 <= count; k += 8)
    _mm_storeu_si128(reinterpret_cast<__m128i *>(to + k), _mm256_cvtps_ph(_mm256_loadu_ps(from + k), nearest));
  for (; k < count; k++) to[k].bits = _cvtss_sh(from[k], nearest);
}
#endif

template <class T> struct Stored;
template <> struct Stored<float> { static constexpr int32_t dtype = FOCAL_FLOAT32; };
template <> struct Stored<double> { static constexpr int32_t dtype = FOCAL_FLOAT64; };

// Calls f with an array of logits or outputs, typed, from `from` on: T or one of the types that T stands in for.
template <class T, class Any, class F> FOCAL_INLINE void with_stored(Any *array, int32_t dtype, int64_t from, F f) {
  if constexpr (sizeof(T) == sizeof(float)) {
    using Half = std::conditional_t<std::is_const_v<Any>, const Float16, Float16>;
    using Brain = std::conditional_t<std::is_const_v<Any>, const BFloat16, BFloat16>;
    if (dtype == FOCAL_FLOAT16) return f(static_cast<Half *>(array) + from);
    if (dtype == FOCAL_BFLOAT16) return f(static_cast<Brain *>(array) + from);
  }
  f(static_cast<std::conditional_t<std::is_const_v<Any>, const T, T> *>(array) + from);
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
