// The newest events, and how many there were: identical ones that follow each other closely are one, counted.
//
// Plain state on the event loop; bounded whatever comes.
#ifndef MUSTER_AGENT_HEALTH_EVENT_LOG_H_
#define MUSTER_AGENT_HEALTH_EVENT_LOG_H_

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "muster/v1/health.pb.h"

namespace muster::agent {

// Events since the agent's start, lines of the kernel's log from before it included.
struct EventCount {
  std::string device_id;  // Empty: of the machine.
  std::string code;
  v1::EventSeverity severity = v1::EVENT_SEVERITY_UNSPECIFIED;
  uint64_t count = 0;
};

class EventLog {
 public:
  static constexpr size_t kMaxEvents = 256;
  // A message holds no more, so that a noisy device does not fill the wire each second.
  static constexpr size_t kMaxReported = 64;
  // Devices times codes; what comes beyond is kept as an event and counted nowhere.
  static constexpr size_t kMaxCounts = 1'024;
  static constexpr int64_t kSameWithinMs = 60'000;

  // `sequence`, `count` and `last_unix_ms` are set here.
  void Add(v1::HealthEvent event);

  // Oldest first.
  const std::deque<v1::HealthEvent>& events() const { return events_; }
  std::vector<EventCount> Counts() const;

 private:
  v1::HealthEvent* FindSame(const v1::HealthEvent& event);

  std::deque<v1::HealthEvent> events_;
  std::map<std::tuple<std::string, std::string, int>, uint64_t> counts_;  // Device, code, severity.
  uint64_t next_sequence_ = 1;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_HEALTH_EVENT_LOG_H_
