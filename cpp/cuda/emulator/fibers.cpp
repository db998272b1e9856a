// Threads of a block as fibers: each runs until it waits for others, then the next one has its turn. A fiber is begun by
// setcontext, and goes on by _longjmp, which asks nothing of the system.
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

#include <algorithm>
#include <bit>
#include <deque>
#include <memory>
#include <vector>

#include "cuda_runtime.h"

namespace emulator {

thread_local dim3 thread_index, block_index, block_size, grid_size;

namespace {

constexpr size_t stack_bytes = 64 << 10;
constexpr int lanes = 32;

struct Fiber {
  ucontext_t context;  // where it begins
  jmp_buf waiting;     // where it waits
  bool begun = false;
  std::unique_ptr<char[]> stack{new char[stack_bytes]};
  bool ended = true;
  uint64_t barriers = 0;
};

// Of some lanes of a warp: what each passes in, this time and the time before.
struct Exchange {
  unsigned mask = 0;
  uint64_t values[2][lanes] = {}, turns[lanes] = {};
  uint64_t arrived = 0;
};
using Warp = std::deque<Exchange>;  // one for each mask that it has used

struct Block {
  jmp_buf scheduler;
  std::vector<Fiber> fibers;
  std::vector<Warp> warps;
  uint64_t at_barrier = 0;
  unsigned size = 0, current = 0;
  bool moved = false;  // has any fiber got on since the last round?
  void (*body)(const void *) = nullptr;
  const void *arguments = nullptr;
};
thread_local Block block;

void enter() {
  block.body(block.arguments);
  block.fibers[block.current].ended = true;
  _longjmp(block.scheduler, 1);
}

void wait() {
  if (_setjmp(block.fibers[block.current].waiting) == 0) _longjmp(block.scheduler, 1);
}

// Until it waits or ends.
void go_on(Fiber &fiber) {
  if (_setjmp(block.scheduler) != 0) return;
  if (fiber.begun) _longjmp(fiber.waiting, 1);
  fiber.begun = true;
  setcontext(&fiber.context);
}

void run_block() {
  for (unsigned t = 0; t < block.size; t++) {
    Fiber &fiber = block.fibers[t];
    fiber.ended = fiber.begun = false;
    fiber.barriers = 0;
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.get();
    fiber.context.uc_stack.ss_size = stack_bytes;
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, enter, 0);
  }
  for (Warp &warp : block.warps) warp.clear();
  block.at_barrier = 0;
  for (unsigned left = block.size; left > 0;) {
    block.moved = false;
    left = 0;
    for (unsigned t = 0; t < block.size; t++) {
      if (block.fibers[t].ended) continue;
      block.current = t;
      thread_index = dim3(t);
      go_on(block.fibers[t]);
      if (block.fibers[t].ended) block.moved = true;
      else left++;
    }
    if (left > 0 && !block.moved) {
      fprintf(stderr, "emulator: %u of %u threads wait for threads that have ended or wait elsewhere\n", left, block.size);
      abort();
    }
  }
}

}  // namespace

cudaError_t run(dim3 grid, dim3 threads, void (*body)(const void *), const void *arguments) {
  if (const cudaError_t error = failure()) return error;
  block.size = threads.x;
  block.body = body;
  block.arguments = arguments;
  if (block.fibers.size() < threads.x) block.fibers.resize(threads.x);
  block.warps.resize((threads.x + lanes - 1) / lanes);
  block_size = threads;
  grid_size = grid;
  for (unsigned b = 0; b < grid.x; b++) {
    block_index = dim3(b);
    run_block();
  }
  return cudaSuccess;
}

void synchronize_block() {
  Fiber &fiber = block.fibers[block.current];
  fiber.barriers++;
  block.at_barrier++;
  block.moved = true;
  while (block.at_barrier < fiber.barriers * block.size) wait();
}

int lane() { return static_cast<int>(block.current % lanes); }

uint64_t exchange(unsigned mask, uint64_t value, int source) {
  Warp &warp = block.warps[block.current / lanes];
  auto found = std::find_if(warp.begin(), warp.end(), [mask](const Exchange &each) { return each.mask == mask; });
  if (found == warp.end()) found = warp.emplace(warp.end()), found->mask = mask;
  Exchange &here = *found;
  const int own = lane();
  const uint64_t turn = here.turns[own]++, parity = turn % 2, all = static_cast<uint64_t>(std::popcount(mask));
  here.values[parity][own] = value;
  here.arrived++;
  block.moved = true;
  while (here.arrived < (turn + 1) * all) wait();
  return here.values[parity][source % lanes];
}

float inexact(float x, float error) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  bits = (bits ^ (bits >> 15)) * 0x2C1B3C6Du;
  const float part = static_cast<float>(bits >> 16) / 32768.0f - 1.0f;
  return 1.0f + part * error;
}

}  // namespace emulator
