// An EventLoop on simulated time: nothing happens but what Advance() lets happen.
#ifndef MUSTER_BASE_EVENT_LOOP_FAKE_H_
#define MUSTER_BASE_EVENT_LOOP_FAKE_H_

#include <deque>
#include <map>
#include <utility>

#include "base/event_loop.h"

namespace muster::base {

class FakeEventLoop final : public EventLoop {
 public:
  Time Now() const override { return now_; }
  void Post(Task task) override { posted_.push_back(std::move(task)); }
  TimerId RunAfter(int64_t delay_ms, Task task) override {
    const TimerId id = next_timer_++;
    timers_.emplace(std::pair(now_.mono_ms + delay_ms, id), std::move(task));
    return id;
  }
  void Cancel(TimerId id) override {
    for (auto it = timers_.begin(); it != timers_.end(); ++it) {
      if (it->first.second == id) {
        timers_.erase(it);
        return;
      }
    }
  }

  // Runs what is posted, until nothing is.
  void RunPosted() {
    while (!posted_.empty()) {
      Task task = std::move(posted_.front());
      posted_.pop_front();
      task();
    }
  }
  // Moves both clocks by `by_ms`, running what falls due on the way, in order.
  void Advance(int64_t by_ms) {
    const int64_t until_ms = now_.mono_ms + by_ms;
    RunPosted();
    while (!timers_.empty() && timers_.begin()->first.first <= until_ms) {
      const auto first = timers_.begin();
      Move(first->first.first);
      Task task = std::move(first->second);
      timers_.erase(first);
      task();
      RunPosted();
    }
    Move(until_ms);
  }
  // The wall clock is set; the monotonic one goes on.
  void JumpWallClock(int64_t by_ms) { now_.unix_ms += by_ms; }

 private:
  void Move(int64_t mono_ms) {
    if (mono_ms <= now_.mono_ms) return;
    now_.unix_ms += mono_ms - now_.mono_ms;
    now_.mono_ms = mono_ms;
  }

  Time now_{.mono_ms = 0, .unix_ms = 1'800'000'000'000};
  std::deque<Task> posted_;
  std::map<std::pair<int64_t, TimerId>, Task> timers_;
  TimerId next_timer_ = 1;
};

}  // namespace muster::base

#endif  // MUSTER_BASE_EVENT_LOOP_FAKE_H_
