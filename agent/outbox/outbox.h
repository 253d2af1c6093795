// The agent's memory of what it owes the coordinator: attempts and their events, on disk until they are acked.
//
// Owned by the agent's event loop and used on it alone; a SyncJob may be run on any one thread. Appended events gather
// in memory for one turn of the loop at most; BeginSync() writes them, SyncJob::Run() makes them durable, EndSync()
// makes them readable for sending. In memory stays an index of a few words a segment. One folder, one file for each
// segment: ATTEMPT-SEGMENT.log, both numbers the outbox's own.
//
// Full (over its limit or the disk's): logs and artifacts are dropped first, then measurements, then the rest; a
// JobFinished never is. What was dropped is counted in an EventsDropped before the next event that is kept, and in the
// JobFinished.
#ifndef MUSTER_AGENT_OUTBOX_OUTBOX_H_
#define MUSTER_AGENT_OUTBOX_OUTBOX_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/outbox/attempt_log.h"
#include "base/file_system.h"
#include "muster/v1/agent_service.pb.h"
#include "muster/v1/event.pb.h"
#include "muster/v1/run.pb.h"

namespace muster::agent {

// Orders attempts' names, for maps.
struct RefLess {
  bool operator()(const v1::JobRef& a, const v1::JobRef& b) const;
};

struct OutboxOptions {
  std::string directory;
  uint64_t limit_bytes = 256 << 20;
  // A segment's file is deleted when all its events are acked.
  uint64_t segment_bytes = 1 << 20;
  uint32_t max_attempts = 4'096;
};

// What one sync has to do; blocks in Run().
class SyncJob {
 public:
  absl::Status Run() const;

 private:
  friend class Outbox;
  struct Mark {
    uint64_t attempt_id;
    uint64_t through_sequence;
  };
  base::FileSystem* file_system_ = nullptr;
  std::string directory_;  // Empty: no names changed.
  std::vector<std::shared_ptr<base::AppendFile>> files_;
  std::vector<Mark> marks_;
  absl::Status status_;  // What went wrong already.
};

class Outbox {
 public:
  struct State {
    v1::JobRef ref;
    uint64_t durable_sequence = 0;  // The last that may be sent; what follows is not yet synced.
    uint64_t acked_sequence = 0;
    bool finished = false;        // Its JobFinished was appended;
    bool finish_durable = false;  // and may be sent.
  };

  // Reads what an earlier life left. Damage is cut off or stepped over and told in recovery_notes(); an error is one of
  // the folder itself. `files` must outlive the outbox.
  static absl::StatusOr<std::unique_ptr<Outbox>> Open(base::FileSystem& files, OutboxOptions options);
  ~Outbox();
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  // Sentences for the log: torn tails, damaged records, files that are none of ours.
  const std::vector<std::string>& recovery_notes() const { return notes_; }

  // Begins an attempt; durable with its first event. AlreadyExists, ResourceExhausted (full, or too many), or the
  // disk's error.
  absl::Status Accept(const v1::JobRef& ref, const v1::JobSpec& spec);
  // Gives the event its sequence number, or drops it when the outbox is full. Events behind the JobFinished and of
  // unknown attempts are ignored.
  void Append(const v1::JobRef& ref, v1::Event event);
  // Durable events from `from_sequence` on, at most `max_events` and, but for the first, `max_bytes`. In place of an
  // event that damage or an ack took stands an EventsDropped. NotFound:
  // no such attempt.
  absl::StatusOr<v1::EventBatch> Read(const v1::JobRef& ref, uint64_t from_sequence, size_t max_bytes, int max_events);
  void Ack(const v1::JobRef& ref, uint64_t through_sequence);
  void Forget(const v1::JobRef& ref);

  std::vector<State> Attempts() const;  // In the order of their acceptance.
  std::optional<State> Find(const v1::JobRef& ref) const;

  // Writes what is buffered. At most one job at a time; nullopt when there is nothing to sync.
  std::optional<SyncJob> BeginSync();
  // The job's Run() returned OK. After an error of Run() the outbox must be destroyed and opened again.
  void EndSync(const SyncJob& job);
  // Events that must not be dropped and could not be written: BeginSync() tries again.
  bool waits_for_room() const { return waits_for_room_; }

  uint64_t bytes() const { return bytes_; }  // In files and waiting to be.
  uint64_t limit_bytes() const { return options_.limit_bytes; }

 private:
  class Change;

  Outbox(base::FileSystem& files, OutboxOptions options);
  absl::Status Recover();
  bool HasRoom(const v1::Event& event, size_t size) const;
  AttemptLog* FindLog(const v1::JobRef& ref) const;

  base::FileSystem& files_;
  const OutboxOptions options_;
  std::vector<std::string> notes_;
  std::map<uint64_t, std::unique_ptr<AttemptLog>> logs_;  // By the outbox's own number.
  std::map<v1::JobRef, AttemptLog*, RefLess> by_ref_;
  uint64_t next_id_ = 1;
  uint64_t bytes_ = 0;
  bool waits_for_room_ = false;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_OUTBOX_OUTBOX_H_
