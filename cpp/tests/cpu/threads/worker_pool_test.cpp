// The pool: it outlives forks and crowds, sleeps when there is nothing to do and holds no process back.
#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <random>
#include <thread>

#include "tests/support/problem_builder.h"

namespace {

// A sigmoid problem over some blocks, and what one thread makes of it.
struct Work {
  std::vector<float> logits, grad, want_grad;
  std::vector<int32_t> targets;
  FocalProblem p;
  FocalResult want;

  explicit Work(int rows) : logits(static_cast<size_t>(rows) * 80), grad(logits.size()), want_grad(logits.size()), targets(static_cast<size_t>(rows), -1) {
    std::mt19937 engine(static_cast<uint32_t>(rows));
    std::normal_distribution<float> normal(-2, 3);
    for (float &x : logits) x = normal(engine);
    for (size_t row = 0; row < targets.size(); row += 9) targets[row] = static_cast<int32_t>(row % 80);
    p = blank_problem(FOCAL_SIGMOID, rows, 80, 1);
    p.background = -1;
    p.threads = 1;
    set_logits(p, logits);
    set_targets(p, FOCAL_CLASS_INDEX, targets);
    set_outputs(p, nullptr, &want_grad, nullptr);
    REQUIRE(focal_run(&p, &want) == FOCAL_OK);
    set_outputs(p, nullptr, &grad, nullptr);
  }
  bool is_right_on(int32_t threads) {
    p.threads = threads;
    grad.assign(grad.size(), 42);
    FocalResult got;
    return focal_run(&p, &got) == FOCAL_OK && got.sum == want.sum && grad == want_grad;
  }
};

// How a forked process ends that runs `body`: its exit status, or -1 where it does not end in time.
template <class F> int status_of_fork(F body) {
  std::cout.flush();  // or a child that exits prints it again
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) body();
  for (int waited = 0; waited < 2000; waited++) {
    int status;
    if (waitpid(child, &status, WNOHANG) == child) return WIFEXITED(status) ? WEXITSTATUS(status) : -2;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return -1;
}

}  // namespace

TEST_CASE("a forked child has threads of its own") {
  Work work(4000);
  REQUIRE(work.is_right_on(3));
  for (int round = 0; round < 5; round++) {
    CHECK(status_of_fork([&] {
      bool right = true;
      for (int call = 0; call < 20; call++) right = right && work.is_right_on(3);
      _exit(right ? 0 : 1);
    }) == 0);
    CHECK(work.is_right_on(3));
  }
}

TEST_CASE("a child that is forked in the middle of another thread's call can call too") {
  Work work(2000);
  std::atomic<bool> over{false};
  bool right = true;
  std::thread caller([&] {
    Work busy(4000);
    while (!over) right = busy.is_right_on(2) && right;
  });
  for (int round = 0; round < 20; round++) CHECK(status_of_fork([&] { _exit(work.is_right_on(2) ? 0 : 1); }) == 0);
  over = true;
  caller.join();
  CHECK(right);
}

TEST_CASE("a process may exit right after a call on many threads") {
  Work work(4000);
  for (int round = 0; round < 5; round++)
    CHECK(status_of_fork([&] {
      const bool right = work.is_right_on(8);
      std::exit(right ? 7 : 1);
    }) == 7);
}

TEST_CASE("workers that have nothing to do sleep") {
  Work work(4000);
  const auto processor_seconds = [] { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; };
  for (const int32_t threads : {2, 8}) {
    for (int call = 0; call < 10; call++) REQUIRE(work.is_right_on(threads));
    const double before = processor_seconds();
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    CHECK(processor_seconds() - before < 0.01);
  }
}

TEST_CASE("any number of threads gives the same bits, few blocks or many, warm or asleep") {
  for (const int rows : {1, 50, 51, 101, 300, 1200, 3300}) {
    Work work(rows);
    for (const int32_t threads : {2, 3, 64, 5000}) {
      CAPTURE(rows);
      CAPTURE(threads);
      for (int call = 0; call < 30; call++) REQUIRE(work.is_right_on(threads));
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      REQUIRE(work.is_right_on(threads));
    }
  }
}

TEST_CASE("many callers at once, each with threads of its own") {
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (int caller = 0; caller < 8; caller++)
    callers.emplace_back([&, caller] {
      Work work(100 + 300 * caller);
      for (int call = 0; call < 200; call++) wrong += !work.is_right_on(2 + call % 3);
    });
  for (auto &caller : callers) caller.join();
  CHECK(wrong == 0);
}
