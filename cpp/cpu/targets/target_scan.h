// One look at the targets before anything is written: are their values allowed, and how many count?
#pragma once

#include <atomic>

#include "cpu/isa/dispatch.h"

namespace focal {

class TargetScan {
 public:
  // `hard_blocks`: room for one entry for each block_elements of the labels.
  TargetScan(Plan &plan, const Kernels &kernels, uint8_t *hard_blocks);

  // How many parts there are to scan.
  int64_t parts() const { return parts_; }

  // Scans parts first..last-1, on any thread.
  void scan_parts(int64_t first, int64_t last);

  // Once all parts have been scanned: are there labels outside of [0, 1], or to be taken for 1, or NaNs to be ignored? The kernels
  // know none of them (repairs.h).
  bool wants_repairs() const;

  // Once all parts have been scanned: fills elements, rows and positives of `result`, and the plan's hard_labels and
  // hard_blocks; or, of the first target that is not allowed, error_index and error_value.
  FocalStatus finish(FocalResult *result) const;

 private:
  struct Count;
  class Part;
  static constexpr int64_t nowhere = INT64_MAX;

  Plan &plan_;
  const Kernels &kernels_;
  uint8_t *const hard_blocks_;
  const bool by_index_;
  int64_t size_, part_, parts_;  // in rows or in elements, the first two
  Count (Part::*how_)(int64_t, int64_t) const;

  // Integers: the order in which the parts come in makes no difference.
  std::atomic<int64_t> elements_{0}, rows_{0}, positives_{0}, error_{nowhere};
  std::atomic<bool> hard_{false}, soft_{false};  // is there a block of the one kind, of the other?
  std::atomic<bool> unusual_{false};
};

}  // namespace focal
