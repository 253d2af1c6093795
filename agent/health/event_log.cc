#include "agent/health/event_log.h"

#include <algorithm>
#include <utility>

namespace muster::agent {
namespace {

// How far back an identical event is looked for: what several devices report in turn is still one event each.
constexpr size_t kLookBack = 16;
constexpr size_t kMaxDetailBytes = 1'024;

}  // namespace

v1::HealthEvent* EventLog::FindSame(const v1::HealthEvent& event) {
  size_t looked_at = 0;
  for (auto it = events_.rbegin(); it != events_.rend() && looked_at < kLookBack; ++it, ++looked_at) {
    if (it->code() != event.code() || it->device_id() != event.device_id() || it->severity() != event.severity())
      continue;
    if (it->pci_address() != event.pci_address()) continue;
    return event.time_unix_ms() - it->last_unix_ms() < kSameWithinMs ? &*it : nullptr;
  }
  return nullptr;
}

void EventLog::Add(v1::HealthEvent event) {
  const auto key = std::tuple(event.device_id(), event.code(), static_cast<int>(event.severity()));
  if (const auto it = counts_.find(key); it != counts_.end()) {
    ++it->second;
  } else if (counts_.size() < kMaxCounts) {
    counts_.emplace(key, 1);
  }
  if (v1::HealthEvent* same = FindSame(event)) {
    same->set_count(same->count() + 1);
    same->set_last_unix_ms(std::max(same->last_unix_ms(), event.time_unix_ms()));
    return;
  }
  event.set_sequence(next_sequence_++);
  event.set_count(1);
  event.set_last_unix_ms(event.time_unix_ms());
  if (event.detail().size() > kMaxDetailBytes) {
    size_t end = kMaxDetailBytes;
    while (end > 0 && (static_cast<unsigned char>(event.detail()[end]) & 0xc0) == 0x80) --end;  // Whole characters.
    event.mutable_detail()->resize(end);
  }
  events_.push_back(std::move(event));
  if (events_.size() > kMaxEvents) events_.pop_front();
}

std::vector<EventCount> EventLog::Counts() const {
  std::vector<EventCount> counts;
  counts.reserve(counts_.size());
  for (const auto& [key, count] : counts_) {
    counts.push_back({.device_id = std::get<0>(key),
                      .code = std::get<1>(key),
                      .severity = static_cast<v1::EventSeverity>(std::get<2>(key)),
                      .count = count});
  }
  return counts;
}

}  // namespace muster::agent
