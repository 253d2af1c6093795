// One client's WatchRun: turns views of a run into updates that hold what changed since the update before.
//
// At most one view waits (the newest), so a slow client costs no more than a quick one. Updates are made on a worker,
// each at most kUpdateBytes, so that a run of any size fits gRPC's default limits: jobs that do not fit follow in the
// next update.
#ifndef MUSTER_COORDINATOR_API_RUN_WATCHER_H_
#define MUSTER_COORDINATOR_API_RUN_WATCHER_H_

#include <grpcpp/support/server_callback.h>

#include <deque>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "base/mutex.h"
#include "coordinator/api/run_feed.h"

namespace muster::coordinator {

class RunWatcher final : public grpc::ServerWriteReactor<v1::RunUpdate>, public RunListener {
 public:
  static constexpr size_t kUpdateBytes = 1 << 20;

  // Lives until the call is done. `feed` and `workers` outlive the server.
  static std::shared_ptr<RunWatcher> Make(RunFeed& feed, WorkerPool& workers);

  // `run_id` is whole. One of Watch and End, once, from any thread.
  void Watch(const std::string& run_id);
  void End(const absl::Status& status) override;
  void Offer(std::shared_ptr<const RunView> view) override;

 private:
  RunWatcher(RunFeed& feed, WorkerPool& workers) : feed_(feed), workers_(workers) {}

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  // Makes the updates that lead to the newest view, or ends the call.
  void Build();
  void AddChanges(const RunView& view);
  // Writes the next update, has more made, waits, or ends.
  void Next() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  RunFeed& feed_;
  WorkerPool& workers_;
  std::shared_ptr<RunWatcher> self_;

  // Of whoever is at work: the worker in Build(), then gRPC until the updates are written.
  std::deque<v1::RunUpdate> updates_;
  absl::flat_hash_map<std::string, size_t> told_;  // Job id to a fingerprint of what the client knows of it.
  bool first_ = true;

  base::Mutex mutex_;
  std::string run_id_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const RunView> latest_ ABSL_GUARDED_BY(mutex_);
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;  // Building or writing.
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::Status status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_API_RUN_WATCHER_H_
