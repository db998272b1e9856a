// What every processor of the architecture has: SSE2 on x86-64, NEON on AArch64, SIMD128 in WebAssembly.
#define FOCAL_NAMESPACE baseline
#define FOCAL_VECTOR_BYTES 16
#define FOCAL_FLOAT_VECTORS 6
#define FOCAL_DOUBLE_VECTORS 4
#include "cpu/kernels.h"

namespace focal {
extern const Kernels baseline_kernels = baseline::kernels;
}
