#include "coordinator/api/run_watcher.h"

#include <functional>
#include <utility>
#include <vector>

#include "coordinator/api/grpc_status.h"

namespace muster::coordinator {
namespace {

size_t Fingerprint(const v1::Job& job, const std::vector<const v1::RunningCase*>& running) {
  std::string bytes = job.SerializeAsString();
  for (const v1::RunningCase* one : running) bytes += one->SerializeAsString();
  return std::hash<std::string>()(bytes);
}

}  // namespace

std::shared_ptr<RunWatcher> RunWatcher::Make(RunFeed& feed, WorkerPool& workers) {
  std::shared_ptr<RunWatcher> watcher(new RunWatcher(feed, workers));
  watcher->self_ = watcher;
  return watcher;
}

void RunWatcher::Watch(const std::string& run_id) {
  base::MutexLock lock(mutex_);
  if (self_ == nullptr) return;  // The call is over already.
  run_id_ = run_id;
  feed_.Attach(run_id, self_);  // Under the lock: before OnDone's Detach.
}

void RunWatcher::Offer(std::shared_ptr<const RunView> view) {
  base::MutexLock lock(mutex_);
  latest_ = std::move(view);
  if (!busy_) Next();
}

void RunWatcher::End(const absl::Status& status) {
  base::MutexLock lock(mutex_);
  if (!ending_) status_ = ToGrpc(status);
  ending_ = true;
  if (!busy_) Next();
}

void RunWatcher::OnCancel() { End(absl::CancelledError("the client is gone")); }

void RunWatcher::OnWriteDone(bool ok) {
  base::MutexLock lock(mutex_);
  updates_.pop_front();
  if (!ok) {
    if (!ending_) status_ = grpc::Status::CANCELLED;
    ending_ = true;
  }
  Next();
}

void RunWatcher::Next() {
  busy_ = false;
  if (finished_) return;
  if (ending_) {
    finished_ = true;
    Finish(status_);
  } else if (!updates_.empty()) {
    busy_ = true;
    StartWrite(&updates_.front());
  } else if (latest_ != nullptr) {
    busy_ = true;
    workers_.Post([self = self_] { self->Build(); });
  }
}

void RunWatcher::Build() {
  std::shared_ptr<const RunView> view;
  {
    base::MutexLock lock(mutex_);
    view = std::exchange(latest_, nullptr);
  }
  AddChanges(*view);
  const bool last = view->stored.run.state() == v1::RUN_STATE_FINISHED;
  base::MutexLock lock(mutex_);
  if (last && !ending_ && updates_.size() == 1) {
    finished_ = true;
    StartWriteAndFinish(&updates_.front(), {}, grpc::Status::OK);
    return;
  }
  if (last) latest_ = view;  // Comes here again with one update, when these are written.
  Next();
}

// The last view of a run always makes an update: it is what the call ends with.
void RunWatcher::AddChanges(const RunView& view) {
  std::map<std::string, std::vector<const v1::RunningCase*>> running;
  for (const v1::RunningCase& one : view.running) running[one.job_id()].push_back(&one);
  const bool last = view.stored.run.state() == v1::RUN_STATE_FINISHED;
  size_t bytes = 0;
  const auto begin_update = [&] {
    *updates_.emplace_back().mutable_run() = view.stored.run;
    bytes = view.stored.run.ByteSizeLong();
  };
  const size_t run_fingerprint = std::hash<std::string>()(view.stored.run.SerializeAsString());
  const bool run_changed = std::exchange(told_[""], run_fingerprint) != run_fingerprint;
  if (std::exchange(first_, false) || run_changed || last) begin_update();
  for (const v1::Job& job : view.stored.jobs) {
    const std::vector<const v1::RunningCase*>& cases = running[job.id()];
    const size_t fingerprint = Fingerprint(job, cases);
    if (std::exchange(told_[job.id()], fingerprint) == fingerprint) continue;
    const size_t job_bytes = job.ByteSizeLong();
    if (updates_.empty() || (updates_.back().jobs_size() > 0 && bytes + job_bytes > kUpdateBytes)) begin_update();
    bytes += job_bytes;
    *updates_.back().add_jobs() = job;
    for (const v1::RunningCase* one : cases) *updates_.back().add_running() = *one;
  }
}

void RunWatcher::OnDone() {
  std::shared_ptr<RunWatcher> self;
  std::string run_id;
  {
    base::MutexLock lock(mutex_);
    self = std::move(self_);
    run_id = run_id_;
  }
  if (!run_id.empty()) feed_.Detach(run_id, self);
}

}  // namespace muster::coordinator
