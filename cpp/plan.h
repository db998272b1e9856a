// A checked problem, made ready for the kernels. Plain data, shared by every instruction set and by GPUs.
#pragma once

#include "problem.h"

#ifdef __CUDACC__
#define FOCAL_ANYWHERE __host__ __device__
#else
#define FOCAL_ANYWHERE
#endif

namespace focal {

// A multiple of every pack (48 floats with AVX2, 96 with AVX-512), small enough that a block and its staging buffers
// stay in the first-level cache.
constexpr int block_elements = FOCAL_BLOCK_ELEMENTS;

// Above these a block (on GPUs an element) takes the double-precision fallback; above `softmax`, its rows are shifted.
template <class T> struct Limits;
template <> struct Limits<float> {
  static constexpr float logistic = 87.0f;     // e^x and e^-x are normal
  static constexpr float softmax = 40.0f;      // sums and ratios of up to 4096 exponentials stay finite
  static constexpr float softmax_long = 30.0f; // of any number
  static constexpr float shifted = 1e30f;      // losses of rows that are shifted by their maximum cannot overflow
  static constexpr float far = 256.0f;         // past it the difference of two logits is exact, or their exponentials' ratio is 0
  static constexpr float weight = 1e15f;       // weighted losses of a block cannot overflow
  static constexpr float square = 1e18f;       // its square is a number
};
template <> struct Limits<double> {
  static constexpr double logistic = 700.0;
  static constexpr double softmax = 340.0;
  static constexpr double softmax_long = 330.0;
  static constexpr double shifted = 1e290;
  static constexpr double far = 2048.0;
  static constexpr double weight = 1e280;
  static constexpr double square = 1e150;
};

FOCAL_ANYWHERE inline bool is_half(int32_t dtype) { return dtype == FOCAL_FLOAT16 || dtype == FOCAL_BFLOAT16; }

// How far outside of [0, 1] rounding may leave a label or a probability of a type, which then counts as 0 or 1: 1e-6, in half
// precision two units in the last place of 1.
FOCAL_ANYWHERE inline double tolerance_of(int32_t dtype) { return dtype == FOCAL_FLOAT16 ? 0x1p-9 : dtype == FOCAL_BFLOAT16 ? 0x1p-6 : 1e-6; }
// Of the sum of a row of probabilities.
FOCAL_ANYWHERE inline double sum_tolerance_of(int32_t dtype) { return tolerance_of(dtype) > 1e-3 ? tolerance_of(dtype) : 1e-3; }

// Is a number beyond [0, 1], and by more than rounding? A NaN is neither.
FOCAL_ANYWHERE inline bool is_outside(double y) { return y < 0 || y > 1; }
FOCAL_ANYWHERE inline bool is_far_outside(double y, double tolerance) { return y < -tolerance || y - 1 > tolerance; }

FOCAL_ANYWHERE inline bool ignores_nan(const FocalProblem &p) { return (p.flags & FOCAL_IGNORE_NAN) != 0; }
FOCAL_ANYWHERE inline bool renormalizes(const FocalProblem &p) { return (p.flags & FOCAL_RENORMALIZE) != 0; }
FOCAL_ANYWHERE inline bool is_ignored_target(const FocalProblem &p, double target) {
  return target == p.ignore_index || (ignores_nan(p) && target != target);
}
// A weight of the call's: what is infinite is no weight, as little as a NaN.
template <class T> FOCAL_ANYWHERE inline T weight_or_nan(T weight) { return weight + (weight - weight); }
// The gamma of a class.
FOCAL_ANYWHERE inline double gamma_of_class(const FocalProblem &p, int64_t cls) {
  return (p.flags & FOCAL_CLASS_GAMMAS) ? p.class_positive[static_cast<int64_t>(p.classes) + cls] : p.gamma;
}
FOCAL_ANYWHERE inline bool has_asymmetric_rows(const FocalProblem &p) { return (p.flags & FOCAL_ASYMMETRIC_ROWS) != 0; }
// Has a softmax factors that differ from class to class?
FOCAL_ANYWHERE inline bool has_factors_of_classes(const FocalProblem &p) { return (p.flags & (FOCAL_CLASS_GAMMAS | FOCAL_ASYMMETRIC_ROWS)) != 0; }
// The least label that counts as 1.
FOCAL_ANYWHERE inline double one_from(const FocalProblem &p) { return p.loss == FOCAL_HEATMAP ? p.positive_from : 1; }

// What outputs are divided by, known once the valid elements and rows, and the positives, are counted.
struct Divisors {
  double grad_divisor;             // the denominator, over the scale of derivatives
  double value_divisor;            // the normalizer, or 1
  double grad_scale, value_scale;  // one over these
  bool extreme_scale;              // too large or too small for float arithmetic: everything is computed in double

  FOCAL_ANYWHERE void divide_by(const FocalProblem &p, double denominator) {
    grad_divisor = denominator / p.grad_scale;
    value_divisor = p.normalizer == p.normalizer ? p.normalizer : 1;
    grad_scale = 1 / grad_divisor;
    value_scale = 1 / value_divisor;
    extreme_scale = !(grad_scale > 1e-28 && grad_scale < 1e30 && value_scale > 1e-28 && value_scale < 1e30);
  }
};

struct Plan : Divisors {
  FocalProblem problem;
  int64_t outer, classes, inner;  // classes == 1 is written as one row of `inner` positions
  int64_t rows, elements;
  int64_t blocks, rows_per_block;  // rows_per_block: softmax only
  double target_scale, target_shift;  // label smoothing: y becomes y * scale + shift
  bool hard_labels;                   // dense targets, each exactly 0 or 1, none smoothed or skipped
  bool every_row_has_class;           // class indices of a softmax: none is ignored, masked or the background
  const uint8_t *hard_blocks;         // which blocks have such, where they differ; else null

  FOCAL_ANYWHERE bool skips() const {  // may some elements not be valid (neither masked nor ignored)?
    return problem.mask_per != FOCAL_ABSENT || problem.ignore_index == problem.ignore_index || ignores_nan(problem);
  }
  FOCAL_ANYWHERE bool weighted() const { return problem.weights_per != FOCAL_ABSENT || problem.class_positive != nullptr; }
};

// Is it one that the kernels can run?
bool is_valid(const FocalProblem &problem);

Plan plan_of(const FocalProblem &problem);

// What the reduction, or the normalizer, divides by.
FOCAL_ANYWHERE inline double denominator_of(const FocalProblem &p, double elements, double rows, double positives) {
  if (p.normalizer == p.normalizer) return p.normalizer;
  double count = 1;
  switch (p.reduction) {
    case FOCAL_MEAN: count = p.loss == FOCAL_SOFTMAX ? rows : elements; break;
    case FOCAL_MEAN_ROWS: count = rows; break;
    case FOCAL_MEAN_POSITIVES: count = positives; break;
    default: break;
  }
  return count > 1 ? count : 1;
}

// The result of a problem without elements.
FocalStatus result_of_nothing(const FocalProblem &problem, FocalResult *result);

}  // namespace focal
