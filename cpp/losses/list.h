// The kernel list: every element-wise loss by its number in problem.h. A new one adds its line.
#pragma once

#include "asymmetric.h"
#include "focal_star.h"
#include "heatmap_focal.h"
#include "quality_focal.h"
#include "sigmoid_focal.h"
#include "sigmoid_general.h"
#include "varifocal.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// Calls f with the kernels of an element-wise loss.
template <class F> FOCAL_INLINE void with_kernels(int32_t loss, F f) {
  switch (loss) {
    case FOCAL_STAR: return f(FocalStarKernels());
    case FOCAL_QUALITY: return f(QualityFocalKernels());
    case FOCAL_VARIFOCAL: return f(VarifocalKernels());
    case FOCAL_HEATMAP: return f(HeatmapFocalKernels());
    case FOCAL_ASYMMETRIC: return f(AsymmetricKernels());
    case FOCAL_SIGMOID_GENERAL: return f(SigmoidGeneralKernels());
    default: return f(SigmoidFocalKernels());
  }
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
