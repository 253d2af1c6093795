// Which run answered which StartRun, so that a repeated request starts nothing twice.
//
// Kept in memory for an hour, at most 10,000 of them; not over a restart of the coordinator.
#ifndef MUSTER_COORDINATOR_CORE_REQUEST_MEMORY_H_
#define MUSTER_COORDINATOR_CORE_REQUEST_MEMORY_H_

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "muster/v1/run.pb.h"

namespace muster::coordinator {

class RequestMemory {
 public:
  static constexpr int64_t kKeepMs = 3'600'000;
  static constexpr size_t kMax = 10'000;

  // Null when there was no such request of this user.
  const v1::Run* Find(std::string_view user, std::string_view request_id, int64_t now_mono_ms) {
    Trim(now_mono_ms);
    const auto it = runs_.find(Key(user, request_id));
    return it == runs_.end() ? nullptr : &it->second;
  }
  void Remember(std::string_view user, std::string_view request_id, const v1::Run& run, int64_t now_mono_ms) {
    if (!runs_.emplace(Key(user, request_id), run).second) return;
    by_age_.emplace_back(now_mono_ms, Key(user, request_id));
    Trim(now_mono_ms);
  }

 private:
  static std::string Key(std::string_view user, std::string_view request_id) {
    return absl::StrCat(std::string(user), "\n", std::string(request_id));
  }
  void Trim(int64_t now_mono_ms) {
    while (!by_age_.empty() && (by_age_.size() > kMax || by_age_.front().first + kKeepMs <= now_mono_ms)) {
      runs_.erase(by_age_.front().second);
      by_age_.pop_front();
    }
  }

  absl::flat_hash_map<std::string, v1::Run> runs_;
  std::deque<std::pair<int64_t, std::string>> by_age_;
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_CORE_REQUEST_MEMORY_H_
