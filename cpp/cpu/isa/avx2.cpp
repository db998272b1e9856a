// AVX2 and FMA: 8 floats a vector, 6 vectors a pack fill the pipes of Zen and Skylake without spills.
#define FOCAL_NAMESPACE avx2
#define FOCAL_VECTOR_BYTES 32
#define FOCAL_FLOAT_VECTORS 6
#define FOCAL_DOUBLE_VECTORS 4
#include "cpu/kernels.h"

namespace focal {
extern const Kernels avx2_kernels = avx2::kernels;
}
