// When waiting jobs give up and leases end, soonest first, on the monotonic clock. Owns no job.
#ifndef MUSTER_COORDINATOR_SCHEDULE_DEADLINE_TABLE_H_
#define MUSTER_COORDINATOR_SCHEDULE_DEADLINE_TABLE_H_

#include <cstdint>
#include <set>
#include <tuple>

#include "coordinator/schedule/run_record.h"

namespace muster::coordinator {

class DeadlineTable {
 public:
  // A job has one deadline at a time: the queue's while it waits, the lease's while it is leased.
  void Set(JobRecord* job, int64_t mono_ms) {
    Clear(job);
    job->deadline_mono_ms = mono_ms;
    by_time_.emplace(mono_ms, job->order, job);
  }
  void Clear(JobRecord* job) {
    if (job->deadline_mono_ms == INT64_MAX) return;
    by_time_.erase({job->deadline_mono_ms, job->order, job});
    job->deadline_mono_ms = INT64_MAX;
  }
  // Takes out a job whose deadline has come; null when there is none.
  JobRecord* TakeDue(int64_t now_mono_ms) {
    if (next() > now_mono_ms) return nullptr;
    JobRecord* job = std::get<2>(*by_time_.begin());
    Clear(job);
    return job;
  }
  // INT64_MAX when nothing waits.
  int64_t next() const { return by_time_.empty() ? INT64_MAX : std::get<0>(*by_time_.begin()); }

 private:
  std::set<std::tuple<int64_t, uint64_t, JobRecord*>> by_time_;
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_SCHEDULE_DEADLINE_TABLE_H_
