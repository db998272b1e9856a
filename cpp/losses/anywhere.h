// An element-wise loss at any logit, finite or not, through the C library (FOCAL_LIBM).
#pragma once

#include "element.h"

namespace focal {
namespace FOCAL_NAMESPACE {

template <class Kernels>
FOCAL_INLINE Element<double> element_anywhere(const FocalProblem &p, double x, double y, double rest, double wp, double wn) {
  // Out there a loss is a straight line, which goes on along its tangent to infinity.
  constexpr double far = 1e270;
  const double near = x > far ? far : x < -far ? -far : x;
  Element<double> e = {0, 0, 0};
  Kernels::template exact<double>(p, [&](const auto &loss) { e = loss.template soft<true>(near, y, rest, wp, wn); });
  if (near != x && x == x && e.grad != 0) e.value += e.grad * (x - near);
  return e;
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
