// MPI for Node.js, as much of it as data-parallel training takes: ranks, all-reduce (waiting or not), broadcast, barrier.
// Arrays are worked on where they lie; nothing is copied. Everything runs on the thread that has called init().
#include <mpi.h>
#include <napi.h>

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>
#include <thread>
#include <unordered_map>

namespace {

using Clock = std::chrono::steady_clock;

/** All ranks, for the end of the program alone: a rank that is there is not taken for one in an all-reduce. */
MPI_Comm farewell = MPI_COMM_NULL;

/** How long a rank waits for the others before it takes one for dead. */
double limit_seconds = 0;
constexpr const char* why = "one has ended, hangs, or calls something else (joinMpi({ timeout }) changes the limit)";
/** As messages call this process. */
std::string self;
/** Between looks at the clock, which costs more than a look at a message, and turns of others: ranks may be more than cores. */
constexpr int looks = 1024;

std::string text_of(int code) {
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(code, text, &length);
  return std::string(text, static_cast<std::size_t>(length));
}

void check(Napi::Env env, const char* what, int code) {
  if (code != MPI_SUCCESS) throw Napi::Error::New(env, std::string(what) + " failed in MPI: " + text_of(code));
}

/** Spins until the request is done: a message between two ranks of one machine takes less than a sleep. */
void wait(Napi::Env env, const char* what, MPI_Request& request) {
  const auto begin = Clock::now();
  for (int done = 0;;) {
    for (int look = 0; look < looks; look++) {
      check(env, what, MPI_Test(&request, &done, MPI_STATUS_IGNORE));
      if (done) return;
    }
    std::this_thread::yield();
    if (std::chrono::duration<double>(Clock::now() - begin).count() > limit_seconds) {
      throw Napi::Error::New(env, std::string(what) + " has waited " + std::to_string(static_cast<long>(limit_seconds)) +
                                      " s for the other ranks; " + why);
    }
  }
}

/**
 * Waits, at most some seconds, until the launcher has read what this process has said: told to end a job, it drops what it has not read.
 * MPICH 4.0's said nothing about 2 of 40 jobs that ended.
 */
void wait_for_reader() {
  constexpr auto most = std::chrono::seconds(5);
  struct stat status {};
  if (fstat(STDERR_FILENO, &status) != 0) return;
  // Of a pipe its writer is told what is to be read, of a socket or a terminal what is to be sent
  const auto question = S_ISFIFO(status.st_mode) ? FIONREAD : TIOCOUTQ;
  const auto begin = Clock::now();
  for (int unread = 0; ioctl(STDERR_FILENO, question, &unread) == 0 && unread > 0 && Clock::now() - begin < most;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  // It passes on what it has read in a turn of its own
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
}

/**
 * Ends the process where a call of MPI's that cannot be left takes too long: the launcher then ends the job. MPI adds up large arrays
 * twice as fast in its waiting call as in the one that can be asked whether it is done.
 */
class Watchdog {
 public:
  /** While it lives, somebody waits for `what`. */
  class Watch {
   public:
    Watch(Watchdog& dog, const char* what) : dog_(dog) {
      dog_.what_ = what;
      dog_.deadline_ = (Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(limit_seconds))).time_since_epoch().count();
    }
    ~Watch() { dog_.deadline_ = 0; }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    Watchdog& dog_;
  };

  Watch watch(const char* what) {
    if (!awake_) {
      awake_ = true;
      std::thread([this] { look(); }).detach();
    }
    return Watch(*this, what);
  }

 private:
  [[noreturn]] void look() {
    for (;; std::this_thread::sleep_for(std::chrono::milliseconds(200))) {
      const auto deadline = deadline_.load();
      if (deadline == 0 || Clock::now().time_since_epoch().count() < deadline) continue;
      std::fprintf(stderr, "%s ends the job: Error: %s has waited %ld s for the other ranks; %s\n", self.c_str(), what_.load(), static_cast<long>(limit_seconds), why);
      wait_for_reader();
      _exit(1);
    }
  }

  bool awake_ = false;
  std::atomic<const char*> what_{nullptr};
  /** 0: nobody waits. */
  std::atomic<Clock::rep> deadline_{0};
};
Watchdog watchdog;

/** Fewer numbers are added up by the call that can be left. */
constexpr int many = 4096;

struct Numbers {
  void* data;
  int count;
  MPI_Datatype type;
};

Numbers numbers_of(Napi::Env env, const Napi::Value& value) {
  if (value.IsTypedArray()) {
    const auto array = value.As<Napi::TypedArray>();
    const auto type = array.TypedArrayType();
    if (array.ElementLength() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
      throw Napi::RangeError::New(env, "array has " + std::to_string(array.ElementLength()) + " numbers; expected at most 2147483647");
    }
    const int count = static_cast<int>(array.ElementLength());
    if (type == napi_float64_array) return {value.As<Napi::Float64Array>().Data(), count, MPI_DOUBLE};
    if (type == napi_float32_array) return {value.As<Napi::Float32Array>().Data(), count, MPI_FLOAT};
  }
  throw Napi::TypeError::New(env, "array is no Float32Array or Float64Array; expected one");
}

/** All-reduces that have begun: what keeps their arrays alive, by the number that JavaScript has of each. */
struct Pending {
  MPI_Request request;
  Napi::ObjectReference array;
};
std::unordered_map<std::uint32_t, Pending> pending;
std::uint32_t next_pending = 0;

Napi::Value init(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  limit_seconds = info[0].As<Napi::Number>().DoubleValue();
  int is_there = 0;
  MPI_Initialized(&is_there);
  if (!is_there) {
    int provided = 0;
    check(env, "init", MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided));
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    check(env, "init", MPI_Comm_dup(MPI_COMM_WORLD, &farewell));
  }
  int rank = 0;
  int size = 0;
  check(env, "init", MPI_Comm_rank(MPI_COMM_WORLD, &rank));
  check(env, "init", MPI_Comm_size(MPI_COMM_WORLD, &size));
  self = "rank " + std::to_string(rank) + " of " + std::to_string(size);
  char library[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  MPI_Get_library_version(library, &length);
  auto result = Napi::Object::New(env);
  result["rank"] = rank;
  result["size"] = size;
  result["library"] = Napi::String::New(env, library);  // Open MPI 4.1 counts the zero at the end too
  return result;
}

void all_reduce(const Napi::CallbackInfo& info) {
  const auto [data, count, type] = numbers_of(info.Env(), info[0]);
  if (count >= many) {
    const auto watch = watchdog.watch("allReduce");
    check(info.Env(), "allReduce", MPI_Allreduce(MPI_IN_PLACE, data, count, type, MPI_SUM, MPI_COMM_WORLD));
    return;
  }
  MPI_Request request;
  check(info.Env(), "allReduce", MPI_Iallreduce(MPI_IN_PLACE, data, count, type, MPI_SUM, MPI_COMM_WORLD, &request));
  wait(info.Env(), "allReduce", request);
}

Napi::Value begin_all_reduce(const Napi::CallbackInfo& info) {
  const auto [data, count, type] = numbers_of(info.Env(), info[0]);
  Pending begun{MPI_REQUEST_NULL, Napi::Persistent(info[0].As<Napi::Object>())};
  check(info.Env(), "allReduceAsync", MPI_Iallreduce(MPI_IN_PLACE, data, count, type, MPI_SUM, MPI_COMM_WORLD, &begun.request));
  pending.emplace(next_pending, std::move(begun));
  return Napi::Number::New(info.Env(), next_pending++);
}

/** Whether it is done; of one that is, nothing is left. */
Napi::Value is_done(const Napi::CallbackInfo& info) {
  const auto it = pending.find(info[0].As<Napi::Number>().Uint32Value());
  int done = 0;
  check(info.Env(), "allReduceAsync", MPI_Test(&it->second.request, &done, MPI_STATUS_IGNORE));
  if (done) pending.erase(it);
  else std::this_thread::yield();
  return Napi::Boolean::New(info.Env(), done != 0);
}

void broadcast(const Napi::CallbackInfo& info) {
  const auto [data, count, type] = numbers_of(info.Env(), info[0]);
  MPI_Request request;
  check(info.Env(), "broadcast", MPI_Ibcast(data, count, type, info[1].As<Napi::Number>().Int32Value(), MPI_COMM_WORLD, &request));
  wait(info.Env(), "broadcast", request);
}

void barrier(const Napi::CallbackInfo& info) {
  MPI_Request request;
  check(info.Env(), "barrier", MPI_Ibarrier(MPI_COMM_WORLD, &request));
  wait(info.Env(), "barrier", request);
}

/** Leaves the job once all ranks do: MPI_Finalize would wait for them without a limit, and a launcher for it. */
void finalize(const Napi::CallbackInfo& info) {
  MPI_Request request;
  check(info.Env(), "the end of the program", MPI_Ibarrier(farewell, &request));
  wait(info.Env(), "the end of the program", request);
  check(info.Env(), "the end of the program", MPI_Finalize());
}

/** Ends every rank of the job, this one included, once its last words are read. */
void abort_job(const Napi::CallbackInfo& info) {
  wait_for_reader();
  MPI_Abort(MPI_COMM_WORLD, info[0].As<Napi::Number>().Int32Value());
}

Napi::Object export_all(Napi::Env env, Napi::Object object) {
  object["init"] = Napi::Function::New(env, init);
  object["allReduce"] = Napi::Function::New(env, all_reduce);
  object["beginAllReduce"] = Napi::Function::New(env, begin_all_reduce);
  object["isDone"] = Napi::Function::New(env, is_done);
  object["broadcast"] = Napi::Function::New(env, broadcast);
  object["barrier"] = Napi::Function::New(env, barrier);
  object["finalize"] = Napi::Function::New(env, finalize);
  object["abort"] = Napi::Function::New(env, abort_job);
  return object;
}

}  // namespace

NODE_API_MODULE(focal_loss_mpi, export_all)
