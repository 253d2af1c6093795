#include "agent/link/sync_worker.h"

namespace muster::agent {

SyncWorker::SyncWorker(base::EventLoop& loop, std::function<void(const SyncJob&, const absl::Status&)> on_done)
    : loop_(loop), on_done_(std::move(on_done)), thread_([this] { Work(); }) {}

SyncWorker::~SyncWorker() {
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
    wake_.NotifyOne();
  }
  thread_.join();
}

void SyncWorker::Run(SyncJob job) {
  base::MutexLock lock(mutex_);
  job_ = std::move(job);
  wake_.NotifyOne();
}

void SyncWorker::Work() {
  while (true) {
    SyncJob job;
    {
      base::MutexLock lock(mutex_);
      while (!job_ && !stopping_) wake_.Wait(mutex_);
      if (!job_) return;
      job = *std::exchange(job_, std::nullopt);
    }
    const absl::Status status = job.Run();
    loop_.Post([this, job = std::move(job), status] { on_done_(job, status); });
  }
}

}  // namespace muster::agent
