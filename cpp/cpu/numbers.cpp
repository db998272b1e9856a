#include "numbers.h"

namespace focal {

namespace {

template <class S> Labels look(const S *labels, int64_t count) {
  int32_t bad = 0, positives = 0;
  for (int64_t k = 0; k < count; k++) {
    bad |= (labels[k] < S(0)) | (labels[k] > S(1));
    positives += labels[k] >= S(0.5) && labels[k] > S(0);  // 0.5 is 0 to an integer type
  }
  return {positives, bad != 0};
}

// Calls f with the array's address, typed, from `from` on.
template <class F> auto with_type(const void *array, int32_t dtype, int64_t from, F f) {
  switch (dtype) {
    case FOCAL_FLOAT32: return f(static_cast<const float *>(array) + from);
    case FOCAL_FLOAT64: return f(static_cast<const double *>(array) + from);
    case FOCAL_INT8: return f(static_cast<const int8_t *>(array) + from);
    case FOCAL_UINT8: return f(static_cast<const uint8_t *>(array) + from);
    case FOCAL_INT16: return f(static_cast<const int16_t *>(array) + from);
    case FOCAL_UINT16: return f(static_cast<const uint16_t *>(array) + from);
    case FOCAL_INT32: return f(static_cast<const int32_t *>(array) + from);
    default: return f(static_cast<const uint32_t *>(array) + from);
  }
}

}  // namespace

template <class T> void read_numbers(const void *array, int32_t dtype, int64_t from, int64_t count, T *to) {
  with_type(array, dtype, from, [&](auto *source) {
    for (int64_t k = 0; k < count; k++) to[k] = static_cast<T>(source[k]);
  });
}

template void read_numbers(const void *, int32_t, int64_t, int64_t, float *);
template void read_numbers(const void *, int32_t, int64_t, int64_t, double *);

Labels look_at_labels(const void *array, int32_t dtype, int64_t from, int64_t count) {
  return with_type(array, dtype, from, [&](auto *labels) { return look(labels, count); });
}

}  // namespace focal
