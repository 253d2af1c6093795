// Runs as they change, for those who watch them: one reading of the core serves all watchers of a run.
//
// A change is told at once when the last one is some time ago; while changes pour in, readings are spaced so that they
// cost the loop a small share of its time, and each shows the newest state. All but Attach and Detach is on the loop.
#ifndef MUSTER_COORDINATOR_API_RUN_FEED_H_
#define MUSTER_COORDINATOR_API_RUN_FEED_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "coordinator/daemon/core_runner.h"
#include "coordinator/daemon/worker_pool.h"

namespace muster::coordinator {

// A run at one moment.
struct RunView {
  StoredRun stored;
  std::vector<v1::RunningCase> running;
};

class RunListener {
 public:
  virtual ~RunListener() = default;
  // Any thread, must not block. A view whose run has ended is the last.
  virtual void Offer(std::shared_ptr<const RunView> view) = 0;
  virtual void End(const absl::Status& status) = 0;
};

class RunFeed {
 public:
  // All outlive the feed.
  RunFeed(CoreRunner& runner, Store& store, WorkerPool& workers) : runner_(runner), store_(store), workers_(workers) {}

  // Any thread. `run_id` is whole. The first view comes soon.
  void Attach(const std::string& run_id, std::shared_ptr<RunListener> listener);
  void Detach(const std::string& run_id, const std::shared_ptr<RunListener>& listener);
  // Any thread. Ends all, now and later.
  void ShutDown();

  void RunChanged(const std::string& run_id);

 private:
  struct Watched {
    std::set<std::shared_ptr<RunListener>> listeners;
    bool reading = false;
    bool changed = false;  // Since the reading began.
  };

  void Read(const std::string& run_id, Watched& watched);
  void Publish(const std::string& run_id, std::shared_ptr<const RunView> view, int64_t pause_ms);
  void ReadStored(const std::string& run_id);
  void Resume(const std::string& run_id);
  void EndAll(const std::string& run_id, const absl::Status& status);

  CoreRunner& runner_;
  Store& store_;
  WorkerPool& workers_;
  std::map<std::string, Watched> watched_;
  bool shut_down_ = false;
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_API_RUN_FEED_H_
