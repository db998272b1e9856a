#!/usr/bin/env bash
# NEON's vector types are not those that a compiler's vector extension makes; SSE's and AVX's are.
#
# One would guess: a function for __m128 and one for float32x4_t are chosen alike for a vector of four floats that vector_size(16) made, as both convert to
#   each other without a word and have the same operators.
# What happens: __m128 is that vector's type, and float32x4_t is another. Beside a template for all vectors the one for __m128 is chosen and the one for
#   float32x4_t is not. Nothing warns: the template's a * b + c compiles, and rounds twice where the other, vfmaq_f32, rounds once.
# Versions: clang 14.0.6 and g++ 12.2.0 of Debian 12 (g++-aarch64-linux-gnu 12.2.0). Date: 2026-11-30.
# Why it matters here: the arm64 kernel's fused multiplication was never chosen, and float32 erred by 4.2e-6 where 2e-6 is allowed. Its
#   functions take the pack's own vectors now (cpp/pack.h), and test/engines runs the arm64 addon.
set -euo pipefail
command -v clang++ >/dev/null || { echo "clang++ is missing (Debian: apt-get install clang)" >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/types.cpp" <<'C'
#ifdef __aarch64__
#include <arm_neon.h>
using Own = float32x4_t;
#else
#include <xmmintrin.h>
using Own = __m128;
#endif
typedef float Vector __attribute__((vector_size(16)));
template <class V> constexpr bool takes_own(V) { return false; }
constexpr bool takes_own(Own) { return true; }
static_assert(__is_same(Own, Vector) == IS_SAME && takes_own(Vector{}) == IS_SAME);
C
# check WORDS WHETHER-SAME COMPILER...: exits where the compiler says otherwise
check() {
  local words=$1 same=$2
  shift 2
  "$@" -std=c++20 -DIS_SAME="$same" -fsyntax-only "$folder/types.cpp" || { echo "this has changed: $words"; exit 1; }
  echo "$words"
}
clang++ --version | head -n 1
check 'clang, x86-64: __m128 is the vector extension'"'"'s type, and its function is chosen' true clang++ --target=x86_64-linux-gnu
check 'clang, arm64: float32x4_t is another, and the template is chosen' false clang++ --target=aarch64-linux-gnu -ffreestanding
if command -v aarch64-linux-gnu-g++ >/dev/null; then
  aarch64-linux-gnu-g++ --version | head -n 1
  check 'GCC, arm64: float32x4_t is another, and the template is chosen' false aarch64-linux-gnu-g++
fi
