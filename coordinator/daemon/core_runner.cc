#include "coordinator/daemon/core_runner.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"

namespace muster::coordinator {
namespace {

constexpr int64_t kFirstRetryMs = 100;
constexpr int64_t kLongestRetryMs = 5'000;
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

}  // namespace

CoreRunner::CoreRunner(base::EventLoop& loop, base::EventLoop& store_loop, Store& store, Core& core, Outlets outlets)
    : loop_(loop),
      store_loop_(store_loop),
      store_(store),
      core_(core),
      outlets_(std::move(outlets)),
      armed_for_mono_ms_(kNever) {}

void CoreRunner::Start() {
  loop_.Post([this] { EndTurn(); });
}

void CoreRunner::Submit(Input input) {
  loop_.Post([this, input = std::move(input)] {
    if (Answer answer = input(core_, loop_.Now())) answers_.push_back(std::move(answer));
    EndTurn();
  });
}

void CoreRunner::BeginShutdown() {
  loop_.Post([this] {
    shutting_down_ = true;
    EndTurn();
  });
}

// What is already posted joins the batch before it is taken.
void CoreRunner::EndTurn() {
  if (turn_ends_) return;
  turn_ends_ = true;
  loop_.Post([this] {
    turn_ends_ = false;
    Flush();
    ArmTimer();
  });
}

void CoreRunner::Flush() {
  if (outlets_.counted) outlets_.counted(core_.counts());
  if (committing_) return;
  in_flight_.effects = core_.TakeEffects();
  in_flight_.answers = std::exchange(answers_, {});
  if (in_flight_.effects.batch.empty()) {
    Release(absl::OkStatus());  // Nothing is in flight, so everything that the effects speak of is durable.
    return;
  }
  committing_ = true;
  Commit();
}

void CoreRunner::Commit() {
  store_loop_.Post([this] {
    const auto start = std::chrono::steady_clock::now();
    absl::Status status = store_.Commit(in_flight_.effects.batch);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    loop_.Post([this, status = std::move(status), seconds] { OnCommitted(status, seconds); });
  });
}

void CoreRunner::OnCommitted(const absl::Status& status, double seconds) {
  if (!status.ok() && !shutting_down_) {
    Retry(status);
    return;
  }
  committing_ = false;
  if (status.ok()) {
    if (!store_works_.exchange(true)) {
      if (outlets_.log) outlets_.log("the store works again");
      if (outlets_.store_health) outlets_.store_health(absl::OkStatus());
    }
    retry_delay_ms_ = 0;
    if (outlets_.committed) outlets_.committed(in_flight_.effects.batch, seconds);
    Release(absl::OkStatus());
  } else {
    Release(absl::UnavailableError(absl::StrCat("the coordinator ends and its store fails: ", status.message())));
  }
  EndTurn();
}

void CoreRunner::Retry(const absl::Status& status) {
  retry_delay_ms_ = std::clamp(retry_delay_ms_ * 2, kFirstRetryMs, kLongestRetryMs);
  if (outlets_.log) {
    outlets_.log(absl::StrCat("ERROR: the store cannot commit ", RowCount(in_flight_.effects.batch),
                              " rows: ", status.ToString(), "; nothing is acknowledged until it can; trying again in ",
                              retry_delay_ms_, " ms"));
  }
  if (store_works_.exchange(false) && outlets_.store_health) outlets_.store_health(status);
  loop_.RunAfter(retry_delay_ms_, [this] { Commit(); });
}

void CoreRunner::Release(const absl::Status& durable) {
  Pending released = std::exchange(in_flight_, {});
  if (durable.ok()) {
    if (outlets_.send) {
      for (Effects::Message& message : released.effects.messages) outlets_.send(std::move(message));
    }
    if (outlets_.run_changed) {
      for (const std::string& run_id : released.effects.changed_runs) outlets_.run_changed(run_id);
    }
    if (outlets_.machine_changed) {
      for (const std::string& machine : released.effects.changed_machines) outlets_.machine_changed(machine);
    }
    if (outlets_.log) {
      for (const std::string& line : released.effects.warnings) outlets_.log(line);
    }
    for (std::string& run_id : released.effects.wanted_runs) FetchRun(std::move(run_id));
  }
  for (const Answer& answer : released.answers) answer(durable);
}

void CoreRunner::FetchRun(std::string run_id) {
  store_loop_.Post([this, run_id = std::move(run_id)] {
    auto run = std::make_shared<absl::StatusOr<StoredRun>>(store_.ReadRun(run_id));
    loop_.Post([this, run_id, run] {
      if (run->ok()) {
        core_.Restore(*std::move(*run), loop_.Now());
        EndTurn();
      } else if (!absl::IsNotFound(run->status()) && outlets_.log) {
        outlets_.log(absl::StrCat("run ", run_id, " cannot be read back: ", run->status().ToString()));
      }
    });
  });
}

void CoreRunner::ArmTimer() {
  const int64_t deadline_ms = core_.NextDeadlineMonoMs();
  if (deadline_ms == armed_for_mono_ms_) return;
  if (armed_for_mono_ms_ != kNever) loop_.Cancel(timer_);
  armed_for_mono_ms_ = deadline_ms;
  if (deadline_ms == kNever) return;
  // Never at once: a deadline that Tick() leaves in the past must not spin.
  timer_ = loop_.RunAfter(std::max<int64_t>(deadline_ms - loop_.Now().mono_ms, 1), [this] { Tick(); });
}

void CoreRunner::Tick() {
  armed_for_mono_ms_ = kNever;
  core_.Tick(loop_.Now());
  EndTurn();
}

size_t RowCount(const WriteBatch& batch) {
  return batch.machines.size() + batch.tokens.size() + batch.quarantines.size() + batch.runs.size() +
         batch.jobs.size() + batch.attempts.size() + batch.cases.size() + batch.measurements.size() +
         batch.logs.size() + batch.artifacts.size();
}

}  // namespace muster::coordinator
