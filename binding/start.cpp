// A call on a thread of its own. Node-API's own work queue: Node waits for it before it takes an environment down, so that a
// worker thread may end, and a process exit, in the middle of a call.
#include <memory>
#include <new>

#include "call.h"

namespace {

// From start() to the end, wherever it comes: after it, nothing refers to the arrays any more.
class Task {
 public:
  Task(napi_env env, const FocalProblem &problem, Call *call) : env_(env), problem_(problem), call_(call) {
    problem_.cancelled = &call->cancelled;
  }
  ~Task() {
    for (const napi_ref held : held_) napi_delete_reference(env_, held);
    if (work_) napi_delete_async_work(env_, work_);
  }
  Task(const Task &) = delete;
  Task &operator=(const Task &) = delete;

  // Keeps an array from being collected.
  void hold(napi_value array) {
    if (napi_create_reference(env_, array, 1, &held_[count_]) != napi_ok) throw Napi::Error::New(env_);
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
  napi_ref held_[ARGUMENTS + 1] = {};
  int count_ = 0;
  napi_async_work work_ = nullptr;
  napi_deferred deferred_ = nullptr;

  // On the other thread.
  static void run(napi_env, void *data) {
    Task *const task = static_cast<Task *>(data);
    task->status_ = focal_run(&task->problem_, &task->result_);
  }

  // On JavaScript's thread again. In an environment that is being taken down there is no JavaScript left to run, and what
  // Node-API answers no longer matters.
  static void end(napi_env env, napi_status, void *data) {
    const std::unique_ptr<Task> task(static_cast<Task *>(data));
    task->call_->result = task->result_;
    task->call_->status = task->status_;
    napi_value nothing = nullptr;
    napi_get_undefined(env, &nothing);
    napi_resolve_deferred(env, task->deferred_, nothing);
  }
};

}  // namespace

napi_value Start(napi_env env, napi_callback_info info) {
  return as_javascript(env, [&]() -> napi_value {
    napi_value arguments[1 + ARGUMENTS];
    size_t count = 1 + ARGUMENTS, bytes = 0;
    napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
    void *memory = nullptr;
    if (napi_get_arraybuffer_info(env, arguments[0], &memory, &bytes) != napi_ok || bytes < sizeof(Call))
      throw Napi::TypeError::New(env, "memory is not an ArrayBuffer of a call's size");
    Call *const call = static_cast<Call *>(memory);
    FocalProblem problem = call->problem;
    call->status = point_to_arrays(env, arguments + 1, &problem);
    if (call->status == OVERLAP) return nullptr;

    std::unique_ptr<Task> task(new Task(env, problem, call));
    for (const napi_value argument : arguments) {
      napi_valuetype type = napi_null;
      napi_typeof(env, argument, &type);
      if (type == napi_object) task->hold(argument);
    }
    const napi_value promise = task->queue();
    task.release();
    return promise;
  });
}
