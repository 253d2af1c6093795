#include "agent/outbox/attempt_log.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"

namespace muster::agent {
namespace {

constexpr size_t kWriteBytes = 64 << 10;

// What it takes in the file, its number estimated.
uint64_t WrittenSize(const v1::Event& event) { return event.ByteSizeLong() + kRecordOverhead + 4; }

v1::Event DroppedEvent(uint64_t count, uint64_t sequence, int64_t time_unix_ms) {
  v1::Event event;
  event.set_sequence(sequence);
  event.set_time_unix_ms(time_unix_ms);
  event.mutable_events_dropped()->set_count(count);
  return event;
}

}  // namespace

EventClass ClassOf(const v1::Event& event) {
  switch (event.payload_case()) {
    case v1::Event::kLog:
    case v1::Event::kArtifact:
      return EventClass::kBulk;
    case v1::Event::kMeasurement:
      return EventClass::kMeasurement;
    case v1::Event::kJobFinished:
      return EventClass::kFinish;
    default:
      return EventClass::kCase;
  }
}

absl::StatusOr<std::unique_ptr<AttemptLog>> AttemptLog::Create(Place place, const v1::JobRef& ref,
                                                               const v1::JobSpec& spec) {
  std::unique_ptr<AttemptLog> log(new AttemptLog(std::move(place)));
  log->ref_ = ref;
  RETURN_IF_ERROR(log->OpenSegment(spec));
  return log;
}

void AttemptLog::Append(v1::Event event) {
  finished_ = finished_ || event.has_job_finished();
  pending_bytes_ += WrittenSize(event);
  pending_.push_back(std::move(event));
  if (pending_bytes_ > kWriteBytes && broken_.ok()) Flush();
}

void AttemptLog::CountDropped(uint64_t events) {
  // What came before the first dropped one stands before the EventsDropped.
  if (dropped_unreported_ == 0) Flush();
  dropped_ += events;
  dropped_unreported_ += events;
}

bool AttemptLog::Flush() {
  while (!pending_.empty() && broken_.ok()) {
    if (!WriteSome().ok() && DropUnimportant() == 0) return false;
  }
  return pending_.empty();
}

// Writes some of the pending events, or none.
absl::Status AttemptLog::WriteSome() {
  if (roll_ || segments_.back().bytes >= place_.segment_bytes) RETURN_IF_ERROR(OpenSegment({}));
  std::string data;
  std::string payload;
  uint64_t sequence = last_sequence_;
  size_t taken = 0;
  uint64_t finish_sequence = 0;
  const auto encode = [&](const v1::Event& event) {
    event.SerializeToString(&payload);
    AppendRecord(RecordType::kEvent, payload, data);
  };
  if (dropped_unreported_ > 0) encode(DroppedEvent(dropped_unreported_, ++sequence, pending_.front().time_unix_ms()));
  Segment& segment = segments_.back();
  const size_t room = std::min<uint64_t>(kWriteBytes, place_.segment_bytes - segment.bytes);
  for (; taken < pending_.size() && data.size() < room; ++taken) {
    v1::Event& event = pending_[taken];
    event.set_sequence(++sequence);
    if (event.has_job_finished()) {
      event.mutable_job_finished()->set_dropped_events(dropped_);
      finish_sequence = sequence;
    }
    encode(event);
  }
  if (absl::Status status = file_->Append(data); !status.ok()) {
    if (absl::Status cut = place_.files->Truncate(Path(segment.number), segment.bytes); !cut.ok()) broken_ = cut;
    return status;
  }
  if (dirty_.files.empty() || dirty_.files.back() != file_) dirty_.files.push_back(file_);
  for (size_t i = 0; i < taken; ++i) pending_bytes_ -= std::min(pending_bytes_, WrittenSize(pending_[i]));
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(taken));
  if (pending_.empty()) pending_bytes_ = 0;
  segment.bytes += data.size();
  bytes_ += data.size();
  last_sequence_ = segment.last_sequence = sequence;
  dropped_unreported_ = 0;
  if (finish_sequence > 0) finish_sequence_ = finish_sequence;
  return absl::OkStatus();
}

uint64_t AttemptLog::DropUnimportant() {
  const uint64_t dropped =
      std::erase_if(pending_, [](const v1::Event& event) { return ClassOf(event) <= EventClass::kMeasurement; });
  dropped_ += dropped;
  dropped_unreported_ += dropped;
  pending_bytes_ = 0;
  for (const v1::Event& event : pending_) pending_bytes_ += WrittenSize(event);
  return dropped;
}

