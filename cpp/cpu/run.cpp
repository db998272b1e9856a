// One call: make the plan, take the census, run the blocks, add up their sums in order.
#include <math.h>
#include <stdlib.h>

#include <initializer_list>

#include "../problem.h"
#include "census.h"
#include "isa/dispatch.h"
#include "pool.h"
#include "probability.h"

namespace focal {

namespace {

bool is_valid(const FocalProblem &p) {
  const auto between = [](int32_t value, int32_t low, int32_t high) { return value >= low && value <= high; };
  const bool element_wise = p.loss != FOCAL_SOFTMAX;
  const double elements = p.outer * p.classes * p.inner;
  return p.abi == FOCAL_ABI && between(p.loss, FOCAL_SIGMOID, FOCAL_ASYMMETRIC) &&
         (between(p.dtype, FOCAL_FLOAT32, FOCAL_FLOAT64) || is_half(p.dtype)) && between(p.targets_kind, FOCAL_DENSE, FOCAL_CLASS_INDEX) &&
         between(p.targets_dtype, FOCAL_FLOAT32, FOCAL_BFLOAT16) &&
         between(p.soft_targets, FOCAL_LINEAR, FOCAL_MIXTURE) && between(p.inputs, FOCAL_LOGITS, FOCAL_PROBABILITIES) && between(p.reduction, FOCAL_SUM, FOCAL_MEAN_POSITIVES) &&
         between(p.weights_per, FOCAL_ABSENT, element_wise ? FOCAL_PER_ELEMENT : FOCAL_PER_ROW) &&
         between(p.weights_dtype, FOCAL_FLOAT32, FOCAL_BFLOAT16) &&
         between(p.mask_per, FOCAL_ABSENT, element_wise ? FOCAL_PER_ELEMENT : FOCAL_PER_ROW) &&
         between(p.mask_dtype, FOCAL_FLOAT32, FOCAL_BFLOAT16) && p.gamma >= 0 && p.gamma < HUGE_VAL &&
         p.gamma_negative >= 0 && p.gamma_negative < HUGE_VAL && p.beta > -HUGE_VAL && p.beta < HUGE_VAL &&
         p.outer >= 0 && p.classes >= 0 && p.inner >= 0 && elements < 9007199254740992.0 &&
         (elements == 0 || (p.logits && p.targets && (p.weights_per == FOCAL_ABSENT || p.weights) &&
                            (p.mask_per == FOCAL_ABSENT || p.mask))) &&
         (element_wise || !p.hess) && (!p.class_positive || !element_wise || p.class_negative);
}

double denominator_of(const FocalProblem &p, const FocalResult &result) {
  if (p.normalizer == p.normalizer) return p.normalizer;
  double count = 1;
  switch (p.reduction) {
    case FOCAL_MEAN: count = p.loss == FOCAL_SOFTMAX ? result.rows : result.elements; break;
    case FOCAL_MEAN_ROWS: count = result.rows; break;
    case FOCAL_MEAN_POSITIVES: count = result.positives; break;
    default: break;
  }
  return count > 1 ? count : 1;
}

Plan make_plan(const FocalProblem &p) {
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
  // Past this a power is 0 or 1 for every float; float arithmetic stays finite below it.
  for (double *parameter : {&plan.problem.gamma, &plan.problem.gamma_negative, &plan.problem.beta})
    if (*parameter > 1e30) *parameter = 1e30;
  const double smooth = p.label_smoothing;
  plan.target_scale = 1 - smooth;
  plan.target_shift = p.loss == FOCAL_SOFTMAX ? smooth / p.classes : smooth / 2;
  plan.hard_labels = false;
  if (p.loss == FOCAL_SOFTMAX) {
    plan.rows_per_block = plan.classes < block_elements ? block_elements / (plan.classes > 0 ? plan.classes : 1) : 1;
    plan.blocks = (plan.rows + plan.rows_per_block - 1) / plan.rows_per_block;
  } else {
    plan.rows_per_block = 0;
    plan.blocks = (plan.elements + block_elements - 1) / block_elements;
  }
  return plan;
}

// Memory that a thread keeps from call to call: asking the system each time costs more than a small problem does.
class ThreadMemory {
 public:
  ~ThreadMemory() { free(memory_); }

  // At least `bytes`, aligned for every vector; null where there is no more.
  char *reserve(size_t bytes) {
    if (bytes > bytes_) {
      release();
      memory_ = static_cast<char *>(malloc(bytes + alignment));  // malloc: null, never an exception or an abort
      if (!memory_) return nullptr;
      bytes_ = bytes;
    }
    return memory_ + (alignment - reinterpret_cast<uintptr_t>(memory_) % alignment) % alignment;
  }
  void release_if_above(size_t bytes) {
    if (bytes_ > bytes) release();
  }

 private:
  static constexpr size_t alignment = 64;
  char *memory_ = nullptr;
  size_t bytes_ = 0;

  void release() {
    free(memory_);
    memory_ = nullptr;
    bytes_ = 0;
  }
};
thread_local ThreadMemory thread_memory;
constexpr size_t kept_bytes = size_t(4) << 20;

size_t whole_lines(size_t bytes) { return (bytes + 63) / 64 * 64; }

int32_t run(const FocalProblem &p, FocalResult *result) {
  *result = FocalResult{};
  if (!is_valid(p)) return FOCAL_BAD_PROBLEM;
  const Kernels *kernels = choose_kernels(p.isa);
  if (!kernels) return FOCAL_BAD_PROBLEM;
  Plan plan = make_plan(p);
  if (plan.elements == 0) {
    result->denominator = denominator_of(p, *result);
    return FOCAL_OK;
  }

  const size_t scratch_bytes = whole_lines(kernels->scratch_bytes(plan));
  ThreadMemory &own = thread_memory;
  char *const memory = own.reserve(scratch_bytes + static_cast<size_t>(plan.blocks) * sizeof(double));
  if (!memory) return FOCAL_OUT_OF_MEMORY;
  double *const sums = reinterpret_cast<double *>(memory + scratch_bytes);

  Team team(p.threads > 0 ? p.threads : hardware_threads(), plan.blocks);
  FocalStatus status = take_census(&plan, &team, result);
  if (status == FOCAL_OK && p.inputs == FOCAL_PROBABILITIES) status = check_probabilities(plan, &team, result);
  if (status != FOCAL_OK) return status;
  result->denominator = denominator_of(p, *result);
  plan.grad_divisor = result->denominator;
  plan.value_divisor = p.normalizer == p.normalizer ? p.normalizer : 1;
  plan.grad_scale = 1 / plan.grad_divisor;
  plan.value_scale = 1 / plan.value_divisor;
  plan.extreme_scale = !(plan.grad_scale > 1e-30 && plan.grad_scale < 1e30);

  team.run(plan.blocks, [&](Turns &turns) {
    ThreadMemory &here = thread_memory;
    // The caller has its memory already. A helper that gets none leaves the work to the others.
    char *const scratch = here.reserve(scratch_bytes);
    for (int64_t first, last; scratch && turns.next(&first, &last);)
      kernels->run_blocks(plan, first, last, scratch, sums);
    if (&here != &own) here.release_if_above(kept_bytes);
  });

  double sum = 0;
  for (int64_t block = 0; block < plan.blocks; block++) sum += sums[block];
  own.release_if_above(kept_bytes);
  result->sum = sum;
  return FOCAL_OK;
}

}  // namespace

}  // namespace focal

int32_t focal_run(const FocalProblem *problem, FocalResult *result) { return focal::run(*problem, result); }

int32_t focal_hardware_threads(void) { return focal::hardware_threads(); }
