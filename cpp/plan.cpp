#include "plan.h"

#include <math.h>

namespace focal {

bool is_valid(const FocalProblem &p) {
  const auto between = [](int32_t value, int32_t low, int32_t high) { return value >= low && value <= high; };
  const auto is_power = [](double value) { return value >= 0 && value <= FOCAL_LARGEST_POWER; };
  const bool element_wise = p.loss != FOCAL_SOFTMAX;
  const double elements = p.outer * p.classes * p.inner;
  const auto takes = [&](int32_t derivatives) { return derivatives == p.dtype || (is_half(p.dtype) && derivatives == FOCAL_FLOAT32); };
  return p.abi == FOCAL_ABI && between(p.loss, FOCAL_SIGMOID, FOCAL_SIGMOID_GENERAL) &&
         (between(p.dtype, FOCAL_FLOAT32, FOCAL_FLOAT64) || is_half(p.dtype)) && takes(p.grad_dtype) && takes(p.hess_dtype) && p.grad_scale > 0 &&
         between(p.targets_kind, FOCAL_DENSE, FOCAL_CLASS_INDEX) &&
         between(p.targets_dtype, FOCAL_FLOAT32, FOCAL_BFLOAT16) &&
         between(p.soft_targets, FOCAL_LINEAR, FOCAL_MIXTURE) && between(p.inputs, FOCAL_LOGITS, FOCAL_PROBABILITIES) && between(p.flags, 0, FOCAL_IGNORE_NAN | FOCAL_RENORMALIZE | FOCAL_CLASS_GAMMAS | FOCAL_ASYMMETRIC_ROWS) && (!(p.flags & FOCAL_CLASS_GAMMAS) || p.class_positive) && (!has_asymmetric_rows(p) || p.targets_kind == FOCAL_CLASS_INDEX) && between(p.reduction, FOCAL_SUM, FOCAL_MEAN_POSITIVES) &&
         between(p.weights_per, FOCAL_ABSENT, element_wise ? FOCAL_PER_ELEMENT : FOCAL_PER_ROW) &&
         between(p.weights_dtype, FOCAL_FLOAT32, FOCAL_BFLOAT16) &&
         between(p.mask_per, FOCAL_ABSENT, FOCAL_PER_ELEMENT) &&
         between(p.mask_dtype, FOCAL_FLOAT32, FOCAL_BFLOAT16) && is_power(p.gamma) && (p.loss != FOCAL_STAR || p.gamma >= FOCAL_LEAST_STAR_GAMMA) && is_power(p.gamma_negative) && is_power(fabs(p.beta)) &&
         p.outer >= 0 && p.classes >= 0 && p.inner >= 0 && elements < 9007199254740992.0 &&
         (elements == 0 || (p.logits && p.targets && (p.weights_per == FOCAL_ABSENT || p.weights) &&
                            (p.mask_per == FOCAL_ABSENT || p.mask))) &&
         (!p.class_positive || !element_wise || p.class_negative);
}

Plan plan_of(const FocalProblem &p) {
  Plan plan;  // not cleared: it is most of a small problem's time in here
  plan.problem = p;
  plan.outer = static_cast<int64_t>(p.outer);
  plan.classes = static_cast<int64_t>(p.classes);
  plan.inner = static_cast<int64_t>(p.inner);
  plan.rows = plan.outer * plan.inner;
  plan.elements = plan.rows * plan.classes;
  if (plan.classes == 1 && p.loss != FOCAL_SOFTMAX) {
    plan.outer = 1;
    plan.inner = plan.rows;
  }
  // Labels between 0 and 1 cannot stand for "ignore", and rows of probabilities have no such value.
  if (p.targets_kind == FOCAL_DENSE && (p.loss == FOCAL_SOFTMAX || (p.ignore_index >= 0 && p.ignore_index <= 1)))
    plan.problem.ignore_index = NAN;
  plan.problem.least_hess *= p.grad_scale;
  const double smooth = p.label_smoothing;
  plan.target_scale = 1 - smooth;
  plan.target_shift = p.loss == FOCAL_SOFTMAX ? smooth / p.classes : smooth / 2;
  if (p.loss == FOCAL_SOFTMAX) {
    plan.rows_per_block = plan.classes < block_elements ? block_elements / (plan.classes > 0 ? plan.classes : 1) : 1;
    plan.blocks = (plan.rows + plan.rows_per_block - 1) / plan.rows_per_block;
  } else {
    plan.rows_per_block = 0;
    plan.blocks = (plan.elements + block_elements - 1) / block_elements;
  }
  return plan;
}

FocalStatus result_of_nothing(const FocalProblem &p, FocalResult *result) {
  *result = FocalResult{};
  result->denominator = denominator_of(p, 0, 0, 0);
  result->sum = p.sum_before;
  return FOCAL_OK;
}

}  // namespace focal
