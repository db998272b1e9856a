// The number type of the kernels: `R` is a plain float or double, or a Pack of several native vectors.
//
// An operation on a Pack is a short unrolled loop over its vectors, so a formula written once on R is
// evaluated stage by stage, several vectors at a time, and hides the latency of each step. The vectors are
// those of GCC and clang (vector_size), so one source serves SSE2, AVX2, AVX-512, NEON and WebAssembly.
//
// Every file that is compiled for several instruction sets in one binary must live in FOCAL_NAMESPACE:
// the linker would merge equal templates of different instruction sets otherwise.
#pragma once

#include <math.h>
#include <stdint.h>
#include <string.h>

#include <utility>

#if defined(__x86_64__) && !defined(__CUDACC__)
#include <immintrin.h>
#elif defined(__aarch64__) && !defined(__CUDACC__)
#include <arm_neon.h>
#elif defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif

#ifndef FOCAL_NAMESPACE
#define FOCAL_NAMESPACE scalar
#endif

#ifdef __CUDACC__
#define FOCAL_INLINE __host__ __device__ __forceinline__
#define FOCAL_LAMBDA  // a lambda is as its function is
#define FOCAL_NOINLINE __host__ __device__ __noinline__
#else
#define FOCAL_INLINE inline __attribute__((always_inline))
#define FOCAL_LAMBDA __attribute__((always_inline))
#define FOCAL_NOINLINE __attribute__((noinline))  // what is not worth its size in every instance
#endif

namespace focal {
namespace FOCAL_NAMESPACE {

template <class T> struct Bits;
template <> struct Bits<float> { using Int = int32_t; };
template <> struct Bits<double> { using Int = int64_t; };

// ---- plain numbers --------------------------------------------------------------------------------------

template <class R> struct Number {  // float and double; Pack specialises it
  using Lane = R;
};

template <class To, class From> FOCAL_INLINE To bit_cast(From from) {
  static_assert(sizeof(To) == sizeof(From), "bit_cast keeps the size");
  To to;
  memcpy(&to, &from, sizeof to);
  return to;
}

FOCAL_INLINE int32_t as_int(float a) { return bit_cast<int32_t>(a); }
FOCAL_INLINE int64_t as_int(double a) { return bit_cast<int64_t>(a); }
FOCAL_INLINE float as_float(int32_t a) { return bit_cast<float>(a); }
FOCAL_INLINE double as_float(int64_t a) { return bit_cast<double>(a); }

// A sum that may leave the integers' range, where the bits are those of NaN. In C++ that is defined for unsigned ones only.
FOCAL_INLINE int32_t wrapping_sum(int32_t a, int32_t b) { return static_cast<int32_t>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b)); }
FOCAL_INLINE int64_t wrapping_sum(int64_t a, int64_t b) { return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b)); }
template <class I> FOCAL_INLINE I wrapping_sum(I a, I b) { return a + b; }  // packs

// a > b ? a : b, so a NaN in b comes through and one in a does not.
FOCAL_INLINE float larger(float a, float b) { return a > b ? a : b; }
FOCAL_INLINE double larger(double a, double b) { return a > b ? a : b; }
FOCAL_INLINE float smaller(float a, float b) { return a < b ? a : b; }
FOCAL_INLINE double smaller(double a, double b) { return a < b ? a : b; }
FOCAL_INLINE float select(bool mask, float a, float b) { return mask ? a : b; }
FOCAL_INLINE double select(bool mask, double a, double b) { return mask ? a : b; }
FOCAL_INLINE float negated(bool mask, float a) { return mask ? -a : a; }
FOCAL_INLINE double negated(bool mask, double a) { return mask ? -a : a; }
FOCAL_INLINE bool equal(float a, float b) { return a == b; }
FOCAL_INLINE bool equal(double a, double b) { return a == b; }
FOCAL_INLINE float absolute(float a) { return __builtin_fabsf(a); }
FOCAL_INLINE double absolute(double a) { return __builtin_fabs(a); }
FOCAL_INLINE float square_root(float a) { return __builtin_sqrtf(a); }
FOCAL_INLINE double square_root(double a) { return __builtin_sqrt(a); }

