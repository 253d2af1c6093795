// Threads that each work on a device and say so again and again. Of one that has said nothing for too long the device,
// or a library that asks it, hangs; whoever waits for it in turn says nothing either, but has spoken later.
#ifndef MUSTER_SUITES_BENCHMARK_HANG_WATCH_H_
#define MUSTER_SUITES_BENCHMARK_HANG_WATCH_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace muster::benchmark {

class HangWatch {
 public:
  // Calls `hung` at most once, on a thread of its own, with the place that has been silent longest: for
  // `limit_seconds`.
  HangWatch(size_t places, double limit_seconds, std::function<void(size_t place)> hung);
  ~HangWatch();
  HangWatch(const HangWatch&) = delete;
  HangWatch& operator=(const HangWatch&) = delete;

  // From any thread. The place works.
  void Beat(size_t place);
  // The place is not watched any more.
  void Leave(size_t place);

 private:
  using Clock = std::chrono::steady_clock;

  void Run();

  const Clock::duration limit_;
  const std::function<void(size_t place)> hung_;
  std::mutex mutex_;
  std::condition_variable stopping_;
  bool stop_ = false;
  std::vector<std::optional<Clock::time_point>> last_;
  std::thread thread_;
};

}  // namespace muster::benchmark

#endif  // MUSTER_SUITES_BENCHMARK_HANG_WATCH_H_
