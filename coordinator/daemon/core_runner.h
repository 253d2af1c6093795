// Runs the core: brings it inputs, has its batches committed, and lets out what they say once they are durable.
//
// The core lives on one event loop (`loop`); commits run on a second one (`store_loop`), whose thread does nothing
// else. While a batch is being written the next one fills (a group commit), so latency is one commit and throughput
// grows with the load:
//
//   inputs ─► core ─► effects (filling) ─► batch in flight ─► messages, answers, changed runs
//                                           │ failed: again after a pause; nothing leaves, health says NOT_SERVING
//                                           └──────◄──────┘
//
// The runner, the core and the store must outlive both loops' last task: stop the loops first.
#ifndef MUSTER_COORDINATOR_DAEMON_CORE_RUNNER_H_
#define MUSTER_COORDINATOR_DAEMON_CORE_RUNNER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "base/event_loop.h"
#include "coordinator/core/core.h"
#include "coordinator/store/store.h"

namespace muster::coordinator {

class CoreRunner {
 public:
  // Runs on the loop: with OK when all that the core knew as its input was handled is durable; with an error when it
  // never will be, because the process ends while the store fails.
  using Answer = std::function<void(const absl::Status& durable)>;
  // Runs on the loop. May return no answer.
  using Input = std::function<Answer(Core& core, base::Time now)>;

  // Where things go, all called on the loop. Any may be empty.
  struct Outlets {
    std::function<void(Effects::Message message)> send;
    std::function<void(const std::string& run_id)> run_changed;
    std::function<void(const std::string& machine)> machine_changed;
    std::function<void(const absl::Status& store)> store_health;  // When it changes.
    std::function<void(const WriteBatch& batch, double seconds)> committed;
    std::function<void(const Core::Counts& counts)> counted;
    std::function<void(std::string_view line)> log;
  };

  CoreRunner(base::EventLoop& loop, base::EventLoop& store_loop, Store& store, Core& core, Outlets outlets);
  CoreRunner(const CoreRunner&) = delete;
  CoreRunner& operator=(const CoreRunner&) = delete;

  // Before the first input: what the core said when it was made, and its timers.
  void Start();

  // Any thread.
  void Submit(Input input);
  // False while commits fail: what is asked now may never be answered.
  bool store_works() const { return store_works_.load(std::memory_order_relaxed); }

  // Any thread. From here on a failed commit is not tried again; its answers are told so.
  void BeginShutdown();

  base::EventLoop& loop() { return loop_; }

 private:
  struct Pending {
    Effects effects;
    std::vector<Answer> answers;
  };

  void EndTurn();
  void Flush();
  void Commit();
  void OnCommitted(const absl::Status& status, double seconds);
  void Retry(const absl::Status& status);
  void Release(const absl::Status& durable);
  void FetchRun(std::string run_id);
  void ArmTimer();
  void Tick();

  base::EventLoop& loop_;
  base::EventLoop& store_loop_;
  Store& store_;
  Core& core_;
  const Outlets outlets_;
  std::atomic<bool> store_works_ = true;

  // Of the loop's thread.
  std::vector<Answer> answers_;  // Of inputs whose effects are still in the core.
  Pending in_flight_;            // Read by the store's thread while `committing_`.
  bool committing_ = false;
  bool turn_ends_ = false;  // EndTurn's task is posted.
  bool shutting_down_ = false;
  int64_t retry_delay_ms_ = 0;
  int64_t armed_for_mono_ms_;
  base::EventLoop::TimerId timer_ = 0;
};

// Rows of all tables and files.
size_t RowCount(const WriteBatch& batch);

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_DAEMON_CORE_RUNNER_H_
