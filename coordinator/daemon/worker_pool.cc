#include "coordinator/daemon/worker_pool.h"

#include <utility>

namespace muster::coordinator {

WorkerPool::WorkerPool(int threads, size_t max_queued) : max_queued_(max_queued) {
  threads_.reserve(threads);
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

WorkerPool::~WorkerPool() {
  {
    base::MutexLock lock(mutex_);
    ending_ = true;
    wake_.NotifyAll();
  }
  for (std::thread& thread : threads_) thread.join();
}

bool WorkerPool::TryPost(Task task) {
  base::MutexLock lock(mutex_);
  if (queued_.size() >= max_queued_) return false;
  queued_.push_back(std::move(task));
  wake_.NotifyOne();
  return true;
}

void WorkerPool::Post(Task task) {
  base::MutexLock lock(mutex_);
  queued_.push_back(std::move(task));
  wake_.NotifyOne();
}

void WorkerPool::Work() {
  while (true) {
    Task task;
    {
      base::MutexLock lock(mutex_);
      while (queued_.empty() && !ending_) wake_.Wait(mutex_);
      if (queued_.empty()) return;
      task = std::move(queued_.front());
      queued_.pop_front();
    }
    task();
  }
}

}  // namespace muster::coordinator
