// A JobExecutor whose jobs do what the test says, when it says so.
#ifndef MUSTER_AGENT_EXECUTOR_JOB_EXECUTOR_FAKE_H_
#define MUSTER_AGENT_EXECUTOR_JOB_EXECUTOR_FAKE_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/executor/job_executor.h"

namespace muster::agent {

class FakeJobExecutor final : public JobExecutor {
 public:
  struct RunningJob {
    v1::JobRef ref;
    v1::JobSpec spec;
    std::string cancel_reason;  // Empty until Cancel().
  };

  void SetSink(EventSink sink) override { sink_ = std::move(sink); }
  absl::Status Start(const v1::JobRef& ref, const v1::JobSpec& spec) override {
    ++starts_;
    if (!start_status_.ok()) return start_status_;
    jobs_.push_back({ref, spec, ""});
    return absl::OkStatus();
  }
  void Cancel(const v1::JobRef& ref, std::string_view reason) override {
    if (RunningJob* job = Find(ref)) job->cancel_reason = std::string(reason);
  }

  // What Start() answers from now on.
  void SetStartStatus(absl::Status status) { start_status_ = std::move(status); }
  // The job says `event`; after a JobFinished it runs no more.
  void Emit(const v1::JobRef& ref, v1::Event event) {
    if (event.has_job_finished()) std::erase_if(jobs_, [&](const RunningJob& job) { return Same(job.ref, ref); });
    if (sink_) sink_(ref, std::move(event));
  }
  void Finish(const v1::JobRef& ref, v1::Fate fate) {
    v1::Event event;
    event.mutable_job_finished()->set_fate(fate);
    Emit(ref, std::move(event));
  }
  const std::vector<RunningJob>& jobs() const { return jobs_; }
  RunningJob* Find(const v1::JobRef& ref) {
    for (RunningJob& job : jobs_) {
      if (Same(job.ref, ref)) return &job;
    }
    return nullptr;
  }
  int starts() const { return starts_; }

 private:
  static bool Same(const v1::JobRef& a, const v1::JobRef& b) {
    return a.job_id() == b.job_id() && a.attempt() == b.attempt() && a.epoch() == b.epoch();
  }

  EventSink sink_;
  absl::Status start_status_;
  std::vector<RunningJob> jobs_;
  int starts_ = 0;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXECUTOR_JOB_EXECUTOR_FAKE_H_
