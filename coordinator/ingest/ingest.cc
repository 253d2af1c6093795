#include "coordinator/ingest/ingest.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/names.h"

namespace muster::coordinator {
namespace {

constexpr int kMaxFindings = 100;

// What is odd of the attempt as a whole; bounded.
void AddFinding(v1::Attempt& attempt, std::string text) {
  if (attempt.findings_size() < kMaxFindings) attempt.add_findings(std::move(text));
}

void StopRunning(AttemptRecord& attempt, std::string_view case_name) {
  std::erase_if(attempt.running, [&](const v1::RunningCase& running) { return running.case_name() == case_name; });
}

void TakeCaseStarted(const v1::Event& event, AttemptRecord& attempt, IngestSink& sink) {
  const std::string& name = event.case_started().case_name();
  if (!base::CheckCaseName(name).ok() || attempt.running.size() >= kMaxResults) return;
  StopRunning(attempt, name);
  v1::RunningCase& running = attempt.running.emplace_back();
  running.set_job_id(attempt.attempt.ref().job_id());
  running.set_case_name(name);
  running.set_started_unix_ms(event.time_unix_ms());
  sink.OnCaseStarted(attempt);
}

void TakeCaseFinished(v1::CaseResult&& result, AttemptRecord& attempt, IngestSink& sink) {
  StopRunning(attempt, result.case_name());
  if (absl::Status name = base::CheckCaseName(result.case_name()); !name.ok()) {
    AddFinding(attempt.attempt, absl::StrCat("a result was dropped: ", name.message()));
    return;
  }
  if (attempt.results.size() >= kMaxResults && attempt.FindResult(result.case_name()) == nullptr) {
    AddFinding(attempt.attempt, absl::StrCat("a result was dropped: more than ", kMaxResults, " cases"));
    return;
  }
  sink.OnCaseFinished(attempt, std::move(result));
}

void TakeArtifact(uint64_t sequence, v1::ArtifactChunk&& chunk, AttemptRecord& attempt, IngestSink& sink) {
  if (absl::Status name = base::CheckArtifactName(chunk.name()); !name.ok()) {
    AddFinding(attempt.attempt, absl::StrCat("an artifact was dropped: ", name.message()));
    return;
  }
  const v1::JobRef& ref = attempt.attempt.ref();
  sink.batch().artifacts.push_back({ref.job_id(), ref.attempt(), sequence, std::move(chunk)});
}

void TakeJobStarted(const v1::Event& event, AttemptRecord& attempt) {
  attempt.attempt.set_started_unix_ms(event.time_unix_ms());
  attempt.attempt.set_suite_version(event.job_started().suite_version());
  attempt.attempt.set_command_line(event.job_started().command_line());
}

// An end that says nothing is not an end that went well; a lost lease and what was kept away are the coordinator's to
// say.
bool IsAgents(v1::Fate fate) {
  return fate != v1::FATE_UNSPECIFIED && fate != v1::FATE_LEASE_LOST && fate != v1::FATE_QUARANTINED &&
         fate != v1::FATE_WITHHELD;
}

void TakeJobFinished(int64_t time_unix_ms, v1::JobFinished&& finished, AttemptRecord& attempt, IngestSink& sink) {
  v1::Attempt& kept = attempt.attempt;
  kept.set_fate(IsAgents(finished.fate()) ? finished.fate() : v1::FATE_AGENT_RESTARTED);
  kept.set_detail(std::move(*finished.mutable_detail()));
  if (finished.has_exit_code()) kept.set_exit_code(finished.exit_code());
  if (finished.has_signal()) kept.set_signal(finished.signal());
  kept.set_finished_unix_ms(time_unix_ms);
  kept.set_dropped_events(std::max(kept.dropped_events(), finished.dropped_events()));
  for (std::string& finding : *finished.mutable_findings()) AddFinding(kept, std::move(finding));
  attempt.running.clear();
  sink.OnJobFinished(attempt);
}

void Take(v1::Event& event, AttemptRecord& attempt, IngestSink& sink, Ingested& counts) {
  const v1::JobRef& ref = attempt.attempt.ref();
  switch (event.payload_case()) {
    case v1::Event::kMeasurement: {
      ++counts.measurements;
      sink.OnMeasurement(attempt, event.measurement());
      sink.batch().measurements.push_back(
          {ref.job_id(), ref.attempt(), event.sequence(), std::move(*event.mutable_measurement())});
      break;
    }
    case v1::Event::kLog:
      sink.batch().logs.push_back({ref.job_id(), ref.attempt(), event.sequence(), std::move(*event.mutable_log())});
      break;
    case v1::Event::kArtifact:
      TakeArtifact(event.sequence(), std::move(*event.mutable_artifact()), attempt, sink);
      break;
    case v1::Event::kCaseStarted:
      TakeCaseStarted(event, attempt, sink);
      break;
    case v1::Event::kCaseFinished:
      TakeCaseFinished(std::move(*event.mutable_case_finished()), attempt, sink);
      break;
    case v1::Event::kJobStarted:
      TakeJobStarted(event, attempt);
      break;
    case v1::Event::kEventsDropped:
      attempt.attempt.set_dropped_events(attempt.attempt.dropped_events() + event.events_dropped().count());
      break;
    case v1::Event::kJobFinished:
      TakeJobFinished(event.time_unix_ms(), std::move(*event.mutable_job_finished()), attempt, sink);
      break;
    case v1::Event::PAYLOAD_NOT_SET:
      break;  // Of a newer release: counted, not understood.
  }
}

}  // namespace

Ingested Ingest(v1::EventBatch& events, AttemptRecord& attempt, IngestSink& sink) {
  Ingested counts;
  for (v1::Event& event : *events.mutable_events()) {
    const uint64_t expected = attempt.attempt.through_sequence() + 1;
    if (event.sequence() < expected) {
      ++counts.duplicates;
      continue;
    }
    // Nothing comes after the end.
    if (event.sequence() > expected || attempt.closed()) {
      ++counts.after_gap;
      continue;
    }
    attempt.attempt.set_through_sequence(expected);
    ++counts.taken;
    Take(event, attempt, sink, counts);
  }
  return counts;
}

}  // namespace muster::coordinator
