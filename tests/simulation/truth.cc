#include "tests/simulation/truth.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"

namespace muster::simulation {
namespace {

std::string Name(const v1::JobRef& ref) {
  return absl::StrCat(ref.job_id(), " attempt ", ref.attempt(), " epoch ", ref.epoch());
}

const v1::Attempt* FindAttempt(const v1::Job& job, const v1::JobRef& ref) {
  for (const v1::Attempt& attempt : job.attempts()) {
    if (attempt.ref().attempt() == ref.attempt()) return &attempt;
  }
  return nullptr;
}

}  // namespace

std::string Truth::Started(const v1::JobRef& ref) {
  const auto found = attempts_.find(ref);
  if (found == attempts_.end()) return "";
  const bool wrong = found->second.durable > 0;
  found->second.over = false;
  found->second.fate = v1::FATE_UNSPECIFIED;
  if (!found->second.lost) found->second.marks.clear();
  return wrong ? absl::StrCat(Name(ref), " is begun again and had durable events") : "";
}

void Truth::Emit(const v1::JobRef& ref, int machine, v1::Event& event) {
  Attempt& attempt = attempts_[ref];
  attempt.machine = machine;
  uint64_t mark = 0;
  if (event.has_case_finished()) {
    mark = next_mark_++;
    event.mutable_case_finished()->set_duration_ms(static_cast<int64_t>(mark));
  } else if (event.has_measurement()) {
    mark = next_mark_++;
    event.mutable_measurement()->set_number(static_cast<double>(mark));
  }
  attempt.marks.push_back(mark);
  if (event.has_job_finished()) attempt.fate = event.job_finished().fate();
}

size_t Truth::Count(const v1::JobRef& ref) const {
  const auto found = attempts_.find(ref);
  return found == attempts_.end() ? 0 : found->second.marks.size();
}

void Truth::Durable(const v1::JobRef& ref, size_t count) {
  const auto found = attempts_.find(ref);
  if (found == attempts_.end() || found->second.over) return;
  found->second.durable = std::max(found->second.durable, count);
}

void Truth::Died(int machine, bool may_have_dropped) {
  for (auto& [ref, attempt] : attempts_) {
    if (attempt.machine != machine || attempt.over) continue;
    attempt.over = true;
    attempt.count_unsure = may_have_dropped;
  }
}

void Truth::Wiped(int machine, coordinator::Store& store) {
  for (auto& [ref, attempt] : attempts_) {
    if (attempt.machine != machine) continue;
    attempt.lost = true;
    const auto job = store.ReadJob(ref.job_id());
    const v1::Attempt* stored = job.ok() ? FindAttempt(*job, ref) : nullptr;
    if (stored == nullptr || stored->through_sequence() == 0) attempt.durable = 0;
  }
}

void Truth::Lost(int machine) {
  for (auto& [ref, attempt] : attempts_) {
    if (attempt.machine == machine) attempt.lost = true;
  }
}

std::vector<std::string> Truth::Check(coordinator::Store& store) const {
  std::vector<std::string> wrong;
  for (const auto& [ref, attempt] : attempts_) CheckAttempt(ref, attempt, store, wrong);
  return wrong;
}

void Truth::CheckAttempt(const v1::JobRef& ref, const Attempt& attempt, coordinator::Store& store,
                         std::vector<std::string>& wrong) const {
  const auto job = store.ReadJob(ref.job_id());
  const v1::Attempt* stored = job.ok() ? FindAttempt(*job, ref) : nullptr;
  if (stored == nullptr || stored->ref().epoch() != ref.epoch()) {
    wrong.push_back(absl::StrCat(Name(ref), " ran and is not in the store"));
    return;
  }
  std::multiset<uint64_t> found;
  for (const v1::CaseResult& result : stored->results()) {
    if (result.duration_ms() > 0) found.insert(static_cast<uint64_t>(result.duration_ms()));
  }
  const auto measurements = store.ReadMeasurements(job->run_id());
  for (const v1::JobMeasurements& group : *measurements) {
    if (group.job_id() != ref.job_id() || group.attempt() != ref.attempt()) continue;
    for (const v1::Measurement& one : group.measurements()) found.insert(static_cast<uint64_t>(one.number()));
  }
  const std::set<uint64_t> given(attempt.marks.begin(), attempt.marks.end());
  for (const uint64_t mark : std::set<uint64_t>(found.begin(), found.end())) {
    if (found.count(mark) > 1) wrong.push_back(absl::StrCat(Name(ref), ": result ", mark, " is stored twice"));
    if (!given.contains(mark)) wrong.push_back(absl::StrCat(Name(ref), ": result ", mark, " is another attempt's"));
  }
  if (stored->fate() == v1::FATE_COMPLETED && attempt.fate != v1::FATE_COMPLETED) {
    wrong.push_back(absl::StrCat(Name(ref), " is stored as completed; its program was not"));
  }
  if (attempt.lost || attempt.count_unsure) return;
  uint64_t missing = 0;
  for (size_t i = 0; i < attempt.durable; ++i) missing += attempt.marks[i] != 0 && !found.contains(attempt.marks[i]);
  if (missing > stored->dropped_events()) {
    wrong.push_back(absl::StrCat(Name(ref), ": ", missing, " of ", attempt.durable,
                                 " durable events are not in the store; ", stored->dropped_events(),
                                 " were dropped; fate ", v1::Fate_Name(stored->fate())));
  }
}

}  // namespace muster::simulation
