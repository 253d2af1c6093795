// A few threads for what may block and must not do so on the event loop: queries, reports, signatures.
#ifndef MUSTER_COORDINATOR_DAEMON_WORKER_POOL_H_
#define MUSTER_COORDINATOR_DAEMON_WORKER_POOL_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"

namespace muster::coordinator {

class WorkerPool {
 public:
  using Task = std::function<void()>;

  // At most `max_queued` tasks wait.
  WorkerPool(int threads, size_t max_queued);
  // Runs what is queued, then ends.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Any thread. False, and nothing happens, when too many tasks wait.
  [[nodiscard]] bool TryPost(Task task);
  // The same without the limit: for a caller that has at most one task under way.
  void Post(Task task);

 private:
  void Work();

  const size_t max_queued_;
  base::Mutex mutex_;
  base::CondVar wake_;
  std::deque<Task> queued_ ABSL_GUARDED_BY(mutex_);
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_DAEMON_WORKER_POOL_H_
