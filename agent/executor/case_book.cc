#include "agent/executor/case_book.h"

#include <algorithm>
#include <limits>

#include "base/names.h"
#include "base/subprocess.h"
#include "base/text.h"

namespace muster::agent {
namespace {

constexpr size_t kMaxCases = 4096;
// A result must stay well within one message of the session: some 150 KiB.
constexpr int kMaxDiagnoses = 64;
constexpr size_t kMaxMessageBytes = 2048;
constexpr int kMaxValidators = 16;
constexpr uint64_t kMaxMeasurements = 1'000'000;
constexpr size_t kMaxReasonBytes = 2048;
constexpr size_t kMaxNameBytes = 256;
constexpr int64_t kUnknownCaseLimitMs = 60'000;

// Which of two outcomes of one case counts: the higher.
int Rank(v1::Verdict outcome) {
  switch (outcome) {
    case v1::PASSED:
      return 1;
    case v1::SKIPPED:
      return 2;
    case v1::CANCELLED:
      return 3;
    case v1::ERROR:
      return 4;
    case v1::TIMED_OUT:
      return 5;
    case v1::CRASHED:
      return 6;
    case v1::FAILED:
      return 7;
    default:
      return 0;
  }
}

bool IsGreen(v1::Verdict outcome) { return outcome == v1::PASSED || outcome == v1::SKIPPED; }

std::string KeptName(std::string_view name) {
  std::string kept(name.substr(0, 128));
  for (char& c : kept) {
    const bool allowed =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    if (!allowed) c = '_';
  }
  if (kept.empty() || kept[0] == '.' || kept[0] == '_' || kept[0] == '-') kept = base::Text("x", kept);
  return kept.substr(0, 128);
}

void Bound(v1::Measurement& measurement) {
  measurement.set_name(BoundedText(measurement.name(), kMaxNameBytes));
  measurement.set_unit(BoundedText(measurement.unit(), kMaxNameBytes));
  measurement.set_subcomponent(BoundedText(measurement.subcomponent(), kMaxNameBytes));
  if (measurement.has_text()) measurement.set_text(BoundedText(measurement.text()));
  if (measurement.validators_size() > kMaxValidators) {
    measurement.mutable_validators()->DeleteSubrange(kMaxValidators, measurement.validators_size() - kMaxValidators);
  }
  for (v1::Validator& validator : *measurement.mutable_validators()) {
    validator.set_name(BoundedText(validator.name(), kMaxNameBytes));
    validator.set_value_json(BoundedText(validator.value_json()));
  }
}

}  // namespace

std::string Describe(const ProgramEnd& end) {
  if (end.signal) return base::Text("died of ", base::SignalName(*end.signal), " (signal ", *end.signal, ")");
  return base::Text("ended with exit status ", end.exit_code.value_or(-1));
}

CaseBook::CaseBook(std::vector<Requested> requested, Emit emit)
    : requested_(std::move(requested)), emit_(std::move(emit)) {
  for (const Requested& request : requested_) {
    Entry& entry = entries_[request.name];
    entry.limit_ms = request.time_limit_ms;
    entry.result.set_case_name(request.name);
    entry.result.set_needs_gpu_work(request.needs_gpu_work);
  }
}

CaseBook::Entry* CaseBook::Find(const std::string& name) {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : &found->second;
}

CaseBook::Entry* CaseBook::FindOpen(const std::string& name) {
  Entry* const entry = Find(name);
  return entry != nullptr && entry->open_steps > 0 && !entry->expired ? entry : nullptr;
}

std::string CaseBook::Open(std::string_view name, base::Time now) {
  const std::string kept = KeptName(name);
  Entry* entry = Find(kept);
  if (entry == nullptr) {
    if (entries_.size() >= kMaxCases) {
      FaultRun(v1::ERROR, "too-many-cases", base::Text("the program reports more than ", kMaxCases, " cases"));
      return "";
    }
    entry = &entries_[kept];
    entry->limit_ms = kUnknownCaseLimitMs;
    entry->result.set_case_name(kept);
    entry->findings.Add("unknown-case", base::Text("the case ", base::Quoted(name), " was not asked for"));
  }
  if (entry->open_steps++ > 0 || entry->expired) return kept;
  entry->opened_mono_ms = now.mono_ms;
  entry->deadline_mono_ms = now.mono_ms + entry->limit_ms;
  if (!entry->started) {
    entry->started = true;
    entry->result.set_started_unix_ms(now.unix_ms);
    v1::Event event;
    event.mutable_case_started()->set_case_name(kept);
    EmitAt(now, std::move(event));
  }
  return kept;
}

void CaseBook::Measure(const std::string& name, v1::Measurement measurement, base::Time now) {
  Entry* const entry = FindOpen(name);
  if (!name.empty() && entry == nullptr) return;
  if (entry != nullptr && measurement.name().rfind("work.", 0) == 0 && measurement.has_number() &&
      measurement.number() > 0) {
    entry->result.set_work(entry->result.work() + measurement.number());
  }
  if (++measurements_ > kMaxMeasurements) {
    Note(name, "too-many-measurements", base::Text("only the first ", kMaxMeasurements, " of a job are kept"));
    return;
  }
  Bound(measurement);
  measurement.set_case_name(name);
  v1::Event event;
  *event.mutable_measurement() = std::move(measurement);
  EmitAt(now, std::move(event));
}

void CaseBook::Diagnose(const std::string& name, v1::Diagnosis diagnosis) {
  Entry* const entry = FindOpen(name);
  if (entry == nullptr) return;
  if (entry->result.diagnoses_size() >= kMaxDiagnoses) {
    entry->findings.Add("too-many-diagnoses", base::Text("only the first ", kMaxDiagnoses, " of a case are kept"));
    return;
  }
  diagnosis.set_verdict(BoundedText(diagnosis.verdict(), kMaxNameBytes));
  diagnosis.set_message(BoundedText(diagnosis.message(), kMaxMessageBytes));
  diagnosis.set_subcomponent(BoundedText(diagnosis.subcomponent(), kMaxNameBytes));
  *entry->result.add_diagnoses() = std::move(diagnosis);
}

void CaseBook::Close(const std::string& name, v1::Verdict outcome, std::string_view reason, base::Time now,
                     std::optional<int64_t> duration_ms) {
  Entry* const entry = FindOpen(name);
  if (entry == nullptr) return;
  Worsen(*entry, outcome, reason);
  if (--entry->open_steps > 0) return;
  if (duration_ms) {
    entry->spent_ms += *duration_ms;
    entry->opened_mono_ms.reset();
  }
  Finish(*entry, now);
}

void CaseBook::OpenAllUntimed(base::Time now) {
  for (const Requested& request : requested_) {
    Open(request.name, now);
    entries_[request.name].deadline_mono_ms = std::numeric_limits<int64_t>::max();
  }
}

void CaseBook::Pause(const std::string& name, base::Time now) {
  Entry* const entry = FindOpen(name);
  if (entry == nullptr || !entry->opened_mono_ms) return;
  entry->spent_ms += now.mono_ms - *entry->opened_mono_ms;
  entry->opened_mono_ms.reset();
  entry->deadline_mono_ms = std::numeric_limits<int64_t>::max();
}

void CaseBook::WithdrawOpen() {
  for (const std::string& name : OpenNames()) entries_[name].open_steps = 0;
}

void CaseBook::Worsen(Entry& entry, v1::Verdict outcome, std::string_view reason) {
  if (Rank(outcome) <= Rank(entry.result.outcome())) return;
  entry.result.set_outcome(outcome);
  entry.result.set_reason(BoundedText(reason, kMaxReasonBytes));
}

// Reports the case as it stands.
void CaseBook::Finish(Entry& entry, base::Time now) {
  if (entry.faulty && IsGreen(entry.result.outcome())) {
    Worsen(entry, v1::ERROR, base::Text("its output is not in order: ", entry.findings.Texts().front()));
  }
  if (entry.opened_mono_ms) entry.spent_ms += now.mono_ms - *entry.opened_mono_ms;
  entry.opened_mono_ms.reset();
  entry.finished = true;
  entry.open_steps = 0;
  entry.result.set_verdict(entry.result.outcome());
  entry.result.set_duration_ms(entry.spent_ms);
  entry.result.clear_findings();
  for (std::string& text : entry.findings.Texts()) entry.result.add_findings(std::move(text));
  last_finished_ = entry.result.case_name();
  v1::Event event;
  *event.mutable_case_finished() = entry.result;
  EmitAt(now, std::move(event));
}

void CaseBook::Note(const std::string& name, std::string_view kind, std::string_view text) {
  Entry* const entry = Find(name);
  (entry == nullptr ? job_findings_ : entry->findings).Add(kind, text);
}

void CaseBook::NoteOpen(std::string_view kind, std::string_view text) {
  const std::vector<std::string> open = OpenNames();
  if (open.empty()) job_findings_.Add(kind, text);
  for (const std::string& name : open) entries_[name].findings.Add(kind, text);
}

void CaseBook::Fault(const std::string& name, std::string_view kind, std::string_view text) {
  Entry* const entry = FindOpen(name);
  if (entry == nullptr) return FaultRun(v1::ERROR, kind, text);
  entry->findings.Add(kind, text);
  entry->faulty = true;
}

void CaseBook::FaultOpen(std::string_view kind, std::string_view text) {
  const std::vector<std::string> open = OpenNames();
  if (open.empty()) return FaultRun(v1::ERROR, kind, text);
  for (const std::string& name : open) Fault(name, kind, text);
}

void CaseBook::FaultRun(v1::Verdict outcome, std::string_view kind, std::string_view text) {
  job_findings_.Add(kind, text);
  if (!run_fault_ || Rank(outcome) > Rank(run_fault_->outcome)) {
    run_fault_ = {.outcome = outcome, .text = BoundedText(text, kMaxReasonBytes)};
  }
}

void CaseBook::Amend(const std::string& name, v1::Verdict at_least, std::string_view kind, std::string_view text,
                     base::Time now) {
  Entry* const entry = Find(name);
  if (entry == nullptr || !entry->finished) return;
  entry->findings.Add(kind, text);
  Worsen(*entry, at_least, text);
  Finish(*entry, now);
}

std::optional<int64_t> CaseBook::NextDeadlineMs() const {
  std::optional<int64_t> next;
  for (const auto& [name, entry] : entries_) {
    if (entry.open_steps == 0 || entry.expired) continue;
    next = std::min(next.value_or(entry.deadline_mono_ms), entry.deadline_mono_ms);
  }
  return next;
}

std::vector<std::string> CaseBook::Expire(base::Time now) {
  std::vector<std::string> expired;
  for (auto& [name, entry] : entries_) {
    if (entry.open_steps == 0 || entry.expired || entry.deadline_mono_ms > now.mono_ms) continue;
    Worsen(entry, v1::TIMED_OUT, base::Text("still running at its time limit of ", entry.limit_ms, " ms"));
    Finish(entry, now);
    entry.expired = true;
    expired.push_back(name);
  }
  return expired;
}

void CaseBook::FailMissing(std::string_view reason, base::Time now) {
  for (const Requested& request : requested_) {
    Entry& entry = entries_[request.name];
    if (entry.finished || entry.open_steps > 0) continue;
    entry.started = true;
    if (entry.result.started_unix_ms() == 0) entry.result.set_started_unix_ms(now.unix_ms);
    Worsen(entry, v1::ERROR, reason);
    Finish(entry, now);
  }
}

void CaseBook::End(const ProgramEnd& end, base::Time now) {
  for (const std::string& name : OpenNames()) {
    Entry& entry = entries_[name];
    entry.faulty = false;
    switch (end.stop) {
      case ProgramEnd::kCancelled:
        Worsen(entry, v1::CANCELLED, end.stop_reason);
        break;
      case ProgramEnd::kJobLimit:
        Worsen(entry, v1::TIMED_OUT, end.stop_reason);
        break;
      case ProgramEnd::kCaseLimit:
        Worsen(entry, v1::ERROR, base::Text("stopped with its program: ", end.stop_reason));
        break;
      case ProgramEnd::kNone:
        Worsen(entry, end.exit_code == 0 ? v1::ERROR : v1::CRASHED,
               base::Text("the program ", Describe(end), " before the case had ended"));
    }
    Finish(entry, now);
  }
  if (end.stop != ProgramEnd::kNone) return;
  if (end.signal) {
    FaultRun(v1::CRASHED, "crashed", base::Text("the program ", Describe(end)));
  } else if (end.exit_code != 0 && !ignore_exit_status_ && AllGreen()) {
    FaultRun(v1::ERROR, "exit-status", base::Text("the program ", Describe(end), " though no case failed"));
  }
  if (run_fault_ && AllGreen() && NoneMissing() && !last_finished_.empty()) {
    Amend(last_finished_, run_fault_->outcome, "run-at-fault", run_fault_->text, now);
  }
}

bool CaseBook::IsOpen(const std::string& name) const {
  const auto found = entries_.find(name);
  return found != entries_.end() && found->second.open_steps > 0 && !found->second.expired;
}

bool CaseBook::HasResult(const std::string& name) const {
  const auto found = entries_.find(name);
  return found != entries_.end() && found->second.finished;
}

std::optional<v1::Verdict> CaseBook::OutcomeOf(const std::string& name) const {
  if (!HasResult(name)) return std::nullopt;
  return entries_.at(name).result.outcome();
}

std::vector<std::string> CaseBook::OpenNames() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) {
    if (entry.open_steps > 0 && !entry.expired) names.push_back(name);
  }
  return names;
}

bool CaseBook::AllGreen() const {
  return std::all_of(entries_.begin(), entries_.end(), [](const auto& entry) {
    return !entry.second.finished || IsGreen(entry.second.result.outcome());
  });
}

bool CaseBook::NoneMissing() const {
  return std::all_of(requested_.begin(), requested_.end(),
                     [this](const Requested& request) { return HasResult(request.name); });
}

std::vector<std::string> CaseBook::NamesWith(v1::Verdict outcome) const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) {
    if (entry.finished && entry.result.outcome() == outcome) names.push_back(name);
  }
  return names;
}

void CaseBook::EmitAt(base::Time now, v1::Event event) {
  event.set_time_unix_ms(now.unix_ms);
  emit_(std::move(event));
}

}  // namespace muster::agent
