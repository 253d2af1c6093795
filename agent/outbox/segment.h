// The form of the outbox's files: a sequence of checksummed records.
//
//   record:  magic "\xb5MRr" | u32 length of payload | u32 CRC-32 of type and payload | u8 type | payload     (little
//   endian) HEADER:  u64 first sequence | u64 events dropped before it | u32 length of ref | JobRef | JobSpec   (first
//   record of a file) EVENT:   muster.v1.Event, its sequence set
//
// A scanner gives the records that are whole and steps over what is not: damage costs the events it lies on and no
// others.
#ifndef MUSTER_AGENT_OUTBOX_SEGMENT_H_
#define MUSTER_AGENT_OUTBOX_SEGMENT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/file_system.h"
#include "muster/v1/run.pb.h"

namespace muster::agent {

inline constexpr size_t kRecordOverhead = 13;
// Longer payloads are neither written nor believed.
inline constexpr size_t kMaxPayload = 1 << 20;

enum class RecordType : uint8_t { kHeader = 1, kEvent = 2 };

struct SegmentHeader {
  v1::JobRef ref;
  v1::JobSpec spec;
  uint64_t first_sequence = 1;
  uint64_t dropped_before = 0;
};

void AppendRecord(RecordType type, std::string_view payload, std::string& out);
std::string EncodeHeader(const SegmentHeader& header);
absl::StatusOr<SegmentHeader> DecodeHeader(std::string_view payload);

class SegmentScanner {
 public:
  struct Record {
    RecordType type;
    std::string_view payload;  // Valid until the next call.
  };

  // Reads `path` from `offset`, which must be 0 or an offset() of an earlier scan, up to `end`.
  SegmentScanner(base::FileSystem& files, std::string path, uint64_t offset = 0, uint64_t end = UINT64_MAX);

  // The next whole record; false at the end, also when the rest cannot be read.
  bool Next(Record& record);

  // Just after the last whole record.
  uint64_t offset() const { return after_record_; }
  // Bytes that were stepped over so far, between whole records or behind the last one.
  uint64_t damaged_bytes() const { return damaged_bytes_; }

 private:
  enum class Parse { kRecord, kNeedMore, kDamaged };
  Parse TryParse(Record& record);
  bool Fill();
  void SkipDamage();

  base::FileSystem& files_;
  const std::string path_;
  const uint64_t end_;
  std::string block_;  // What was read and not yet consumed begins at position_.
  size_t position_ = 0;
  uint64_t next_read_;  // Offset in the file of what follows block_.
  uint64_t after_record_;
  uint64_t damaged_bytes_ = 0;
  bool at_end_ = false;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_OUTBOX_SEGMENT_H_
