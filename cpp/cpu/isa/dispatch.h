// What there is once for each instruction set, and the dispatch list: which of them this build has, and which this processor runs.
#pragma once

#include "plan.h"

namespace focal {

// What `count` (at most 2^30) labels of an array are, from `from` on.
struct Labels {
  int32_t positives;  // of at least positive_from, which is above 0
  bool unusual;       // is one outside [0, 1], or NaN?
  bool hard;          // is each exactly 0 or 1?
};
// What labels are of those that are marked.
struct MarkedLabels { int32_t elements, positives; bool unusual; };

// What `count` (at most 2^30) class indices of a problem are, from `from` on.
struct Indices {
  int32_t rows;       // that are not ignored
  int32_t positives;  // of a class that is not the background
  bool bad;           // is one neither a class nor background nor ignored?
};

// One instruction set's kernels.
struct Kernels {
  size_t (*scratch_bytes)(const Plan &plan);
  // Computes blocks first..last-1 with `scratch` bytes of its own.
  void (*run_blocks)(const Plan &plan, int64_t first, int64_t last, void *scratch, double *sums);

  Indices (*look_at_indices)(const Plan &plan, int64_t from, int64_t count);
  Labels (*look_at_labels)(const void *array, int32_t dtype, int64_t from, int64_t count, double positive_from);
  // The same of those that are marked; `hard` says nothing.
  Labels (*look_at_marked_labels)(const void *array, int32_t dtype, int64_t from, int64_t count, double positive_from, const uint8_t *marks);
  // Marks labels that are neither masked nor ignored, where they and their mask, if there is one, are bytes. Returns whether they are bytes.
  bool (*mark_byte_labels)(const FocalProblem &problem, int64_t from, int64_t count, uint8_t *marks, MarkedLabels *found);
};

struct Isa {
  FocalIsa info;
  const Kernels *kernels;
};

// Best first; the last one always runs.
const Isa *isa_list(int32_t *count);

// The kernels for problem.isa, or null where it names none that runs here.
const Kernels *choose_kernels(int32_t isa);

}  // namespace focal
