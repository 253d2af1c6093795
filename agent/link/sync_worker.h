// A thread that makes the outbox durable, so that the event loop never waits for the disk.
#ifndef MUSTER_AGENT_LINK_SYNC_WORKER_H_
#define MUSTER_AGENT_LINK_SYNC_WORKER_H_

#include <functional>
#include <optional>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "agent/outbox/outbox.h"
#include "base/event_loop.h"
#include "base/mutex.h"

namespace muster::agent {

class SyncWorker {
 public:
  // `on_done` is called on `loop` after each job.
  SyncWorker(base::EventLoop& loop, std::function<void(const SyncJob&, const absl::Status&)> on_done);
  // Waits for the job that is under way.
  ~SyncWorker();
  SyncWorker(const SyncWorker&) = delete;
  SyncWorker& operator=(const SyncWorker&) = delete;

  // At most one at a time: the next one after on_done.
  void Run(SyncJob job);

 private:
  void Work();

  base::EventLoop& loop_;
  const std::function<void(const SyncJob&, const absl::Status&)> on_done_;
  base::Mutex mutex_;
  base::CondVar wake_;
  std::optional<SyncJob> job_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_LINK_SYNC_WORKER_H_
