// Bytes that agents have sent and that are not yet durable, all streams together.
//
// When the store is slower than the agents, streams wait here instead of piling up in memory; the agents' outboxes hold
// the rest. A leaf class: any thread; waiters are called without the lock.
#ifndef MUSTER_COORDINATOR_DAEMON_INGEST_BUDGET_H_
#define MUSTER_COORDINATOR_DAEMON_INGEST_BUDGET_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"

namespace muster::coordinator {

class IngestBudget {
 public:
  explicit IngestBudget(size_t limit_bytes) : limit_bytes_(limit_bytes) {}

  // For what has arrived; may go over the limit, by one message a stream at most.
  void Take(size_t bytes) {
    base::MutexLock lock(mutex_);
    used_bytes_ += bytes;
  }

  // Gives back, and lets the waiting streams go on when there is room, longest waiting first.
  void Give(size_t bytes) {
    std::deque<std::function<void()>> resumed;
    {
      base::MutexLock lock(mutex_);
      used_bytes_ -= bytes;
      if (used_bytes_ < limit_bytes_) resumed.swap(waiting_);
    }
    for (const std::function<void()>& resume : resumed) resume();
  }

  // True when there is room. Otherwise `resume` is called once when there may be.
  bool HasRoom(std::function<void()> resume) {
    base::MutexLock lock(mutex_);
    if (used_bytes_ < limit_bytes_) return true;
    waiting_.push_back(std::move(resume));
    return false;
  }

  size_t used_bytes() {
    base::MutexLock lock(mutex_);
    return used_bytes_;
  }

 private:
  const size_t limit_bytes_;
  base::Mutex mutex_;
  size_t used_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<std::function<void()>> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_DAEMON_INGEST_BUDGET_H_
