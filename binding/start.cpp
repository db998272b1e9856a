// A call on a thread of its own. Node-API's own work queue: Node waits for it before it takes an environment down, so that a
// worker thread may end, and a process exit, in the middle of a call.
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "backing_store.h"
#include "call.h"

namespace {

// From start() to the end, wherever it comes: after it, nothing refers to the arrays any more.
class Task {
 public:
  Task(napi_env env, const FocalProblem &problem, Call *call, Run run)
      : env_(env), problem_(problem), call_(call), run_(std::move(run)) {
    problem_.cancelled = &call->cancelled;
  }
  ~Task() {
    for (const napi_ref held : held_) napi_delete_reference(env_, held);
    if (work_) napi_delete_async_work(env_, work_);
  }
  Task(const Task &) = delete;
  Task &operator=(const Task &) = delete;

  // Keeps an array from being collected, and its memory from being freed.
  void hold(napi_value array) {
    if (napi_create_reference(env_, array, 1, &held_[count_]) != napi_ok) throw Napi::Error::New(env_);
    memory_[count_] = backing_store_of(env_, array);
    count_++;
  }

  // A promise of the end. From here on the queue owns the task.
  napi_value queue() {
    napi_value name = nullptr, promise = nullptr;
    if (napi_create_string_utf8(env_, "focal-loss", NAPI_AUTO_LENGTH, &name) != napi_ok ||
        napi_create_async_work(env_, nullptr, name, run, end, this, &work_) != napi_ok ||
        napi_create_promise(env_, &deferred_, &promise) != napi_ok || napi_queue_async_work(env_, work_) != napi_ok)
      throw Napi::Error::New(env_);
    return promise;
  }

 private:
  napi_env env_;
  FocalProblem problem_;
  FocalResult result_{};
  int32_t status_ = FOCAL_CANCELLED;
  Call *call_;  // JavaScript's, held like the arrays
  Run run_;
  std::string failure_;  // what it threw
  napi_ref held_[ARGUMENTS + 1] = {};
  std::shared_ptr<void> memory_[ARGUMENTS + 1];
  int count_ = 0;
  napi_async_work work_ = nullptr;
  napi_deferred deferred_ = nullptr;

  // On the other thread.
  static void run(napi_env, void *data) {
    Task *const task = static_cast<Task *>(data);
    try {
      task->status_ = task->run_(&task->problem_, &task->result_);
    } catch (const std::exception &error) {
      task->failure_ = error.what();
    }
  }

  // On JavaScript's thread again. In an environment that is being taken down there is no JavaScript left to run, and what
  // Node-API answers no longer matters.
  static void end(napi_env env, napi_status, void *data) {
    const std::unique_ptr<Task> task(static_cast<Task *>(data));
    task->call_->result = task->result_;
    task->call_->status = task->status_;
    napi_value nothing = nullptr;
    napi_get_undefined(env, &nothing);
    if (task->failure_.empty()) {
      napi_resolve_deferred(env, task->deferred_, nothing);
      return;
    }
    napi_value message = nullptr, error = nullptr;
    napi_create_string_utf8(env, task->failure_.c_str(), NAPI_AUTO_LENGTH, &message);
    napi_create_error(env, nullptr, message, &error);
    napi_reject_deferred(env, task->deferred_, error);
  }
};

}  // namespace

Call *call_in(napi_env env, napi_value memory) {
  void *data = nullptr;
  size_t bytes = 0;
  if (napi_get_arraybuffer_info(env, memory, &data, &bytes) != napi_ok || bytes < sizeof(Call))
    throw Napi::TypeError::New(env, "memory is not an ArrayBuffer of a call's size");
  return static_cast<Call *>(data);
}

napi_value queue_call(napi_env env, Call *call, const FocalProblem &problem, const napi_value (&arguments)[1 + ARGUMENTS], Run run) {
  std::unique_ptr<Task> task(new Task(env, problem, call, std::move(run)));
  for (const napi_value argument : arguments) {
    napi_valuetype type = napi_null;
    napi_typeof(env, argument, &type);
    if (type == napi_object) task->hold(argument);
  }
  const napi_value promise = task->queue();
  task.release();
  return promise;
}
