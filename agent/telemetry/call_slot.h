// A page of memory that the agent shares with a sampler's child: which driver call the child is in, and since when.
//
// The child writes it before and after each call and may be killed in between; the agent reads it from another process.
// So all of it is atomics, the text under a sequence number, and what the agent reads it takes for hints: a child gone
// mad can write nonsense there, never more than that.
#ifndef MUSTER_AGENT_TELEMETRY_CALL_SLOT_H_
#define MUSTER_AGENT_TELEMETRY_CALL_SLOT_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "agent/telemetry/sampler.h"
#include "base/subprocess.h"

namespace muster::agent {

// CLOCK_MONOTONIC, the same in both processes.
int64_t MonotonicMs();

// What the child does at one moment.
struct CallState {
  bool sampling = false;      // Its sampler has started.
  int64_t turn_began_ms = 0;  // Monotonic; 0: between turns.
  int64_t call_began_ms = 0;  // 0: in no call. Device and call then are those of the last one.
  std::string device;
  std::string call;
  uint64_t sequence = 0;  // Another one: it has moved.
};

class CallSlot {
 public:
  // The agent's side: a sealed memfd. Its descriptor becomes the child's stdin.
  static absl::StatusOr<std::unique_ptr<CallSlot>> Create();
  ~CallSlot();
  CallSlot(const CallSlot&) = delete;
  CallSlot& operator=(const CallSlot&) = delete;

  int fd() const { return fd_.get(); }
  CallState Read() const;

 private:
  friend class CallSlotWriter;
  struct Page;
  CallSlot(base::OwnedFd fd, Page* page) : fd_(std::move(fd)), page_(page) {}

  base::OwnedFd fd_;
  Page* page_;
};

// The child's side.
class CallSlotWriter final : public CallMarker {
 public:
  // Maps the slot behind `fd`. What is none (the child was started by hand) is replaced by memory that nobody reads.
  explicit CallSlotWriter(int fd);
  ~CallSlotWriter() override;
  CallSlotWriter(const CallSlotWriter&) = delete;
  CallSlotWriter& operator=(const CallSlotWriter&) = delete;

  void Enter(absl::string_view device, const char* call) override;
  void Leave() override;
  void Started();
  void BeginTurn();
  void EndTurn();

 private:
  CallSlot::Page* page_;
  std::string device_;  // As last written.
  const char* call_ = nullptr;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_TELEMETRY_CALL_SLOT_H_