// a * b + c, in one rounding where the machine has it, and nothing else is: builds have contraction off, or the compiler would choose
// which products to fuse, and one expression would have other bits in another formula.
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA) || defined(FOCAL_GPU)
constexpr bool fused_muladd = true;
FOCAL_INLINE float muladd(float a, float b, float c) { return ::fmaf(a, b, c); }
FOCAL_INLINE double muladd(double a, double b, double c) { return ::fma(a, b, c); }
#else
constexpr bool fused_muladd = false;
FOCAL_INLINE float muladd(float a, float b, float c) { return a * b + c; }
FOCAL_INLINE double muladd(double a, double b, double c) { return a * b + c; }
#endif

// ---- packs ----------------------------------------------------------------------------------------------

#ifndef __CUDACC__

#if defined(__clang__)
#define FOCAL_UNROLL _Pragma("clang loop unroll(full)")
#else
#define FOCAL_UNROLL _Pragma("GCC unroll 16")
#endif

// `Vectors` native vectors of `Bytes` bytes, lanes of type T.
template <class T, int Bytes, int Vectors> struct Pack {
  using Lane = T;
  typedef T Vector __attribute__((vector_size(Bytes)));
  static constexpr int lanes = Bytes / static_cast<int>(sizeof(T));
  static constexpr int size = lanes * Vectors;
  Vector v[Vectors];

  Pack() = default;
  FOCAL_INLINE Pack(T a) {
    FOCAL_UNROLL for (int i = 0; i < Vectors; i++) v[i] = a - Vector{};
  }
  // Vector by vector: GCC copies a whole one through general registers at times, in pieces that no vector can be loaded from at once.
  FOCAL_INLINE Pack(const Pack &a) {
    FOCAL_UNROLL for (int i = 0; i < Vectors; i++) v[i] = a.v[i];
  }
  FOCAL_INLINE Pack &operator=(const Pack &a) {
    FOCAL_UNROLL for (int i = 0; i < Vectors; i++) v[i] = a.v[i];
    return *this;
  }

  static FOCAL_INLINE Pack load(const T *from) {
    Pack r;
    FOCAL_UNROLL for (int i = 0; i < Vectors; i++) memcpy(&r.v[i], from + i * lanes, Bytes);
    return r;
  }
  FOCAL_INLINE void store(T *to) const {
    FOCAL_UNROLL for (int i = 0; i < Vectors; i++) memcpy(to + i * lanes, &v[i], Bytes);
  }

#define FOCAL_BINARY(op)                                                                \
  friend FOCAL_INLINE Pack operator op(Pack a, Pack b) {                                \
    Pack r;                                                                             \
    FOCAL_UNROLL for (int i = 0; i < Vectors; i++) r.v[i] = a.v[i] op b.v[i];           \
    return r;                                                                           \
  }
  FOCAL_BINARY(+)
  FOCAL_BINARY(-)
  FOCAL_BINARY(*)
  FOCAL_BINARY(/)
#undef FOCAL_BINARY
  friend FOCAL_INLINE Pack operator-(Pack a) {
    Pack r;
    FOCAL_UNROLL for (int i = 0; i < Vectors; i++) r.v[i] = -a.v[i];
    return r;
  }

  using Integer = Pack<typename Bits<T>::Int, Bytes, Vectors>;
};

template <class T, int B, int N> struct Number<Pack<T, B, N>> {
  using Lane = T;
};

// Keeps the vectors of a pack in step. Compilers to WebAssembly write the operations of one vector down before those of the next, and
// engines (V8 from 13 on) execute them in that order: each operation would wait for the one before it. A statement that takes all
// vectors and gives them back ends that. It has no instruction, so wasm/build.sh must not have binaryen look for a better order.
template <class T, int B, int N> FOCAL_INLINE void in_step([[maybe_unused]] Pack<T, B, N> &a) {
#ifdef __wasm_simd128__
  auto *v = a.v;
  static_assert(N == 1 || N == 2 || N == 4 || N == 6, "one of those below");
  if constexpr (N == 2) asm("" : "+r"(v[0]), "+r"(v[1]));
  if constexpr (N == 4) asm("" : "+r"(v[0]), "+r"(v[1]), "+r"(v[2]), "+r"(v[3]));
  if constexpr (N == 6) asm("" : "+r"(v[0]), "+r"(v[1]), "+r"(v[2]), "+r"(v[3]), "+r"(v[4]), "+r"(v[5]));
#endif
}

// Integer packs carry bit patterns and the masks that comparisons give.
template <int B, int N> struct Pack<int32_t, B, N> {
  typedef int32_t Vector __attribute__((vector_size(B)));
  Vector v[N];
};
template <int B, int N> struct Pack<int64_t, B, N> {
  typedef int64_t Vector __attribute__((vector_size(B)));
  Vector v[N];
};

