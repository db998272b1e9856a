// One call: make the plan, scan the targets, run the blocks, add up their sums in order. In one go, or step by step, by several who share the memory.
#include <new>

#include "aligned_memory.h"
#include "problem.h"
#include "cpu/isa/dispatch.h"
#include "cpu/threads/worker_pool.h"
#include "work.h"

namespace focal {

namespace {

// Null for what is no valid problem.
const Kernels *kernels_for(const FocalProblem &p) { return is_valid(p) ? choose_kernels(p.isa) : nullptr; }

// Memory that a thread keeps from call to call: asking the system each time costs more than a small problem does.
class ThreadMemory {
 public:
  ~ThreadMemory() { free_aligned(memory_); }

  // At least `bytes`, aligned for every vector; null where there is no more.
  char *reserve(size_t bytes) {
    if (bytes > bytes_) {
      release();
      memory_ = static_cast<char *>(allocate_aligned(bytes));
      if (!memory_) return nullptr;
      bytes_ = bytes;
    }
    return memory_;
  }
  void release_if_above(size_t bytes) {
    if (bytes_ > bytes) release();
  }

 private:
  char *memory_ = nullptr;
  size_t bytes_ = 0;

  void release() {
    free_aligned(memory_);
    memory_ = nullptr;
    bytes_ = 0;
  }
};
thread_local ThreadMemory thread_memory;
constexpr size_t kept_bytes = size_t(4) << 20;

size_t whole_lines(size_t bytes) { return (bytes + memory_alignment - 1) / memory_alignment * memory_alignment; }

int32_t run(const FocalProblem &p, FocalResult *result) {
  const Kernels *const kernels = kernels_for(p);
  if (!kernels) return FOCAL_BAD_PROBLEM;
  Plan plan = plan_of(p);
  if (plan.elements == 0) return result_of_nothing(p, result);

  const size_t scratch_bytes = Work::scratch_bytes(plan, *kernels);
  ThreadMemory &own = thread_memory;
  char *const memory = own.reserve(scratch_bytes + Work::shared_bytes(plan));
  if (!memory) return FOCAL_OUT_OF_MEMORY;

  Work work(plan, *kernels, memory + scratch_bytes);
  CallWorkers workers(p.threads > 0 ? p.threads : hardware_threads(), plan.blocks);
  workers.run(work.parts(), [&](Turns &turns) { work.scan(turns); });
  FocalStatus status = work.finish_scan(result);
  if (status != FOCAL_OK) return status;
  workers.run(plan.blocks, [&](Turns &turns) {
    ThreadMemory &here = thread_memory;
    // The caller has its memory already. A helper that gets none leaves the work to the others.
    char *const scratch = here.reserve(scratch_bytes);
    if (scratch) work.compute(turns, scratch);
    if (&here != &own) here.release_if_above(kept_bytes);
  });
  status = work.finish(result);
  own.release_if_above(kept_bytes);
  return status;
}

}  // namespace

}  // namespace focal

// What is kept from one step of a run to the next. Its memory follows in the same allocation.
struct FocalRun {
  focal::Plan plan;
  focal::Work work;
  char *const scratch;
  const size_t scratch_bytes;  // of each worker

  FocalRun(const focal::Plan &planned, const focal::Kernels &kernels, char *memory, size_t each, int32_t workers)
      : plan(planned), work(plan, kernels, memory + each * static_cast<size_t>(workers)), scratch(memory), scratch_bytes(each) {}

  bool is_empty() const { return plan.elements == 0; }
};

int32_t focal_run(const FocalProblem *problem, FocalResult *result) { return focal::run(*problem, result); }

int32_t focal_begin(const FocalProblem *problem, FocalRun **run) {
  const focal::Kernels *const kernels = focal::kernels_for(*problem);
  if (!kernels) return FOCAL_BAD_PROBLEM;
  const focal::Plan plan = focal::plan_of(*problem);
  const int32_t workers = problem->threads > 1 ? problem->threads : 1;
  const size_t own = focal::whole_lines(sizeof(FocalRun)), scratch = focal::Work::scratch_bytes(plan, *kernels);
  const size_t bytes = own + scratch * static_cast<size_t>(workers) + focal::Work::shared_bytes(plan);
  char *const memory = static_cast<char *>(focal::allocate_aligned(bytes));
  if (!memory) return FOCAL_OUT_OF_MEMORY;
  *run = new (memory) FocalRun(plan, *kernels, memory + own, scratch, workers);
  return FOCAL_OK;
}

int32_t focal_scan_parts(const FocalRun *run) { return run->is_empty() ? 0 : static_cast<int32_t>(run->work.parts()); }

void focal_scan(FocalRun *run, int32_t first, int32_t last) {
  focal::Turns turns(first, last);
  run->work.scan(turns);
}

int32_t focal_finish_scan(FocalRun *run, FocalResult *result) {
  return run->is_empty() ? focal::result_of_nothing(run->plan.problem, result) : run->work.finish_scan(result);
}

int32_t focal_blocks(const FocalRun *run) { return run->is_empty() ? 0 : static_cast<int32_t>(run->plan.blocks); }

void focal_compute(FocalRun *run, int32_t worker, int32_t first, int32_t last) {
  focal::Turns turns(first, last);
  run->work.compute(turns, run->scratch + run->scratch_bytes * static_cast<size_t>(worker));
}

int32_t focal_finish(FocalRun *run, FocalResult *result) { return run->is_empty() ? FOCAL_OK : run->work.finish(result); }

void focal_end(FocalRun *run) {
  run->~FocalRun();
  focal::free_aligned(run);
}

int32_t focal_hardware_threads(void) { return focal::hardware_threads(); }
