#include "numbers.h"

namespace focal {

namespace {

template <class S, class T> void copy(const void *array, int64_t from, int64_t count, T *to) {
  const S *source = static_cast<const S *>(array) + from;
  for (int64_t k = 0; k < count; k++) to[k] = static_cast<T>(source[k]);
}

}  // namespace

template <class T> void read_numbers(const void *array, int32_t dtype, int64_t from, int64_t count, T *to) {
  switch (dtype) {
    case FOCAL_FLOAT32: return copy<float>(array, from, count, to);
    case FOCAL_FLOAT64: return copy<double>(array, from, count, to);
    case FOCAL_INT8: return copy<int8_t>(array, from, count, to);
    case FOCAL_UINT8: return copy<uint8_t>(array, from, count, to);
    case FOCAL_INT16: return copy<int16_t>(array, from, count, to);
    case FOCAL_UINT16: return copy<uint16_t>(array, from, count, to);
    case FOCAL_INT32: return copy<int32_t>(array, from, count, to);
    default: return copy<uint32_t>(array, from, count, to);
  }
}

template void read_numbers(const void *, int32_t, int64_t, int64_t, float *);
template void read_numbers(const void *, int32_t, int64_t, int64_t, double *);

}  // namespace focal
