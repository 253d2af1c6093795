// How an attempt's log is found again after a restart.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/outbox/attempt_log.h"
#include "base/status_macros.h"

namespace muster::agent {

absl::StatusOr<std::unique_ptr<AttemptLog>> AttemptLog::Recover(Place place, const std::vector<uint32_t>& numbers,
                                                                std::vector<std::string>& notes) {
  std::unique_ptr<AttemptLog> log(new AttemptLog(std::move(place)));
  bool have_ref = false;
  for (const uint32_t number : numbers) RETURN_IF_ERROR(log->RecoverSegment(number, have_ref, notes));
  if (!have_ref) {
    log->RemoveFiles();
    return absl::NotFoundError("no readable header");
  }
  log->acked_sequence_ = log->segments_.front().first_sequence - 1;
  log->durable_sequence_ = log->last_sequence_;
  log->roll_ = true;
  return log;
}

absl::Status AttemptLog::RecoverSegment(uint32_t number, bool& have_ref, std::vector<std::string>& notes) {
  const std::string path = Path(number);
  ASSIGN_OR_RETURN(const uint64_t size, place_.files->Size(path));
  Segment segment{.number = number, .first_sequence = last_sequence_ + 1, .last_sequence = last_sequence_};
  SegmentScanner scanner(*place_.files, path);
  SegmentScanner::Record record;
  v1::Event event;
  while (scanner.Next(record)) {
    if (record.type == RecordType::kHeader) {
      const absl::StatusOr<SegmentHeader> header = DecodeHeader(record.payload);
      if (!header.ok()) continue;
      have_ref = true;
      RecoverHeader(*header, segment);
    } else if (record.type == RecordType::kEvent &&
               event.ParseFromArray(record.payload.data(), static_cast<int>(record.payload.size()))) {
      RecoverEvent(event, segment);
    }
  }
  segment.bytes = scanner.offset();
  const uint64_t cut = size - std::min(size, segment.bytes);
  if (cut > 0) {
    RETURN_IF_ERROR(place_.files->Truncate(path, segment.bytes));
    notes.push_back(
        absl::StrCat(path, ": the last ", cut, " bytes were not whole (power cut or crash while writing); cut off"));
  }
  const uint64_t damaged = scanner.damaged_bytes() - std::min(scanner.damaged_bytes(), cut);
  if (damaged > 0) {
    notes.push_back(absl::StrCat(path, ": ", damaged,
                                 " bytes are damaged; the events there are reported as dropped. Check this disk"));
  }
  // What an earlier life wrote need not be on the disk yet.
  ASSIGN_OR_RETURN(const std::unique_ptr<base::AppendFile> file, place_.files->OpenAppend(path));
  RETURN_IF_ERROR(file->Sync());
  bytes_ += segment.bytes;
  segments_.push_back(segment);
  return absl::OkStatus();
}

void AttemptLog::RecoverHeader(const SegmentHeader& header, Segment& segment) {
  ref_ = header.ref;
  dropped_ = std::max(dropped_, header.dropped_before);
  if (header.first_sequence <= last_sequence_ + 1) return;
  if (segments_.empty()) {
    segment.first_sequence = header.first_sequence;  // What came before is acked.
  } else {
    CountHole(header.first_sequence);
  }
  last_sequence_ = segment.last_sequence = header.first_sequence - 1;
}

void AttemptLog::RecoverEvent(const v1::Event& event, Segment& segment) {
  if (event.sequence() <= last_sequence_) return;
  CountHole(event.sequence());
  last_sequence_ = segment.last_sequence = event.sequence();
  if (event.has_events_dropped()) dropped_ += event.events_dropped().count();
  if (event.has_job_finished()) {
    finished_ = true;
    finish_sequence_ = event.sequence();
  }
}

void AttemptLog::CountHole(uint64_t before) { dropped_ += before - (last_sequence_ + 1); }

}  // namespace muster::agent
