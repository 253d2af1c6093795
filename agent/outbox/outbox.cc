#include "agent/outbox/outbox.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"

namespace muster::agent {
namespace {

constexpr size_t kMaxEventBytes = 256 << 10;
constexpr size_t kMaxWaitingBytes = 1 << 20;    // Over all attempts, when they are few;
constexpr size_t kMinWaitingBytes = 128 << 10;  // of each, when they are many.

// Takes from an event that must be kept what makes it too large.
void Shrink(v1::Event& event) {
  constexpr size_t kMaxText = 4 << 10;
  if (event.has_case_finished()) {
    v1::CaseResult& result = *event.mutable_case_finished();
    result.clear_diagnoses();
    result.clear_findings();
    if (result.reason().size() > kMaxText) result.mutable_reason()->resize(kMaxText);
    result.add_findings("the result was too large: its diagnoses and findings were left out");
  } else if (event.has_job_finished()) {
    v1::JobFinished& finished = *event.mutable_job_finished();
    finished.clear_findings();
    if (finished.detail().size() > kMaxText) finished.mutable_detail()->resize(kMaxText);
    finished.add_findings("the job's findings were too large and were left out");
  }
}

struct SegmentName {
  uint64_t attempt = 0;
  uint32_t number = 0;
};
// "0000001f-000002.log"
std::optional<SegmentName> ParseName(absl::string_view name) {
  SegmentName parsed;
  if (name.size() < 19 || !absl::ConsumeSuffix(&name, ".log")) return std::nullopt;
  const size_t dash = name.find('-');
  if (dash == absl::string_view::npos || !absl::SimpleHexAtoi(name.substr(0, dash), &parsed.attempt) ||
      !absl::SimpleAtoi(name.substr(dash + 1), &parsed.number)) {
    return std::nullopt;
  }
  return parsed;
}

}  // namespace

absl::Status SyncJob::Run() const {
  RETURN_IF_ERROR(status_);
  for (const auto& file : files_) RETURN_IF_ERROR(file->Sync());
  if (!directory_.empty()) RETURN_IF_ERROR(file_system_->SyncDirectory(directory_));
  return absl::OkStatus();
}

bool RefLess::operator()(const v1::JobRef& a, const v1::JobRef& b) const {
  return std::forward_as_tuple(a.job_id(), a.attempt(), a.epoch()) <
         std::forward_as_tuple(b.job_id(), b.attempt(), b.epoch());
}

// Keeps the outbox's sum right while one log changes.
class Outbox::Change {
 public:
  Change(Outbox& outbox, const AttemptLog& log) : outbox_(outbox), log_(log) { outbox_.bytes_ -= Held(); }
  ~Change() { outbox_.bytes_ += Held(); }
  Change(const Change&) = delete;
  Change& operator=(const Change&) = delete;

 private:
  uint64_t Held() const { return log_.bytes() + log_.pending_bytes(); }
  Outbox& outbox_;
  const AttemptLog& log_;
};

Outbox::Outbox(base::FileSystem& files, OutboxOptions options) : files_(files), options_(std::move(options)) {}
Outbox::~Outbox() = default;

absl::StatusOr<std::unique_ptr<Outbox>> Outbox::Open(base::FileSystem& files, OutboxOptions options) {
  // Small limits need small segments, or nothing could be trimmed.
  options.segment_bytes = std::min(options.segment_bytes, std::max<uint64_t>(options.limit_bytes / 16, 4 << 10));
  std::unique_ptr<Outbox> outbox(new Outbox(files, std::move(options)));
  RETURN_IF_ERROR(outbox->Recover());
  return outbox;
}

absl::Status Outbox::Recover() {
  RETURN_IF_ERROR(files_.MakeDirectory(options_.directory));
  ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.List(options_.directory));
  std::map<uint64_t, std::vector<uint32_t>> segments;
  for (const std::string& name : names) {
    if (const auto parsed = ParseName(name)) {
      segments[parsed->attempt].push_back(parsed->number);
    } else {
      notes_.push_back(absl::StrCat(options_.directory, "/", name, " is not a file of the outbox; it is left alone"));
    }
  }
  for (auto& [id, numbers] : segments) {
    next_id_ = id + 1;
    std::sort(numbers.begin(), numbers.end());
    auto log = AttemptLog::Recover({&files_, options_.directory, id, options_.segment_bytes}, numbers, notes_);
    if (absl::IsNotFound(log.status())) continue;  // The crash came before the attempt was known to anyone.
    RETURN_IF_ERROR(log.status());
    bytes_ += (*log)->bytes();
    by_ref_[(*log)->ref()] = log->get();
    logs_[id] = *std::move(log);
  }
  return files_.SyncDirectory(options_.directory);
}

