// The one thread that owns a daemon's state.
//
// gRPC reactors, workers and timers post to it; nothing that blocks runs on it. ThreadEventLoop is the real one;
// FakeEventLoop (event_loop_fake.h) runs on simulated time, moved by Advance().
#ifndef MUSTER_BASE_EVENT_LOOP_H_
#define MUSTER_BASE_EVENT_LOOP_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"

namespace muster::base {

// A moment on both clocks. Decide by `mono_ms` (never jumps; its zero means nothing); show `unix_ms` (may jump).
struct Time {
  int64_t mono_ms = 0;
  int64_t unix_ms = 0;
};

class EventLoop {
 public:
  using Task = std::function<void()>;
  using TimerId = uint64_t;
  virtual ~EventLoop() = default;

  virtual Time Now() const = 0;
  // Any thread. Tasks run in the order of their posting.
  virtual void Post(Task task) = 0;
  // Any thread. Runs `task` once, not before `delay_ms` have passed.
  virtual TimerId RunAfter(int64_t delay_ms, Task task) = 0;
  // The task will not run, unless it has already begun. Unknown ids are ignored.
  virtual void Cancel(TimerId id) = 0;
};

class ThreadEventLoop final : public EventLoop {
 public:
  ThreadEventLoop() = default;
  // The thread that called Run() must have returned.
  ~ThreadEventLoop() override = default;

  Time Now() const override;
  void Post(Task task) override;
  TimerId RunAfter(int64_t delay_ms, Task task) override;
  void Cancel(TimerId id) override;

  // Runs tasks on the calling thread until Stop(), then those already posted.
  void Run();
  void Stop();

 private:
  using Clock = std::chrono::steady_clock;
  bool TakeWork(std::vector<Task>& work);

  Mutex mutex_;
  CondVar wake_;
  std::vector<Task> posted_ ABSL_GUARDED_BY(mutex_);
  std::map<std::pair<Clock::time_point, TimerId>, Task> timers_ ABSL_GUARDED_BY(mutex_);
  std::map<TimerId, Clock::time_point> deadlines_ ABSL_GUARDED_BY(mutex_);
  TimerId next_timer_ ABSL_GUARDED_BY(mutex_) = 1;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace muster::base

#endif  // MUSTER_BASE_EVENT_LOOP_H_
