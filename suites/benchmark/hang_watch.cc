#include "suites/benchmark/hang_watch.h"

#include <utility>

namespace muster::benchmark {

HangWatch::HangWatch(size_t places, double limit_seconds, std::function<void(size_t place)> hung)
    : limit_(std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(limit_seconds))),
      hung_(std::move(hung)),
      last_(places, Clock::now()),
      thread_([this] { Run(); }) {}

HangWatch::~HangWatch() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopping_.notify_all();
  thread_.join();
}

void HangWatch::Beat(size_t place) {
  const std::lock_guard lock(mutex_);
  if (last_[place]) last_[place] = Clock::now();
}

void HangWatch::Leave(size_t place) {
  const std::lock_guard lock(mutex_);
  last_[place] = std::nullopt;
}

// Sleeps until the place that is silent longest would be so for too long, and looks again.
void HangWatch::Run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    std::optional<size_t> silent;
    for (size_t place = 0; place < last_.size(); ++place) {
      if (last_[place] && (!silent || *last_[place] < *last_[*silent])) silent = place;
    }
    const Clock::time_point now = Clock::now();
    if (silent && now - *last_[*silent] >= limit_) {
      lock.unlock();
      hung_(*silent);
      return;
    }
    stopping_.wait_until(lock, silent ? *last_[*silent] + limit_ : now + limit_);
  }
}

}  // namespace muster::benchmark
