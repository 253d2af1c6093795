#include "coordinator/schedule/machine_queue.h"

#include <utility>
#include <vector>

namespace muster::coordinator {
namespace {

// Calls `visit` with the key of every slot that the job needs, until it returns false.
template <typename Visit>
bool EachSlot(const JobRecord& job, Visit visit) {
  if (job.job.spec().device_ids().empty()) return visit(std::string());
  for (const std::string& id : job.job.spec().device_ids()) {
    if (!visit(id)) return false;
  }
  return true;
}

}  // namespace

bool MoreUrgent::operator()(const JobRecord* a, const JobRecord* b) const {
  if (a->job.priority() != b->job.priority()) return a->job.priority() > b->job.priority();
  return a->order < b->order;
}

void MachineQueue::SetUsableDevices(std::set<std::string, std::less<>> device_ids) {
  if (device_ids == usable_) return;
  const std::vector<JobRecord*> jobs = Waiting();
  for (JobRecord* job : jobs) Remove(job);
  usable_ = std::move(device_ids);
  for (JobRecord* job : jobs) Add(job);
}

std::vector<JobRecord*> MachineQueue::Waiting() const {
  std::set<JobRecord*, MoreUrgent> jobs(aside_.begin(), aside_.end());
  for (const auto& [id, slot] : slots_) jobs.insert(slot.line.begin(), slot.line.end());
  return {jobs.begin(), jobs.end()};
}

void MachineQueue::Add(JobRecord* job) {
  ++waiting_;
  if (!Usable(*job)) {
    aside_.insert(job);
    return;
  }
  EachSlot(*job, [&](const std::string& id) { return slots_[id].line.insert(job).second || true; });
}

void MachineQueue::Remove(JobRecord* job) {
  bool was_here = aside_.erase(job) > 0;
  EachSlot(*job, [&](const std::string& id) {
    const auto slot = slots_.find(id);
    if (slot != slots_.end() && slot->second.line.erase(job) > 0) was_here = true;
    return true;
  });
  if (was_here) --waiting_;
}

JobRecord* MachineQueue::Next() const {
  JobRecord* best = nullptr;
  for (const auto& [id, slot] : slots_) {
    if (slot.holder != nullptr || slot.line.empty()) continue;
    JobRecord* first = *slot.line.begin();
    if (best != nullptr && !MoreUrgent()(first, best)) continue;
    if (FirstAndFree(first)) best = first;
  }
  return best;
}

bool MachineQueue::CanHold(const JobRecord& job) const {
  return EachSlot(job, [&](const std::string& id) {
    const auto slot = slots_.find(id);
    return slot == slots_.end() || slot->second.holder == nullptr || slot->second.holder == &job;
  });
}

void MachineQueue::Hold(JobRecord* job) {
  EachSlot(*job, [&](const std::string& id) {
    slots_[id].holder = job;
    return true;
  });
}

void MachineQueue::Release(JobRecord* job) {
  EachSlot(*job, [&](const std::string& id) {
    const auto slot = slots_.find(id);
    if (slot == slots_.end() || slot->second.holder != job) return true;
    slot->second.holder = nullptr;
    if (slot->second.line.empty()) slots_.erase(slot);
    return true;
  });
}

bool MachineQueue::Usable(const JobRecord& job) const {
  for (const std::string& id : job.job.spec().device_ids()) {
    if (!usable_.contains(id)) return false;
  }
  return true;
}

bool MachineQueue::FirstAndFree(JobRecord* job) const {
  return EachSlot(*job, [&](const std::string& id) {
    const Slot& slot = slots_.find(id)->second;
    return slot.holder == nullptr && *slot.line.begin() == job;
  });
}

}  // namespace muster::coordinator