#define FOCAL_EACH(expression)                                   \
  FOCAL_UNROLL for (int i = 0; i < N; i++) r.v[i] = expression;  \
  return r;

#define FOCAL_INTEGER(T)                                                                                            \
  template <int B, int N> FOCAL_INLINE Pack<T, B, N> operator+(Pack<T, B, N> a, T b) {                              \
    Pack<T, B, N> r;                                                                                                \
    FOCAL_EACH(a.v[i] + b)                                                                                          \
  }                                                                                                                 \
  template <int B, int N> FOCAL_INLINE Pack<T, B, N> operator-(Pack<T, B, N> a, T b) {                              \
    Pack<T, B, N> r;                                                                                                \
    FOCAL_EACH(a.v[i] - b)                                                                                          \
  }                                                                                                                 \
  template <int B, int N> FOCAL_INLINE Pack<T, B, N> operator+(Pack<T, B, N> a, Pack<T, B, N> b) {                  \
    Pack<T, B, N> r;                                                                                                \
    FOCAL_EACH(a.v[i] + b.v[i])                                                                                     \
  }                                                                                                                 \
  template <int B, int N> FOCAL_INLINE Pack<T, B, N> operator-(Pack<T, B, N> a, Pack<T, B, N> b) {                  \
    Pack<T, B, N> r;                                                                                                \
    FOCAL_EACH(a.v[i] - b.v[i])                                                                                     \
  }                                                                                                                 \
  template <int B, int N> FOCAL_INLINE Pack<T, B, N> operator&(Pack<T, B, N> a, Pack<T, B, N> b) {                  \
    Pack<T, B, N> r;                                                                                                \
    FOCAL_EACH(a.v[i] & b.v[i])                                                                                     \
  }                                                                                                                 \
  template <int B, int N> FOCAL_INLINE Pack<T, B, N> operator<<(Pack<T, B, N> a, int b) {                           \
    Pack<T, B, N> r;                                                                                                \
    FOCAL_EACH(a.v[i] << b)                                                                                         \
  }                                                                                                                 \
  template <int B, int N> FOCAL_INLINE Pack<T, B, N> operator>>(Pack<T, B, N> a, int b) {                           \
    Pack<T, B, N> r;                                                                                                \
    FOCAL_EACH(a.v[i] >> b)                                                                                         \
  }
FOCAL_INTEGER(int32_t)
FOCAL_INTEGER(int64_t)
#undef FOCAL_INTEGER

// Bit casts between vectors of one size are free.
#define FOCAL_CASTS(Float, Int)                                                                   \
  template <int B, int N> FOCAL_INLINE Pack<Int, B, N> as_int(Pack<Float, B, N> a) {              \
    Pack<Int, B, N> r;                                                                            \
    FOCAL_EACH((typename Pack<Int, B, N>::Vector)a.v[i])                                          \
  }                                                                                               \
  template <int B, int N> FOCAL_INLINE Pack<Float, B, N> as_float(Pack<Int, B, N> a) {            \
    Pack<Float, B, N> r;                                                                          \
    FOCAL_EACH((typename Pack<Float, B, N>::Vector)a.v[i])                                        \
  }
FOCAL_CASTS(float, int32_t)
FOCAL_CASTS(double, int64_t)
#undef FOCAL_CASTS

template <class T, int B, int N>
FOCAL_INLINE typename Pack<T, B, N>::Integer operator>(Pack<T, B, N> a, Pack<T, B, N> b) {
  typename Pack<T, B, N>::Integer r;
  FOCAL_EACH((typename Pack<T, B, N>::Integer::Vector)(a.v[i] > b.v[i]))
}
template <class T, int B, int N>
FOCAL_INLINE typename Pack<T, B, N>::Integer equal(Pack<T, B, N> a, Pack<T, B, N> b) {
  typename Pack<T, B, N>::Integer r;
  FOCAL_EACH((typename Pack<T, B, N>::Integer::Vector)(a.v[i] == b.v[i]))
}
template <class I, class T, int B, int N>
FOCAL_INLINE Pack<T, B, N> select(Pack<I, B, N> mask, Pack<T, B, N> a, Pack<T, B, N> b) {
  Pack<T, B, N> r;
  FOCAL_EACH(mask.v[i] ? a.v[i] : b.v[i])
}

// a where the mask is all ones, and +0 where it is 0.
template <class I, class T, int B, int N> FOCAL_INLINE Pack<T, B, N> masked(Pack<I, B, N> mask, Pack<T, B, N> a) {
  return as_float(as_int(a) & mask);
}

