// A planned call: what its threads do, and where they put what they find.
#pragma once

#include "cpu/targets/repairs.h"
#include "cpu/targets/target_scan.h"
#include "plan.h"
#include "cpu/threads/worker_pool.h"
#include "cpu/probability/probability.h"

namespace focal {

// Its targets are scanned part by part, by any threads; the scan is finished; its blocks are computed, by any threads; it is finished.
class Work {
 public:
  // Of each thread.
  static size_t scratch_bytes(const Plan &plan, const Kernels &kernels);
  // Of all threads: the sum of each block, and whether its labels are hard.
  static size_t shared_bytes(const Plan &plan);

  Work(Plan &plan, const Kernels &kernels, char *shared)
      : plan_(plan),
        kernels_(kernels),
        sums_(reinterpret_cast<double *>(shared)),
        target_scan_(plan, kernels, reinterpret_cast<uint8_t *>(sums_ + plan.blocks)),
        probabilities_(plan, kernels) {}

  int64_t parts() const { return target_scan_.parts() + probabilities_.parts(); }
  bool is_cancelled() const {
    const int32_t *const flag = plan_.problem.cancelled;
    return flag && __atomic_load_n(flag, __ATOMIC_RELAXED) != 0;
  }

  void scan(Turns &turns) {
    const int64_t targets = target_scan_.parts();
    for (int64_t first, last; !is_cancelled() && turns.next(&first, &last);) {
      if (first < targets) target_scan_.scan_parts(first, last < targets ? last : targets);
      if (last > targets) probabilities_.scan_parts(first > targets ? first - targets : 0, last - targets);
    }
  }
  FocalStatus finish_scan(FocalResult *result);
  void compute(Turns &turns, char *scratch) {
    for (int64_t first, last; !is_cancelled() && turns.next(&first, &last);) {
      if (plan_.hard_blocks) compute_alike(first, last, scratch);
      else kernels_.run_blocks(plan_, first, last, scratch, sums_);
    }
  }
  FocalStatus finish(FocalResult *result) const;


 private:
  Plan &plan_;
  const Kernels &kernels_;
  double *const sums_;
  TargetScan target_scan_;
  ProbabilityCheck probabilities_;
  Repairs repairs_;

  void compute_alike(int64_t first, int64_t last, char *scratch);
};

}  // namespace focal
