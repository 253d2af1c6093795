#include "coordinator/api/run_feed.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace muster::coordinator {
namespace {

// After a reading that took 1 ms of the loop's time the next one waits so many.
constexpr double kPauseFactor = 20;
constexpr int64_t kLongestPauseMs = 1'000;

absl::Status ShutDownStatus() { return absl::UnavailableError("the coordinator is shutting down; watch again"); }

}  // namespace

void RunFeed::Attach(const std::string& run_id, std::shared_ptr<RunListener> listener) {
  runner_.loop().Post([this, run_id, listener = std::move(listener)] {
    if (shut_down_) {
      listener->End(ShutDownStatus());
      return;
    }
    watched_[run_id].listeners.insert(listener);
    RunChanged(run_id);
  });
}

void RunFeed::Detach(const std::string& run_id, const std::shared_ptr<RunListener>& listener) {
  runner_.loop().Post([this, run_id, listener] {
    const auto found = watched_.find(run_id);
    if (found == watched_.end()) return;
    found->second.listeners.erase(listener);
    if (found->second.listeners.empty()) watched_.erase(found);
  });
}

void RunFeed::ShutDown() {
  runner_.loop().Post([this] {
    shut_down_ = true;
    for (const auto& [run_id, watched] : watched_) {
      for (const auto& listener : watched.listeners) listener->End(ShutDownStatus());
    }
  });
}

void RunFeed::RunChanged(const std::string& run_id) {
  const auto found = watched_.find(run_id);
  if (found == watched_.end()) return;
  if (found->second.reading) {
    found->second.changed = true;
  } else {
    Read(run_id, found->second);
  }
}

void RunFeed::Read(const std::string& run_id, Watched& watched) {
  watched.reading = true;
  watched.changed = false;
  runner_.Submit([this, run_id](Core& core, base::Time) -> CoreRunner::Answer {
    const auto start = std::chrono::steady_clock::now();
    absl::StatusOr<StoredRun> stored = core.ReadRun(run_id);
    if (!stored.ok()) {
      ReadStored(run_id);
      return nullptr;
    }
    auto view = std::make_shared<RunView>();
    view->stored = *std::move(stored);
    view->running = core.RunningCases(run_id);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    const int64_t pause_ms = std::min(static_cast<int64_t>(took.count() * kPauseFactor), kLongestPauseMs);
    return [this, run_id, view, pause_ms](const absl::Status& durable) {
      if (durable.ok()) {
        Publish(run_id, view, pause_ms);
      } else {
        EndAll(run_id, durable);
      }
    };
  });
}

void RunFeed::Publish(const std::string& run_id, std::shared_ptr<const RunView> view, int64_t pause_ms) {
  const auto found = watched_.find(run_id);
  if (found == watched_.end()) return;
  for (const auto& listener : found->second.listeners) listener->Offer(view);
  if (pause_ms == 0) {
    Resume(run_id);
  } else {
    runner_.loop().RunAfter(pause_ms, [this, run_id] { Resume(run_id); });
  }
}

void RunFeed::Resume(const std::string& run_id) {
  const auto found = watched_.find(run_id);
  if (found == watched_.end()) return;
  found->second.reading = false;
  if (found->second.changed) Read(run_id, found->second);
}

// The core has left the run to the store: it has ended.
void RunFeed::ReadStored(const std::string& run_id) {
  workers_.Post([this, run_id] {
    auto stored = std::make_shared<absl::StatusOr<StoredRun>>(store_.ReadRun(run_id));
    runner_.loop().Post([this, run_id, stored] {
      if (!stored->ok()) {
        EndAll(run_id, stored->status());
        return;
      }
      auto view = std::make_shared<RunView>();
      view->stored = **std::move(stored);
      Publish(run_id, std::move(view), 0);
    });
  });
}

void RunFeed::EndAll(const std::string& run_id, const absl::Status& status) {
  const auto found = watched_.find(run_id);
  if (found == watched_.end()) return;
  for (const auto& listener : found->second.listeners) listener->End(status);
}

}  // namespace muster::coordinator