absl::Status AttemptLog::OpenSegment(const v1::JobSpec& spec) {
  const Segment segment{.number = segments_.empty() ? 1 : segments_.back().number + 1,
                        .first_sequence = last_sequence_ + 1,
                        .last_sequence = last_sequence_};
  const SegmentHeader header{.ref = ref_,
                             .spec = spec,
                             .first_sequence = segment.first_sequence,
                             .dropped_before = dropped_ - dropped_unreported_};
  const std::string payload = EncodeHeader(header);
  if (payload.size() > kMaxPayload / 2) {
    return absl::InvalidArgumentError(absl::StrCat("the job's description has ", payload.size(), " bytes; at most ",
                                                   kMaxPayload / 2, " are allowed"));
  }
  std::string data;
  // Twice: without it all events of the segment would be nobody's.
  AppendRecord(RecordType::kHeader, payload, data);
  AppendRecord(RecordType::kHeader, payload, data);
  ASSIGN_OR_RETURN(std::shared_ptr<base::AppendFile> file, place_.files->OpenAppend(Path(segment.number)));
  if (absl::Status status = file->Append(data); !status.ok()) {
    if (absl::Status removed = place_.files->Remove(Path(segment.number)); !removed.ok()) broken_ = removed;
    return status;
  }
  file_ = std::move(file);
  roll_ = false;
  dirty_.files.push_back(file_);
  dirty_.new_names = true;
  segments_.push_back(segment);
  segments_.back().bytes = data.size();
  bytes_ += data.size();
  return absl::OkStatus();
}

v1::EventBatch AttemptLog::Read(uint64_t from_sequence, size_t max_bytes, int max_events) {
  v1::EventBatch batch;
  *batch.mutable_ref() = ref_;
  if (cursor_.next_sequence != from_sequence) cursor_ = {};
  cursor_.next_sequence = from_sequence;
  size_t bytes = 0;
  for (const Segment& segment : segments_) {
    if (cursor_.next_sequence > durable_sequence_) break;
    if (segment.last_sequence < cursor_.next_sequence) continue;
    const uint64_t offset = cursor_.segment == segment.number ? cursor_.offset : 0;
    if (!ReadSegment(segment, offset, max_bytes, max_events, batch, bytes)) break;
  }
  return batch;
}

// Returns false when the batch is full.
bool AttemptLog::ReadSegment(const Segment& segment, uint64_t offset, size_t max_bytes, int max_events,
                             v1::EventBatch& batch, size_t& bytes) {
  const auto full = [&](size_t more) {
    return batch.events_size() >= max_events || (batch.events_size() > 0 && bytes + more > max_bytes);
  };
  // Says in place of events `next_sequence` to `before` - 1 that they are lost; false when the batch is full.
  const auto fill_to = [&](uint64_t before) {
    for (; cursor_.next_sequence < before; ++cursor_.next_sequence) {
      if (full(0)) return false;
      *batch.add_events() = DroppedEvent(1, cursor_.next_sequence, 0);
    }
    return true;
  };
  SegmentScanner scanner(*place_.files, Path(segment.number), offset, segment.bytes);
  SegmentScanner::Record record;
  v1::Event event;
  cursor_.segment = segment.number;
  cursor_.offset = offset;
  while (cursor_.next_sequence <= std::min(segment.last_sequence, durable_sequence_) && scanner.Next(record)) {
    if (record.type == RecordType::kEvent &&
        event.ParseFromArray(record.payload.data(), static_cast<int>(record.payload.size())) &&
        event.sequence() >= cursor_.next_sequence) {
      if (event.sequence() > durable_sequence_) break;
      if (!fill_to(event.sequence()) || full(record.payload.size())) return false;
      bytes += record.payload.size();
      *batch.add_events() = std::move(event);
      ++cursor_.next_sequence;
    }
    cursor_.offset = scanner.offset();
  }
  return fill_to(std::min(segment.last_sequence, durable_sequence_) + 1);
}

void AttemptLog::Ack(uint64_t through_sequence) {
  acked_sequence_ = std::max(acked_sequence_, std::min(through_sequence, durable_sequence_));
  while (segments_.size() > 1 && segments_.front().last_sequence <= acked_sequence_) {
    // One that cannot be removed now is found after the next start: its events are sent again and dropped as
    // duplicates.
    place_.files->Remove(Path(segments_.front().number)).IgnoreError();
    bytes_ -= segments_.front().bytes;
    segments_.pop_front();
  }
}

void AttemptLog::RemoveFiles() {
  for (const Segment& segment : segments_) place_.files->Remove(Path(segment.number)).IgnoreError();
}

std::string AttemptLog::Path(uint32_t number) const {
  return absl::StrFormat("%s/%08x-%06u.log", place_.directory, place_.id, number);
}

}  // namespace muster::agent
