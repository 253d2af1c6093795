// One attempt's part of the outbox: its segments on disk, and the events of this turn that are not yet written.
//
// Numbers are given when events are written, so an event that the disk had no room for leaves no gap. Belongs to the
// Outbox.
#ifndef MUSTER_AGENT_OUTBOX_ATTEMPT_LOG_H_
#define MUSTER_AGENT_OUTBOX_ATTEMPT_LOG_H_

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/outbox/segment.h"
#include "base/file_system.h"
#include "muster/v1/agent_service.pb.h"
#include "muster/v1/event.pb.h"

namespace muster::agent {

// How long an event is worth keeping when room gets scarce; the least first.
enum class EventClass { kBulk, kMeasurement, kCase, kFinish };
EventClass ClassOf(const v1::Event& event);

class AttemptLog {
 public:
  // Where its files are and how long they grow.
  struct Place {
    base::FileSystem* files;
    std::string directory;
    uint64_t id;
    uint64_t segment_bytes;
  };

  // A new attempt; its first segment's header is written, not synced.
  static absl::StatusOr<std::unique_ptr<AttemptLog>> Create(Place place, const v1::JobRef& ref,
                                                            const v1::JobSpec& spec);
  // From the segments `numbers` (ascending) in the folder; all that is kept of them is durable afterwards. NotFound
  // when nothing in them says which attempt it is; the files are removed then. Says in `notes` what was lost.
  static absl::StatusOr<std::unique_ptr<AttemptLog>> Recover(Place place, const std::vector<uint32_t>& numbers,
                                                             std::vector<std::string>& notes);

  // To memory; nothing is written before Flush().
  void Append(v1::Event event);
  void CountDropped(uint64_t events);
  // Writes what was appended. When the disk has no room, events up to kMeasurement are dropped and the rest waits:
  // false.
  bool Flush();
  // `from_sequence` is un-acked; only durable events are read.
  v1::EventBatch Read(uint64_t from_sequence, size_t max_bytes, int max_events);
  void Ack(uint64_t through_sequence);
  void RemoveFiles();

  // What a sync has to make durable: files written to since the last call, and whether one of them is new.
  struct Dirty {
    std::vector<std::shared_ptr<base::AppendFile>> files;
    bool new_names = false;
  };
  Dirty TakeDirty() { return std::exchange(dirty_, {}); }
  void MarkDurable(uint64_t through_sequence) { durable_sequence_ = std::max(durable_sequence_, through_sequence); }

  const v1::JobRef& ref() const { return ref_; }
  uint64_t id() const { return place_.id; }
  uint64_t written_sequence() const { return last_sequence_; }
  uint64_t durable_sequence() const { return durable_sequence_; }
  uint64_t acked_sequence() const { return acked_sequence_; }
  bool finished() const { return finished_; }
  bool finish_durable() const { return finish_sequence_ > 0 && finish_sequence_ <= durable_sequence_; }
  uint64_t bytes() const { return bytes_; }
  uint64_t pending_bytes() const { return pending_bytes_; }
  // Not OK once the file could not be brought back to a known state.
  const absl::Status& broken() const { return broken_; }

 private:
  struct Segment {
    uint32_t number = 0;
    uint64_t first_sequence = 1;
    uint64_t last_sequence = 0;  // first_sequence - 1 while it is empty.
    uint64_t bytes = 0;
  };
  struct Cursor {
    uint64_t next_sequence = 0;  // 0: nowhere.
    uint32_t segment = 0;
    uint64_t offset = 0;
  };

  explicit AttemptLog(Place place) : place_(std::move(place)) {}
  std::string Path(uint32_t number) const;
  absl::Status OpenSegment(const v1::JobSpec& spec);
  absl::Status WriteSome();
  uint64_t DropUnimportant();
  absl::Status RecoverSegment(uint32_t number, bool& have_ref, std::vector<std::string>& notes);
  void RecoverEvent(const v1::Event& event, Segment& segment);
  void RecoverHeader(const SegmentHeader& header, Segment& segment);
  // Events up to `before` - 1 that were not found are lost.
  void CountHole(uint64_t before);
  bool ReadSegment(const Segment& segment, uint64_t offset, size_t max_bytes, int max_events, v1::EventBatch& batch,
                   size_t& bytes);

  const Place place_;
  v1::JobRef ref_;
  std::deque<Segment> segments_;            // Oldest first; the last one is written to.
  std::shared_ptr<base::AppendFile> file_;  // Of the last segment; null until the first write after a recovery.
  Dirty dirty_;
  std::deque<v1::Event> pending_;
  uint64_t pending_bytes_ = 0;
  uint64_t bytes_ = 0;
  uint64_t last_sequence_ = 0;
  uint64_t durable_sequence_ = 0;
  uint64_t acked_sequence_ = 0;
  uint64_t dropped_ = 0;             // Over the attempt;
  uint64_t dropped_unreported_ = 0;  // since the last EventsDropped.
  bool finished_ = false;
  uint64_t finish_sequence_ = 0;
  bool roll_ = false;  // The next write begins a segment: the last one was found after a restart.
  Cursor cursor_;
  absl::Status broken_;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_OUTBOX_ATTEMPT_LOG_H_