// -a where the mask is all ones, a where it is 0.
template <class I, class T, int B, int N> FOCAL_INLINE Pack<T, B, N> negated(Pack<I, B, N> mask, Pack<T, B, N> a) {
  using Mask = typename Pack<I, B, N>::Vector;
  constexpr I sign = static_cast<I>(I(1) << (8 * sizeof(I) - 1));
  Pack<T, B, N> r;
  FOCAL_EACH((typename Pack<T, B, N>::Vector)((Mask)a.v[i] ^ (mask.v[i] & sign)))
}

// Masks of a pack's lanes, in memory. Vector by vector: what is copied as a whole may be copied in pieces, from which no vector can be
// loaded at once.
template <class R> FOCAL_INLINE typename R::Integer load_mask(const typename Bits<typename R::Lane>::Int *from) {
  typename R::Integer mask;
  FOCAL_UNROLL for (int i = 0; i < R::size / R::lanes; i++) memcpy(&mask.v[i], from + i * R::lanes, sizeof mask.v[i]);
  return mask;
}

// Is a lane not at most `limit`, or NaN? Comparisons of whole vectors end in few instructions, which no compiler finds by itself.
template <class T, int B> FOCAL_INLINE bool any_lane_above(Pack<T, B, 1> a, T limit) {
  const Pack<T, B, 1> bound(limit);
  const auto above = ~(a.v[0] <= bound.v[0]);
#if defined(__AVX512F__)
  if constexpr (B == 64) return _mm512_test_epi64_mask((__m512i)above, (__m512i)above) != 0;
#endif
#if defined(__AVX__)
  if constexpr (B == 32) return _mm256_movemask_ps((__m256)above) != 0;
#endif
#if defined(__x86_64__)
  if constexpr (B == 16) return _mm_movemask_ps((__m128)above) != 0;
#elif defined(__wasm_simd128__)
  if constexpr (B == 16) return wasm_v128_any_true((v128_t)above);
#endif
  uint64_t words[B / 8], set = 0;
  memcpy(words, &above, B);
  for (uint64_t word : words) set |= word;
  return set != 0;
}

// A bit for each lane that is above `limit`, the first in the lowest; NaN is not.
template <class T, int B> FOCAL_INLINE uint32_t lanes_above(Pack<T, B, 1> a, T limit) {
  const Pack<T, B, 1> bound(limit);
  const auto above = a.v[0] > bound.v[0];
  constexpr bool is_float = sizeof(T) == sizeof(float);
#if defined(__AVX512DQ__)
  if constexpr (B == 64 && is_float) return _mm512_movepi32_mask((__m512i)above);
  if constexpr (B == 64 && !is_float) return _mm512_movepi64_mask((__m512i)above);
#endif
#if defined(__AVX__)
  if constexpr (B == 32 && is_float) return static_cast<uint32_t>(_mm256_movemask_ps((__m256)above));
  if constexpr (B == 32 && !is_float) return static_cast<uint32_t>(_mm256_movemask_pd((__m256d)above));
#endif
#if defined(__x86_64__)
  if constexpr (B == 16 && is_float) return static_cast<uint32_t>(_mm_movemask_ps((__m128)above));
  if constexpr (B == 16 && !is_float) return static_cast<uint32_t>(_mm_movemask_pd((__m128d)above));
#elif defined(__wasm_simd128__)
  if constexpr (B == 16 && is_float) return wasm_i32x4_bitmask((v128_t)above);
  if constexpr (B == 16 && !is_float) return wasm_i64x2_bitmask((v128_t)above);
#endif
  uint32_t lanes = 0;
  for (int lane = 0; lane < Pack<T, B, 1>::lanes; lane++) lanes |= static_cast<uint32_t>(above[lane] & 1) << lane;
  return lanes;
}

