// Where bytes are that are not 0, as bits.
#pragma once

#include "pack.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// A bit for each of 64 bytes that is not 0, the first in the lowest.
FOCAL_INLINE uint64_t set_bytes(const uint8_t *bytes) {
#if defined(__AVX512BW__)
  const __m512i all = _mm512_loadu_si512(bytes);
  return _mm512_test_epi8_mask(all, all);
#else
  constexpr int step =
#if defined(__AVX2__)
      32;
#elif defined(__SSE2__) || defined(__wasm_simd128__)
      16;
#else
      8;
#endif
  uint64_t bits = 0;
  FOCAL_UNROLL for (int at = 0; at < 64; at += step) {
#if defined(__AVX2__)
    const __m256i some = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(bytes + at));
    const uint32_t set = ~static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(some, _mm256_setzero_si256())));
#elif defined(__SSE2__)
    const __m128i some = _mm_loadu_si128(reinterpret_cast<const __m128i *>(bytes + at));
    const uint32_t set = ~static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(some, _mm_setzero_si128()))) & 0xFFFF;
#elif defined(__wasm_simd128__)
    const v128_t some = wasm_v128_load(bytes + at);
    const uint32_t set = ~static_cast<uint32_t>(wasm_i8x16_bitmask(wasm_i8x16_eq(some, wasm_i8x16_splat(0)))) & 0xFFFF;
#else
    constexpr uint64_t low = 0x7F7F7F7F7F7F7F7F, gather = 0x0102040810204080;
    uint64_t eight;
    memcpy(&eight, bytes + at, sizeof eight);
    const uint64_t each = ((((eight & low) + low) | eight) & ~low) >> 7;  // the lowest bit of each byte
    const uint64_t set = each * gather >> 56;
#endif
    bits |= static_cast<uint64_t>(set) << at;
  }
  return bits;
#endif
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