absl::Status Outbox::Accept(const v1::JobRef& ref, const v1::JobSpec& spec) {
  if (by_ref_.contains(ref)) return absl::AlreadyExistsError("the outbox holds this attempt already");
  if (logs_.size() >= options_.max_attempts) {
    return absl::ResourceExhaustedError(absl::StrCat("the outbox holds ", logs_.size(), " attempts, its limit"));
  }
  v1::Event probe;
  probe.mutable_case_started();
  if (!HasRoom(probe, spec.ByteSizeLong())) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the outbox is full: ", bytes_, " of ", options_.limit_bytes, " bytes"));
  }
  const uint64_t id = next_id_++;
  auto log = AttemptLog::Create({&files_, options_.directory, id, options_.segment_bytes}, ref, spec);
  RETURN_IF_ERROR(log.status());
  bytes_ += (*log)->bytes();
  by_ref_[ref] = log->get();
  logs_[id] = *std::move(log);
  return absl::OkStatus();
}

bool Outbox::HasRoom(const v1::Event& event, size_t size) const {
  const uint64_t limit = options_.limit_bytes;
  const uint64_t after = bytes_ + size + kRecordOverhead;
  switch (ClassOf(event)) {
    case EventClass::kBulk:
      return after <= limit / 4 * 3;
    case EventClass::kMeasurement:
      return after <= limit / 8 * 7;
    case EventClass::kCase:
      return after <= limit - limit / 64;
    case EventClass::kFinish:
      break;
  }
  return true;
}

void Outbox::Append(const v1::JobRef& ref, v1::Event event) {
  AttemptLog* log = FindLog(ref);
  if (log == nullptr || log->finished()) return;
  const Change change(*this, *log);
  size_t size = event.ByteSizeLong();
  if (size > kMaxEventBytes && event.case_finished().has_context()) {
    // What the program found comes before what its GPUs did meanwhile.
    event.mutable_case_finished()->clear_context();
    size = event.ByteSizeLong();
  }
  if (size > kMaxEventBytes) {
    Shrink(event);
    size = event.ByteSizeLong();
  }
  const bool must_keep = ClassOf(event) == EventClass::kFinish;
  // A log writes long before it holds so much, unless the disk is full.
  const bool waits_too_long = log->pending_bytes() > std::max(kMaxWaitingBytes / logs_.size(), kMinWaitingBytes);
  if (!must_keep &&
      (size > kMaxEventBytes || waits_too_long || !HasRoom(event, size + log->bytes() + log->pending_bytes()))) {
    log->CountDropped(1);
    return;
  }
  log->Append(std::move(event));
}

absl::StatusOr<v1::EventBatch> Outbox::Read(const v1::JobRef& ref, uint64_t from_sequence, size_t max_bytes,
                                            int max_events) {
  AttemptLog* log = FindLog(ref);
  if (log == nullptr) return absl::NotFoundError(absl::StrCat("the outbox holds no attempt of job ", ref.job_id()));
  return log->Read(from_sequence, max_bytes, max_events);
}

void Outbox::Ack(const v1::JobRef& ref, uint64_t through_sequence) {
  AttemptLog* log = FindLog(ref);
  if (log == nullptr) return;
  const Change change(*this, *log);
  log->Ack(through_sequence);
}

void Outbox::Forget(const v1::JobRef& ref) {
  AttemptLog* log = FindLog(ref);
  if (log == nullptr) return;
  log->RemoveFiles();
  bytes_ -= log->bytes() + log->pending_bytes();
  by_ref_.erase(ref);
  logs_.erase(log->id());
}

AttemptLog* Outbox::FindLog(const v1::JobRef& ref) const {
  const auto found = by_ref_.find(ref);
  return found == by_ref_.end() ? nullptr : found->second;
}

namespace {
Outbox::State StateOf(const AttemptLog& log) {
  return {.ref = log.ref(),
          .durable_sequence = log.durable_sequence(),
          .acked_sequence = log.acked_sequence(),
          .finished = log.finished(),
          .finish_durable = log.finish_durable()};
}
}  // namespace

std::vector<Outbox::State> Outbox::Attempts() const {
  std::vector<State> states;
  states.reserve(logs_.size());
  for (const auto& [id, log] : logs_) states.push_back(StateOf(*log));
  return states;
}

std::optional<Outbox::State> Outbox::Find(const v1::JobRef& ref) const {
  const AttemptLog* log = FindLog(ref);
  if (log == nullptr) return std::nullopt;
  return StateOf(*log);
}

std::optional<SyncJob> Outbox::BeginSync() {
  SyncJob job;
  job.file_system_ = &files_;
  waits_for_room_ = false;
  for (auto& [id, log] : logs_) {
    {
      const Change change(*this, *log);
      if (!log->Flush()) waits_for_room_ = true;
    }
    if (!log->broken().ok()) job.status_ = log->broken();
    // An attempt without events can wait for its first: nothing was said of it that a crash would make untrue.
    if (log->written_sequence() == log->durable_sequence()) continue;
    AttemptLog::Dirty dirty = log->TakeDirty();
    if (dirty.new_names) job.directory_ = options_.directory;
    job.marks_.push_back({id, log->written_sequence()});
    std::move(dirty.files.begin(), dirty.files.end(), std::back_inserter(job.files_));
  }
  if (job.files_.empty() && job.status_.ok()) return std::nullopt;
  return job;
}

void Outbox::EndSync(const SyncJob& job) {
  for (const SyncJob::Mark& mark : job.marks_) {
    const auto found = logs_.find(mark.attempt_id);
    if (found != logs_.end()) found->second->MarkDurable(mark.through_sequence);
  }
}

}  // namespace muster::agent
