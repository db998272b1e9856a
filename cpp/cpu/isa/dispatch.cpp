#include "dispatch.h"

#ifdef FOCAL_HAVE_AVX2
#include <cpuid.h>
#endif

namespace focal {

extern const Kernels baseline_kernels;
#ifdef FOCAL_HAVE_AVX2
extern const Kernels avx2_kernels;
#endif
#ifdef FOCAL_HAVE_AVX512
extern const Kernels avx512_kernels;
#endif

namespace {

#if defined(__x86_64__)
constexpr FocalIsa baseline_info{"sse2", "x86-64 baseline, 4 floats a vector", "sse2", 1};
#elif defined(__aarch64__)
constexpr FocalIsa baseline_info{"neon", "AArch64 baseline, 4 floats a vector", "neon", 1};
#elif defined(__wasm_simd128__)
constexpr FocalIsa baseline_info{"simd128", "WebAssembly SIMD, 4 floats a vector", "simd128", 1};
#else
constexpr FocalIsa baseline_info{"baseline", "as compiled, 4 floats a vector", "none", 1};
#endif

#ifdef FOCAL_HAVE_AVX2
// Clang's __builtin_cpu_supports does not know this one in every version
bool has_f16c() {
  unsigned a, b, c, d;
  return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}
#endif

struct List {
  Isa entries[3];
  int32_t count = 0;
  const Kernels *best = nullptr;

  List() {
#ifdef FOCAL_HAVE_AVX512
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") && has_f16c();
    add({"avx512", "AVX-512, 16 floats a vector", "avx512f avx512dq avx512vl avx512bw fma f16c", avx512}, &avx512_kernels);
#endif
#ifdef FOCAL_HAVE_AVX2
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
    add({"avx2", "AVX2 with FMA, 8 floats a vector", "avx2 fma f16c", avx2}, &avx2_kernels);
#endif
    add(baseline_info, &baseline_kernels);
  }
  void add(const FocalIsa &info, const Kernels *kernels) {
    entries[count++] = {info, kernels};
    if (!best && info.supported) best = kernels;
  }
};

const List &list() {
  static const List made;
  return made;
}

}  // namespace

const Isa *isa_list(int32_t *count) {
  *count = list().count;
  return list().entries;
}

const Kernels *choose_kernels(int32_t isa) {
  const List &all = list();
  if (isa == 0) return all.best;
  if (isa < 0 || isa > all.count) return nullptr;
  const Isa &chosen = all.entries[isa - 1];
  return chosen.info.supported ? chosen.kernels : nullptr;
}

}  // namespace focal

const FocalIsa *focal_isa(int32_t index) {
  int32_t count;
  const focal::Isa *list = focal::isa_list(&count);
  return index >= 0 && index < count ? &list[index].info : nullptr;
}
