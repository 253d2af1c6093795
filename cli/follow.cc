#include "cli/follow.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/units.h"

namespace muster::cli {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kTick{100};
constexpr int64_t kFirstBackoffMs = 200;
constexpr int64_t kLastBackoffMs = 5'000;

// Errors that another try may not meet. A stream that ended well before its run did is one.
bool IsPassing(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kUnimplemented:
      return false;
    default:
      return true;
  }
}

class Follower {
 public:
  Follower(Client& client, const std::string& run_id, const Environment& environment, const FollowOptions& options,
           RunModel& model, RunView& view)
      : client_(client),
        run_id_(run_id),
        environment_(environment),
        options_(options),
        model_(model),
        view_(view),
        connected_(options.connected) {}

  absl::StatusOr<FollowEnd> Run() {
    while (true) {
      const absl::Status lost = WatchOnce();
      if (model_.finished()) return FollowEnd::kFinished;
      if (left_) return FollowEnd::kLeft;
      if (!connected_ || !IsPassing(lost))
        return lost.ok() ? absl::InternalError("the coordinator ended the watch at once") : lost;
      const auto now = std::chrono::steady_clock::now();
      if (!lost_since_.has_value()) lost_since_ = now;
      if (now - *lost_since_ >= milliseconds(options_.reconnect_for_ms)) {
        return absl::UnavailableError(absl::StrCat("the watch was lost and the coordinator did not come back within ",
                                                   base::FormatDuration(options_.reconnect_for_ms),
                                                   "; the run goes on. Last error: ", lost.message()));
      }
      view_.Note(absl::StrCat("lost the coordinator, trying again (the run goes on)",
                              lost.message().empty() ? "" : ": ", std::string(lost.message())));
      WaitBackoff();
      if (left_) return FollowEnd::kLeft;
    }
  }

 private:
  // Until the stream ends, the run has ended or the user leaves. Returns how the stream ended.
  absl::Status WatchOnce() {
    const std::unique_ptr<Watch> watch = client_.WatchRun(run_id_);
    while (true) {
      Watch::Event event = watch->Next(kTick);
      MindInterrupts();
      if (left_) return absl::OkStatus();
      if (event.end.has_value()) return *event.end;
      if (!event.update.has_value()) {
        view_.Tick(model_);
        continue;
      }
      if (lost_since_.has_value()) view_.Note("");
      connected_ = true;
      lost_since_.reset();
      backoff_ms_ = kFirstBackoffMs;
      const RunModel::Changes changes = model_.Apply(*event.update, environment_.now_unix_ms());
      view_.Show(model_, changes);
      if (model_.finished()) return absl::OkStatus();
    }
  }

  // With jitter from the clock: many watchers of one coordinator must not come back in step.
  void WaitBackoff() {
    const int64_t wait_ms = backoff_ms_ / 2 + environment_.now_unix_ms() % (backoff_ms_ / 2 + 1);
    for (int64_t waited = 0; waited < wait_ms && !left_; waited += kTick.count()) {
      std::this_thread::sleep_for(std::min(kTick, milliseconds(wait_ms - waited)));
      MindInterrupts();
      view_.Tick(model_);
    }
    backoff_ms_ = std::min(backoff_ms_ * 2, kLastBackoffMs);
  }

  void MindInterrupts() {
    const Interrupt interrupt = environment_.take_interrupt();
    if (interrupt == Interrupt::kNone) return;
    if (interrupt == Interrupt::kDetach || !options_.cancels || cancel_asked_) {
      left_ = true;
      return;
    }
    cancel_asked_ = true;
    v1::CancelRunRequest request;
    request.set_run_id(run_id_);
    request.set_reason("interrupted by the user");
    const auto cancelled = client_.CancelRun(request);
    view_.Note(cancelled.ok()
                   ? absl::StrCat("cancelling ", run_id_, "; Ctrl-C again leaves without waiting")
                   : absl::StrCat("the run could not be cancelled: ", std::string(cancelled.status().message())));
  }

  Client& client_;
  const std::string run_id_;
  const Environment& environment_;
  const FollowOptions options_;
  RunModel& model_;
  RunView& view_;
  bool connected_;
  bool left_ = false;
  bool cancel_asked_ = false;
  std::optional<std::chrono::steady_clock::time_point> lost_since_;
  int64_t backoff_ms_ = kFirstBackoffMs;
};

}  // namespace

absl::StatusOr<FollowEnd> FollowRun(Client& client, const std::string& run_id, const Environment& environment,
                                    const FollowOptions& options, RunModel& model, RunView& view) {
  return Follower(client, run_id, environment, options, model, view).Run();
}

}  // namespace muster::cli