template <class V> FOCAL_INLINE V muladd_lanes(V a, V b, V c) { return a * b + c; }
#if defined(__x86_64__) && defined(__FMA__)
FOCAL_INLINE __m128 muladd_lanes(__m128 a, __m128 b, __m128 c) { return _mm_fmadd_ps(a, b, c); }
FOCAL_INLINE __m128d muladd_lanes(__m128d a, __m128d b, __m128d c) { return _mm_fmadd_pd(a, b, c); }
FOCAL_INLINE __m256 muladd_lanes(__m256 a, __m256 b, __m256 c) { return _mm256_fmadd_ps(a, b, c); }
FOCAL_INLINE __m256d muladd_lanes(__m256d a, __m256d b, __m256d c) { return _mm256_fmadd_pd(a, b, c); }
#ifdef __AVX512F__
FOCAL_INLINE __m512 muladd_lanes(__m512 a, __m512 b, __m512 c) { return _mm512_fmadd_ps(a, b, c); }
FOCAL_INLINE __m512d muladd_lanes(__m512d a, __m512d b, __m512d c) { return _mm512_fmadd_pd(a, b, c); }
#endif
#elif defined(__aarch64__)
// Of a pack's own vectors: to the compiler NEON's are other types, and for functions of those the one above would be preferred
using VectorF = Pack<float, 16, 1>::Vector;
using VectorD = Pack<double, 16, 1>::Vector;
FOCAL_INLINE VectorF muladd_lanes(VectorF a, VectorF b, VectorF c) { return (VectorF)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b); }
FOCAL_INLINE VectorD muladd_lanes(VectorD a, VectorD b, VectorD c) { return (VectorD)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b); }
#endif

// max_ps and its kin are exactly a > b ? a : b, which GCC would spell in three instructions.
template <class V> FOCAL_INLINE V larger_lanes(V a, V b) { return a > b ? a : b; }
template <class V> FOCAL_INLINE V smaller_lanes(V a, V b) { return a < b ? a : b; }
#ifdef __x86_64__
#define FOCAL_EXTREMA(Vector, max, min)                                            \
  FOCAL_INLINE Vector larger_lanes(Vector a, Vector b) { return max(a, b); }       \
  FOCAL_INLINE Vector smaller_lanes(Vector a, Vector b) { return min(a, b); }
FOCAL_EXTREMA(__m128, _mm_max_ps, _mm_min_ps)
FOCAL_EXTREMA(__m128d, _mm_max_pd, _mm_min_pd)
#ifdef __AVX__
FOCAL_EXTREMA(__m256, _mm256_max_ps, _mm256_min_ps)
FOCAL_EXTREMA(__m256d, _mm256_max_pd, _mm256_min_pd)
#endif
#ifdef __AVX512F__
FOCAL_EXTREMA(__m512, _mm512_max_ps, _mm512_min_ps)
FOCAL_EXTREMA(__m512d, _mm512_max_pd, _mm512_min_pd)
#endif
#undef FOCAL_EXTREMA
#elif defined(__wasm_simd128__)
// pmax(b, a) is exactly that too. Of a comparison clang may make f32x4.max, which engines spell in eight.
#define FOCAL_EXTREMA(Lane, max, min)                                                     \
  using Lane##s = Pack<Lane, 16, 1>::Vector;                                              \
  FOCAL_INLINE Lane##s larger_lanes(Lane##s a, Lane##s b) { return (Lane##s)max(b, a); }  \
  FOCAL_INLINE Lane##s smaller_lanes(Lane##s a, Lane##s b) { return (Lane##s)min(b, a); }
FOCAL_EXTREMA(float, wasm_f32x4_pmax, wasm_f32x4_pmin)
FOCAL_EXTREMA(double, wasm_f64x2_pmax, wasm_f64x2_pmin)
#undef FOCAL_EXTREMA
#endif
template <class T, int B, int N> FOCAL_INLINE Pack<T, B, N> larger(Pack<T, B, N> a, Pack<T, B, N> b) {
  Pack<T, B, N> r;
  FOCAL_EACH(larger_lanes(a.v[i], b.v[i]))
}
template <class T, int B, int N> FOCAL_INLINE Pack<T, B, N> smaller(Pack<T, B, N> a, Pack<T, B, N> b) {
  Pack<T, B, N> r;
  FOCAL_EACH(smaller_lanes(a.v[i], b.v[i]))
}
template <class T, int B, int N> FOCAL_INLINE Pack<T, B, N> muladd(Pack<T, B, N> a, Pack<T, B, N> b, Pack<T, B, N> c) {
  Pack<T, B, N> r;
  FOCAL_UNROLL for (int i = 0; i < N; i++) r.v[i] = muladd_lanes(a.v[i], b.v[i], c.v[i]);
  in_step(r);
  return r;
}
template <class T, int B, int N> FOCAL_INLINE Pack<T, B, N> absolute(Pack<T, B, N> a) {
  using Vector = typename Pack<T, B, N>::Vector;
  using Mask = typename Pack<T, B, N>::Integer::Vector;
  constexpr typename Bits<T>::Int clear_sign = ~(typename Bits<T>::Int(1) << (8 * sizeof(T) - 1));
  Pack<T, B, N> r;
  FOCAL_EACH((Vector)((Mask)a.v[i] & clear_sign))
}
template <class T, int B, int N> FOCAL_INLINE Pack<T, B, N> square_root(Pack<T, B, N> a) {
  Pack<T, B, N> r;  // there is no vector form in the language: compilers make one instruction of this lane loop
  FOCAL_UNROLL for (int i = 0; i < N; i++)
    for (int lane = 0; lane < Pack<T, B, N>::lanes; lane++) r.v[i][lane] = square_root(a.v[i][lane]);
  return r;
}

