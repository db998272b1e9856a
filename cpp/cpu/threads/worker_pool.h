// Threads for the blocks of one call.
#pragma once

#include <stdint.h>

#include <atomic>

namespace focal {

// How many threads this process may run at once. Asked of the system once: it is a system call.
int32_t hardware_threads();

// Blocks that a thread takes at a time, at most: in between it may be stopped, and others may help.
constexpr int64_t longest_turn = 32;

// A thread's part of the blocks: taken front to back in turns that get shorter, for others to help at the end.
class alignas(64) Share {
 public:
  void fill(int64_t first, int64_t end) {
    next_.store(first, std::memory_order_relaxed);
    end_ = end;
  }

  bool take(int64_t *first, int64_t *last) {
    int64_t from = next_.load(std::memory_order_relaxed), to;
    do {
      const int64_t left = end_ - from;
      if (left <= 0) return false;
      const int64_t half = left / 2;
      to = from + (half < 1 ? 1 : half > longest_turn ? longest_turn : half);
    } while (!next_.compare_exchange_weak(from, to, std::memory_order_relaxed));
    *first = from;
    *last = to;
    return true;
  }

 private:
  std::atomic<int64_t> next_;
  int64_t end_;
};

// What one thread of a call takes its blocks from: its own share first (the same one call after call, so its caches
// hold what it wrote there), then what the others have left.
class Turns {
 public:
  // All of them, for one thread.
  Turns(int64_t first, int64_t end) : next_(first), end_(end) {}
  Turns(Share *shares, int32_t count, int32_t own) : shares_(shares), count_(count), at_(own) {}

  // Blocks *first to *last - 1 are this thread's to do; false when there are none left.
  bool next(int64_t *first, int64_t *last) {
    if (!shares_) {
      *first = next_;
      *last = next_ = end_ - next_ > longest_turn ? next_ + longest_turn : end_;
      return *first < *last;
    }
    for (; tried_ < count_; tried_++, at_ = at_ + 1 == count_ ? 0 : at_ + 1)
      if (shares_[at_].take(first, last)) return true;
    return false;
  }

 private:
  int64_t next_ = 0, end_ = 0;
  Share *shares_ = nullptr;
  int32_t count_ = 0, at_ = 0, tried_ = 0;
};

class WorkerPool;

// The threads of one call: the caller, and the workers that pay for it. While one call has the pool's workers, other
// calls do without.
class CallWorkers {
 public:
  // At most `threads`; `blocks` says how much there is to do.
  CallWorkers(int32_t threads, int64_t blocks) {
    if (threads > 1 && blocks > 1) gather(threads < blocks ? threads : static_cast<int32_t>(blocks), blocks);
  }
  ~CallWorkers() {
    if (pool_) dismiss();
  }
  CallWorkers(const CallWorkers &) = delete;
  CallWorkers &operator=(const CallWorkers &) = delete;

  // Calls work(turns) on each thread, until every block in 0..blocks-1 has been taken and done. Who does which is left
  // open: results may depend on the block alone.
  template <class F> void run(int64_t blocks, F work) {
    if (helpers_ == 0 || blocks <= 1) {
      Turns all(0, blocks);
      return work(all);
    }
    share_out(blocks, &work, [](void *context, Turns &turns) { (*static_cast<F *>(context))(turns); });
  }

 private:
  void gather(int32_t threads, int64_t blocks);
  void dismiss();
  void share_out(int64_t blocks, void *context, void (*work)(void *context, Turns &turns));

  WorkerPool *pool_ = nullptr;  // while its workers are this call's
  int32_t helpers_ = 0;
};

}  // namespace focal
