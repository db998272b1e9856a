// AVX-512: 16 floats a vector.
#define FOCAL_NAMESPACE avx512
#define FOCAL_VECTOR_BYTES 64
#define FOCAL_FLOAT_VECTORS 6
#define FOCAL_DOUBLE_VECTORS 4
#include "cpu/kernels.h"

namespace focal {
extern const Kernels avx512_kernels = avx512::kernels;
}