// The pack's vectors added up to one. Sums are kept in one vector: several live through a nest of loops cost
// WebAssembly half its speed.
template <class T, int B, int N> FOCAL_INLINE Pack<T, B, 1> fold(Pack<T, B, N> a) {
  Pack<T, B, 1> r;
  r.v[0] = a.v[0];
  FOCAL_UNROLL for (int i = 1; i < N; i++) r.v[0] += a.v[i];
  return r;
}

// The squares of the pack's vectors added up, lane by lane.
template <class T, int B, int N> FOCAL_INLINE Pack<T, B, 1> fold_squares(Pack<T, B, N> a) {
  Pack<T, B, 1> r;
  r.v[0] = a.v[0] * a.v[0];
  FOCAL_UNROLL for (int i = 1; i < N; i++) r.v[0] = muladd_lanes(a.v[i], a.v[i], r.v[0]);
  return r;
}

// The larger of the pack's vectors, lane by lane.
template <class T, int B, int N> FOCAL_INLINE Pack<T, B, 1> fold_larger(Pack<T, B, N> a) {
  Pack<T, B, 1> r;
  r.v[0] = a.v[0];
  FOCAL_UNROLL for (int i = 1; i < N; i++) r.v[0] = larger_lanes(a.v[i], r.v[0]);
  return r;
}

// f over the lanes of one vector, halving it while there are halves.
template <class T, int B, class F, int... Lane>
FOCAL_INLINE T fold_halves(Pack<T, B, 1> a, F f, std::integer_sequence<int, Lane...>) {
  constexpr int half = sizeof...(Lane);
  Pack<T, B / 2, 1> low, high;
  low.v[0] = __builtin_shufflevector(a.v[0], a.v[0], Lane...);
  high.v[0] = __builtin_shufflevector(a.v[0], a.v[0], (Lane + half)...);
  return fold_lanes(f(low, high), f);
}
template <class T, int B, class F> FOCAL_INLINE T fold_lanes(Pack<T, B, 1> a, F f) {
  constexpr int lanes = Pack<T, B, 1>::size;
  if constexpr (B > 16) return fold_halves(a, f, std::make_integer_sequence<int, lanes / 2>());
  else if constexpr (lanes == 2) return f(a.v[0][0], a.v[0][1]);
  else return f(f(a.v[0][0], a.v[0][1]), f(a.v[0][2], a.v[0][3]));
}

template <class T, int Size> struct LaneNumbers {
  T number[Size];
  constexpr LaneNumbers() : number() {
    for (int i = 0; i < Size; i++) number[i] = static_cast<T>(i);
  }
};

// The first `count` lanes of a, and `fill` in the others.
template <class T, int B> FOCAL_INLINE Pack<T, B, 1> first_lanes(Pack<T, B, 1> a, int64_t count, T fill) {
  using P = Pack<T, B, 1>;
  static constexpr LaneNumbers<T, P::size> lane_numbers;
  return select(P(static_cast<T>(count)) > P::load(lane_numbers.number), a, P(fill));
}

// The sum of the lanes, in double and in one fixed order.
template <class T, int B, int N> FOCAL_INLINE double sum_lanes(Pack<T, B, N> a) {
  T lanes[Pack<T, B, N>::size];
  a.store(lanes);
  double sums[4] = {};  // four chains of additions instead of one
  for (int i = 0; i < Pack<T, B, N>::size; i++) sums[i % 4] += static_cast<double>(lanes[i]);
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

template <class T, int B, int N> FOCAL_INLINE T largest_lane(Pack<T, B, N> a) {
  T lanes[Pack<T, B, N>::size];
  a.store(lanes);
  T largest = lanes[0];
  for (int i = 1; i < Pack<T, B, N>::size; i++) largest = larger(lanes[i], largest);
  return largest;
}

#undef FOCAL_EACH
#endif  // __CUDACC__

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
