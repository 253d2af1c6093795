// The jobs of one machine that wait, and the devices they wait for.
//
// A job needs its devices, or, when it has none, the machine's one slot for such jobs. It waits in line for each of
// them, by priority and then age, and may go when it is first in every line and all are free: so a job of many devices
// is not starved by jobs of one, and finding the next job costs as much as there are devices, however many jobs wait.
// Owns no job.
#ifndef MUSTER_COORDINATOR_SCHEDULE_MACHINE_QUEUE_H_
#define MUSTER_COORDINATOR_SCHEDULE_MACHINE_QUEUE_H_

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/schedule/run_record.h"

namespace muster::coordinator {

// Higher priority first, then older.
struct MoreUrgent {
  bool operator()(const JobRecord* a, const JobRecord* b) const;
};

class MachineQueue {
 public:
  // Which devices can be given jobs now; jobs that need another are set aside until the next call.
  void SetUsableDevices(std::set<std::string, std::less<>> device_ids);

  void Add(JobRecord* job);
  // Ignored when the job does not wait here.
  void Remove(JobRecord* job);
  // The most urgent job among those that may go now, still in line; null when none may.
  JobRecord* Next() const;

  // All that wait, those that are set aside among them; the most urgent first.
  std::vector<JobRecord*> Waiting() const;

  // The devices of a leased job.
  bool CanHold(const JobRecord& job) const;
  void Hold(JobRecord* job);
  void Release(JobRecord* job);

  size_t waiting() const { return waiting_; }
  // Jobs that wait for a device that cannot be used now.
  bool IsAside(JobRecord* job) const { return aside_.count(job) > 0; }

 private:
  struct Slot {
    std::set<JobRecord*, MoreUrgent> line;
    JobRecord* holder = nullptr;
  };
  bool Usable(const JobRecord& job) const;
  bool FirstAndFree(JobRecord* job) const;

  std::map<std::string, Slot, std::less<>> slots_;  // "" is the machine's own.
  std::set<std::string, std::less<>> usable_;
  std::set<JobRecord*, MoreUrgent> aside_;
  size_t waiting_ = 0;
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_SCHEDULE_MACHINE_QUEUE_H_
