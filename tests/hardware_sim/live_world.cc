#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <mutex>
#include <tuple>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "tests/hardware_sim/scenario_file.h"
#include "tests/hardware_sim/world.h"

namespace muster::sim {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kBetweenLooks(100);
constexpr int64_t kMaxUnixMs = 100'000'000'000'000;

// What tells one content of a file from the next: device, inode, size, time of change.
using Version = std::tuple<dev_t, ino_t, off_t, time_t, long>;

Version VersionOf(const std::string& path) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) return {};
  return {status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

absl::StatusOr<std::string> Variable(const char* name, const char* what) {
  const char* value = std::getenv(name);
  if (value != nullptr && *value != '\0') return std::string(value);
  return absl::InvalidArgumentError(
      absl::StrCat("expected ", what, " in the environment's ", name, ", found none; see muster-sim env"));
}

absl::StatusOr<std::shared_ptr<const World>> ReadWorld(const std::string& path, const std::string& machine) {
  ASSIGN_OR_RETURN(const Scenario scenario, ReadScenario(path));
  ASSIGN_OR_RETURN(std::unique_ptr<World> world, World::Make(scenario, machine));
  return std::shared_ptr<const World>(std::move(world));
}

}  // namespace

struct LiveWorld::State {
  std::string path;
  std::string machine;
  int64_t start_unix_ms = 0;

  std::mutex mutex;  // Over what follows.
  std::shared_ptr<const World> world;
  Version version;
  Clock::time_point looked;
};

absl::StatusOr<std::unique_ptr<LiveWorld>> LiveWorld::FromEnvironment() {
  auto state = std::make_shared<State>();
  ASSIGN_OR_RETURN(state->path, Variable("MUSTER_SIM_SCENARIO", "the path of a scenario"));
  ASSIGN_OR_RETURN(state->machine, Variable("MUSTER_SIM_MACHINE", "the name of one of its machines"));
  ASSIGN_OR_RETURN(const std::string start, Variable("MUSTER_SIM_START_UNIX_MS", "the time of the scenario's start"));
  if (!absl::SimpleAtoi(start, &state->start_unix_ms) || state->start_unix_ms < 0 ||
      state->start_unix_ms > kMaxUnixMs) {
    return absl::InvalidArgumentError(
        absl::StrCat("MUSTER_SIM_START_UNIX_MS: expected milliseconds since 1970, found '", start, "'"));
  }
  state->version = VersionOf(state->path);
  state->looked = Clock::now();
  ASSIGN_OR_RETURN(state->world, ReadWorld(state->path, state->machine));
  std::unique_ptr<LiveWorld> live(new LiveWorld);
  live->state_ = std::move(state);
  return live;
}

std::shared_ptr<const World> LiveWorld::world() {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  if (Clock::now() - state_->looked < kBetweenLooks) return state_->world;
  state_->looked = Clock::now();
  const Version version = VersionOf(state_->path);
  if (version == state_->version) return state_->world;
  state_->version = version;
  if (auto changed = ReadWorld(state_->path, state_->machine); changed.ok()) state_->world = *std::move(changed);
  return state_->world;
}

Seconds LiveWorld::now() const {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  const auto now_us = std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count();
  return static_cast<double>(now_us - state_->start_unix_ms * 1000) / 1e6;
}

}  // namespace muster::sim
