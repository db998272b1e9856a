#include "pool.h"

#ifdef __wasm__  // one thread

namespace focal {

int32_t hardware_threads() { return 1; }

void for_each_run(int64_t blocks, int64_t, int32_t, void *context,
                  void (*work)(void *, int32_t, int64_t, int64_t)) {
  work(context, 0, 0, blocks);
}

}  // namespace focal

#else

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

#ifdef __linux__
#include <sched.h>
#endif

namespace focal {

namespace {

// Workers sleep between calls. The pool is never destroyed: at exit its threads end with the process.
class Pool {
 public:
  static Pool &get() {
    Pool *pool = current.load(std::memory_order_acquire);
    if (!pool) {
      static std::mutex creating;
      const std::lock_guard<std::mutex> lock(creating);
      pool = current.load(std::memory_order_acquire);
      if (!pool) {
        // A forked child has none of its parent's threads: it starts with a pool of its own.
        static const int registered = pthread_atfork(nullptr, nullptr, [] { current.store(nullptr); });
        (void)registered;
        pool = new Pool;
        current.store(pool, std::memory_order_release);
      }
    }
    return *pool;
  }

  void run(int64_t blocks, int64_t run, int32_t threads, void *context,
           void (*work)(void *, int32_t, int64_t, int64_t)) {
    // Another thread is in a call of its own: its workers are busy, so this one does without.
    std::unique_lock<std::mutex> only(calling, std::try_to_lock);
    if (!only.owns_lock()) return work(context, 0, 0, blocks);

    Call call{blocks, run, context, work};
    const int32_t helpers = grow(threads - 1);
    {
      const std::lock_guard<std::mutex> lock(mutex);
      job = &call;
      wanted = helpers;
      joined = 0;
    }
    wake.notify_all();
    call.drain(0);
    std::unique_lock<std::mutex> lock(mutex);
    job = nullptr;  // whoever has not come by now need not come
    done.wait(lock, [&] { return active == 0; });
  }

 private:
  struct Call {
    int64_t blocks, run;
    void *context;
    void (*work)(void *, int32_t, int64_t, int64_t);
    std::atomic<int64_t> next{0};

    void drain(int32_t worker) {
      for (;;) {
        const int64_t first = next.fetch_add(run, std::memory_order_relaxed);
        if (first >= blocks) return;
        work(context, worker, first, first + run < blocks ? first + run : blocks);
      }
    }
  };

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

  void serve() {
    std::unique_lock<std::mutex> lock(mutex);
    for (;;) {
      wake.wait(lock, [&] { return job && joined < wanted; });
      Call *const call = job;
      const int32_t worker = ++joined;
      active++;
      lock.unlock();
      call->drain(worker);
      lock.lock();
      if (--active == 0) done.notify_one();
    }
  }

  static std::atomic<Pool *> current;

  std::mutex calling;  // held by the one caller that has the workers
  int32_t workers = 0;

  std::mutex mutex;  // guards what is below
  std::condition_variable wake, done;
  Call *job = nullptr;
  int32_t wanted = 0, joined = 0, active = 0;
};

std::atomic<Pool *> Pool::current{nullptr};

}  // namespace

int32_t hardware_threads() {
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  const unsigned count = std::thread::hardware_concurrency();
  return count ? static_cast<int32_t>(count) : 1;
}

void for_each_run(int64_t blocks, int64_t run, int32_t threads, void *context,
                  void (*work)(void *, int32_t, int64_t, int64_t)) {
  if (threads <= 1 || blocks <= run) return work(context, 0, 0, blocks);
  Pool::get().run(blocks, run, threads, context, work);
}

}  // namespace focal

#endif
