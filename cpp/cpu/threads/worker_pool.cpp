#include "worker_pool.h"

#ifdef __wasm__  // one thread

namespace focal {

int32_t hardware_threads() { return 1; }

void CallWorkers::gather(int32_t, int64_t) {}
void CallWorkers::dismiss() {}
void CallWorkers::share_out(int64_t, void *, void (*)(void *, Turns &)) {}

}  // namespace focal

#else

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

#ifndef _WIN32
#include <pthread.h>
#endif
#ifdef __linux__
#include <sched.h>
#endif

namespace focal {

namespace {

constexpr int32_t most_threads = 1024;

using Clock = std::chrono::steady_clock;

// Waking a thread costs the caller some 7 us, and takes as long again or longer: two blocks' work at the least. So a
// thread that waits first looks for a while; not for long, as a process that calls now and then needs its processors
// for other things. Those asleep are woken for a call that is worth it, and for calls in close succession.
constexpr std::chrono::microseconds spin_time{50};
constexpr int64_t blocks_worth_waking = 64;

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb");
#endif
}

// Looks until `ready` or until the time is over; returns whether it is ready.
template <class F> bool spin_until(F ready) {
  const Clock::time_point end = Clock::now() + spin_time;
  do {
    for (int look = 0; look < 128; look++) {
      if (ready()) return true;
      relax();
    }
    std::this_thread::yield();  // to whom it waits for, where both are on one processor
  } while (Clock::now() < end);
  return ready();
}

}  // namespace

// Workers wait for calls, for a while wide awake, then asleep. The pool is never destroyed: at exit its threads end
// with the process.
class WorkerPool {
 public:
  static WorkerPool &get() {
    WorkerPool *pool = current.load(std::memory_order_acquire);
    if (!pool) {
      WorkerPool *const mine = new WorkerPool;
      if (current.compare_exchange_strong(pool, mine, std::memory_order_acq_rel)) pool = mine;
      else delete mine;
    }
    return *pool;
  }
  // A forked child has none of its parent's threads: it starts with a pool of its own.
  static void forget() { current.store(nullptr); }

  // Gives the caller the workers, unless another caller has them.
  bool lend() { return lent.try_lock(); }
  void take_back() {
    last_call = Clock::now();
    lent.unlock();
  }

  // How many of the workers wanted are to help with so many blocks.
  int32_t helpers_for(int64_t blocks, int32_t wanted) {
    spins = wanted < hardware_threads();
    const bool wakes = blocks >= blocks_worth_waking || (spins && Clock::now() < last_call + spin_time);
    return wakes ? grow(wanted) : std::min(wanted, workers - sleeping.load());
  }

  void run(int64_t blocks, int32_t helpers, void *context, void (*work)(void *, Turns &)) {
    Share shares[most_shares];
    const int32_t count = helpers + 1 < most_shares ? helpers + 1 : most_shares;
    for (int64_t k = 0; k < count; k++) shares[k].fill(blocks * k / count, blocks * (k + 1) / count);
    call = {shares, count, context, work};
    state.store(static_cast<uint32_t>(helpers));
    const int32_t awake = workers - sleeping.load();
    if (awake < helpers) rouse(helpers - awake);
    Turns turns(shares, count, 0);
    work(context, turns);
    state.fetch_and(~wanted_mask);  // whoever has not come by now need not come
    wait_for_helpers();
  }

 private:
  struct Call {
    Share *shares;
    int32_t count;
    void *context;
    void (*work)(void *, Turns &);
  };
  static constexpr int32_t most_shares = 64;  // more threads than that begin two by two

  // Starts workers until there are `count`; returns how many there are, which may be fewer.
  int32_t grow(int32_t count) {
    try {
      while (workers < count) {
        std::thread([this] { serve(); }).detach();
        workers++;
      }
    } catch (const std::system_error &) {
      // no more threads to be had: those there are will do
    }
    return workers < count ? workers : count;
  }

