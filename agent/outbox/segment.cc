#include "agent/outbox/segment.h"

#include <zlib.h>

#include <algorithm>
#include <utility>

namespace muster::agent {
namespace {

constexpr std::string_view kMagic = "\xb5MRr";
constexpr size_t kBlock = 64 << 10;

void PutU32(uint32_t value, std::string& out) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(value >> shift));
}
void PutU64(uint64_t value, std::string& out) {
  for (int shift = 0; shift < 64; shift += 8) out.push_back(static_cast<char>(value >> shift));
}
uint64_t GetLittleEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

uint32_t Checksum(char type, std::string_view payload) {
  const uLong crc = crc32_z(crc32_z(0, nullptr, 0), reinterpret_cast<const Bytef*>(&type), 1);
  return static_cast<uint32_t>(crc32_z(crc, reinterpret_cast<const Bytef*>(payload.data()), payload.size()));
}

}  // namespace

void AppendRecord(RecordType type, std::string_view payload, std::string& out) {
  out.append(kMagic);
  PutU32(static_cast<uint32_t>(payload.size()), out);
  PutU32(Checksum(static_cast<char>(type), payload), out);
  out.push_back(static_cast<char>(type));
  out.append(payload);
}

std::string EncodeHeader(const SegmentHeader& header) {
  std::string payload;
  PutU64(header.first_sequence, payload);
  PutU64(header.dropped_before, payload);
  const std::string ref = header.ref.SerializeAsString();
  PutU32(static_cast<uint32_t>(ref.size()), payload);
  payload += ref;
  payload += header.spec.SerializeAsString();
  return payload;
}

absl::StatusOr<SegmentHeader> DecodeHeader(std::string_view payload) {
  constexpr size_t kFixed = 20;
  SegmentHeader header;
  if (payload.size() < kFixed) return absl::DataLossError("header record is too short");
  header.first_sequence = GetLittleEndian(payload.substr(0, 8));
  header.dropped_before = GetLittleEndian(payload.substr(8, 8));
  const uint64_t ref_size = GetLittleEndian(payload.substr(16, 4));
  payload.remove_prefix(kFixed);
  if (ref_size > payload.size() || header.first_sequence == 0) return absl::DataLossError("header record is malformed");
  const std::string_view ref = payload.substr(0, ref_size);
  const std::string_view spec = payload.substr(ref_size);
  if (!header.ref.ParseFromArray(ref.data(), static_cast<int>(ref.size())) ||
      !header.spec.ParseFromArray(spec.data(), static_cast<int>(spec.size()))) {
    return absl::DataLossError("header record holds no JobRef and JobSpec");
  }
  return header;
}

SegmentScanner::SegmentScanner(base::FileSystem& files, std::string path, uint64_t offset, uint64_t end)
    : files_(files), path_(std::move(path)), end_(end), next_read_(offset), after_record_(offset) {}

bool SegmentScanner::Next(Record& record) {
  while (true) {
    switch (TryParse(record)) {
      case Parse::kRecord:
        after_record_ = next_read_ - (block_.size() - position_);
        return true;
      case Parse::kDamaged:
        SkipDamage();
        break;
      case Parse::kNeedMore:
        if (Fill()) break;
        if (position_ == block_.size()) return false;
        SkipDamage();  // A record that claims to go on behind the end: look for a whole one inside it.
        break;
    }
  }
}

SegmentScanner::Parse SegmentScanner::TryParse(Record& record) {
  const std::string_view rest = std::string_view(block_).substr(position_);
  if (rest.size() < kRecordOverhead) return Parse::kNeedMore;
  const uint64_t size = GetLittleEndian(rest.substr(4, 4));
  if (rest.substr(0, kMagic.size()) != kMagic || size > kMaxPayload) return Parse::kDamaged;
  if (rest.size() < kRecordOverhead + size) return Parse::kNeedMore;
  const char type = rest[12];
  const std::string_view payload = rest.substr(kRecordOverhead, size);
  if (Checksum(type, payload) != GetLittleEndian(rest.substr(8, 4))) return Parse::kDamaged;
  record = {static_cast<RecordType>(type), payload};
  position_ += kRecordOverhead + size;
  return Parse::kRecord;
}

// Reads on; false when there is nothing more. What cannot be read is as good as not there.
bool SegmentScanner::Fill() {
  if (at_end_ || next_read_ >= end_) return false;
  block_.erase(0, position_);
  position_ = 0;
  const absl::StatusOr<std::string> read =
      files_.Read(path_, next_read_, static_cast<size_t>(std::min<uint64_t>(kBlock, end_ - next_read_)));
  if (!read.ok() || read->empty()) {
    at_end_ = true;
    return false;
  }
  next_read_ += read->size();
  block_ += *read;
  return true;
}

// Moves to the next place that looks like a record's beginning.
void SegmentScanner::SkipDamage() {
  size_t next = block_.find(kMagic, position_ + 1);
  // The beginning of a magic number may be the block's end.
  if (next == std::string::npos) {
    next = at_end_ || next_read_ >= end_ ? block_.size()
                                         : block_.size() - std::min(kMagic.size() - 1, block_.size() - position_ - 1);
  }
  damaged_bytes_ += next - position_;
  position_ = next;
}

}  // namespace muster::agent
