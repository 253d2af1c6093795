#include "base/event_loop.h"

namespace muster::base {

Time ThreadEventLoop::Now() const {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  return {.mono_ms = duration_cast<milliseconds>(Clock::now().time_since_epoch()).count(),
          .unix_ms = duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count()};
}

void ThreadEventLoop::Post(Task task) {
  MutexLock lock(mutex_);
  posted_.push_back(std::move(task));
  wake_.NotifyOne();
}

EventLoop::TimerId ThreadEventLoop::RunAfter(int64_t delay_ms, Task task) {
  MutexLock lock(mutex_);
  const TimerId id = next_timer_++;
  const Clock::time_point deadline = Clock::now() + std::chrono::milliseconds(delay_ms);
  timers_.emplace(std::pair(deadline, id), std::move(task));
  deadlines_.emplace(id, deadline);
  wake_.NotifyOne();
  return id;
}

void ThreadEventLoop::Cancel(TimerId id) {
  MutexLock lock(mutex_);
  const auto found = deadlines_.find(id);
  if (found == deadlines_.end()) return;
  timers_.erase({found->second, id});
  deadlines_.erase(found);
}

void ThreadEventLoop::Run() {
  std::vector<Task> work;
  while (TakeWork(work)) {
    for (Task& task : work) task();
    work.clear();
  }
}

void ThreadEventLoop::Stop() {
  MutexLock lock(mutex_);
  stopping_ = true;
  wake_.NotifyOne();
}

// Waits for work and moves all that is due into `work`. Returns false when stopped with nothing left.
bool ThreadEventLoop::TakeWork(std::vector<Task>& work) {
  MutexLock lock(mutex_);
  while (true) {
    work.swap(posted_);
    const Clock::time_point now = Clock::now();
    while (!stopping_ && !timers_.empty() && timers_.begin()->first.first <= now) {
      const auto first = timers_.begin();
      deadlines_.erase(first->first.second);
      work.push_back(std::move(first->second));
      timers_.erase(first);
    }
    if (!work.empty()) return true;
    if (stopping_) return false;
    if (timers_.empty()) {
      wake_.Wait(mutex_);
    } else {
      wake_.WaitUntil(mutex_, timers_.begin()->first.first);
    }
  }
}

}  // namespace muster::base