  // The lock: a worker that counts itself as sleeping but does not sleep yet holds it.
  void rouse(int32_t count) {
    { const std::lock_guard<std::mutex> lock(mutex); }
    while (count-- > 0) wake.notify_one();
  }

  bool all_helpers_left() const { return state.load() < one_active; }
  void wait_for_helpers() {
    if (all_helpers_left() || (spins && spin_until([this] { return all_helpers_left(); }))) return;
    std::unique_lock<std::mutex> lock(mutex);
    caller_sleeps.store(true);
    done.wait(lock, [this] { return all_helpers_left(); });
    caller_sleeps.store(false);
  }

  bool is_wanted() const { return (state.load() & wanted_mask) != 0; }
  void wait_for_call() {
    if (is_wanted() || (spins && spin_until([this] { return is_wanted(); }))) return;
    std::unique_lock<std::mutex> lock(mutex);
    sleeping++;
    wake.wait(lock, [this] { return is_wanted(); });
    sleeping--;
  }

  // Takes one of the slots that the open call offers: its number, from 1 on, or 0 where there is none.
  int32_t join() {
    uint32_t seen = state.load();
    while (seen & wanted_mask)
      if (state.compare_exchange_weak(seen, seen - 1 + one_active)) return static_cast<int32_t>(seen & wanted_mask);
    return 0;
  }

  void serve() {
    for (;;) {
      wait_for_call();
      const int32_t slot = join();
      if (slot == 0) continue;
      Turns turns(call.shares, call.count, slot % call.count);
      call.work(call.context, turns);
      if (state.fetch_sub(one_active) < 2 * one_active && caller_sleeps.load()) {
        const std::lock_guard<std::mutex> lock(mutex);
        done.notify_one();
      }
    }
  }

  static std::atomic<WorkerPool *> current;

  std::mutex lent;  // held by the one caller that has the workers; guards what is below
  int32_t workers = 0;
  Clock::time_point last_call{};

  // Low half: how many helpers the call still wants. High half: how many are at work. `call` stands still while
  // either is above 0. Sequentially consistent, as are the two below: each side first says what it does, then looks
  // at what the other side said.
  static constexpr uint32_t one_active = 0x10000, wanted_mask = one_active - 1;
  alignas(64) std::atomic<uint32_t> state{0};
  alignas(64) Call call{};
  std::atomic<bool> spins{false};  // fewer threads than processors
  std::atomic<int32_t> sleeping{0};
  std::atomic<bool> caller_sleeps{false};

  std::mutex mutex;
  std::condition_variable wake, done;
};

std::atomic<WorkerPool *> WorkerPool::current{nullptr};

namespace {

#ifndef _WIN32  // no process there is a copy of another
[[maybe_unused]] const int registered = pthread_atfork(nullptr, nullptr, WorkerPool::forget);
#endif

int32_t count_processors() {
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  const unsigned count = std::thread::hardware_concurrency();
  return count ? static_cast<int32_t>(count) : 1;
}

}  // namespace

int32_t hardware_threads() {
  static std::atomic<int32_t> known{0};
  int32_t count = known.load(std::memory_order_relaxed);
  if (count == 0) known.store(count = count_processors(), std::memory_order_relaxed);
  return count;
}

void CallWorkers::gather(int32_t threads, int64_t blocks) {
  WorkerPool &pool = WorkerPool::get();
  if (!pool.lend()) return;
  pool_ = &pool;
  helpers_ = pool.helpers_for(blocks, std::min(threads, most_threads) - 1);
}

void CallWorkers::dismiss() { pool_->take_back(); }

void CallWorkers::share_out(int64_t blocks, void *context, void (*work)(void *, Turns &)) {
  pool_->run(blocks, static_cast<int32_t>(std::min<int64_t>(helpers_, blocks - 1)), context, work);
}

}  // namespace focal

#endif
