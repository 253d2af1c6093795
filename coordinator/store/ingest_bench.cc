// How fast measurements become durable: Core and SqliteStore, without the wire.
//
//   ingest_bench [SECONDS [AGENTS [FOLDER]]]     (5, 8, a folder under /tmp that is removed)
//
// Agents' batches of 1,024 measurements are parsed and handled on one thread while the batch before is committed on
// another, as the daemon does it. Prints rows a second, and what a batch costs the core and the store.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/core/core.h"
#include "coordinator/store/sqlite_store.h"

namespace muster::coordinator {
namespace {

constexpr int kBatch = 1'024;
constexpr uint64_t kMaxRowsInFlight = 64 * kBatch;
using Clock = std::chrono::steady_clock;

double Since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

base::Time Now() {
  const auto mono = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch());
  return {.mono_ms = mono.count(), .unix_ms = 1'800'000'000'000 + mono.count()};
}

v1::AgentMessage HelloOf(const std::string& machine) {
  v1::AgentMessage message;
  v1::Hello& hello = *message.mutable_hello();
  hello.set_protocol_version(1);
  hello.mutable_machine()->set_name(machine);
  v1::Device& device = *hello.mutable_machine()->add_devices();
  device.set_id(absl::StrCat("GPU-12345678-1234-1234-1234-", machine));
  device.set_driver_state(v1::DRIVER_STATE_READY);
  v1::SuiteManifest& suite = *hello.add_suites();
  suite.set_name("bench");
  suite.set_device_scope(v1::DEVICE_SCOPE_ONE);
  suite.add_cases()->set_name("memory.bandwidth");
  return message;
}

// One attempt that measures without end.
class Agent {
 public:
  Agent(const v1::Directive& run) {
    v1::EventBatch& events = *message_.mutable_events();
    *events.mutable_ref() = run.ref();
    for (int i = 0; i < kBatch; ++i) {
      v1::Measurement& measurement = *events.add_events()->mutable_measurement();
      measurement.set_name(absl::StrCat("copy.bandwidth.", i % 16));
      measurement.set_unit("GB/s");
      measurement.set_case_name("memory.bandwidth");
      measurement.set_device_id(run.spec().device_ids(0));
      measurement.set_valid(true);
      measurement.set_time_unix_ms(1'800'000'000'000);
    }
  }
  // As it comes from the wire.
  const std::string& NextBatch() {
    for (v1::Event& event : *message_.mutable_events()->mutable_events()) {
      event.set_sequence(++sequence_);
      event.mutable_measurement()->set_number(0.5 * static_cast<double>(sequence_));
    }
    message_.SerializeToString(&bytes_);
    return bytes_;
  }

 private:
  v1::AgentMessage message_;
  std::string bytes_;
  uint64_t sequence_ = 0;
};

void Must(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "ingest_bench: %s\n", std::string(status.message()).c_str());
  std::exit(1);
}

std::vector<Agent> StartAgents(Core& core, SqliteStore& store, int count) {
  for (int i = 1; i <= count; ++i) {
    const std::string name = absl::StrCat("m", i);
    core.SessionOpened(i, name, Now());
    core.OnAgentMessage(i, HelloOf(name), Now());
    v1::AgentMessage state;
    state.mutable_state();
    core.OnAgentMessage(i, state, Now());
  }
  v1::StartRunRequest request;
  request.mutable_plan()->set_name("bench");
  request.mutable_plan()->add_suites()->set_suite("bench");
  Must(core.StartRun(request, "bench", Now()).status());
  Effects effects = core.TakeEffects();
  Must(store.Commit(effects.batch));
  std::vector<Agent> agents;
  for (const Effects::Message& message : effects.messages) {
    for (const v1::Directive& directive : message.message.directives().directives()) agents.emplace_back(directive);
  }
  return agents;
}

void Run(double seconds, int agent_count, const std::string& folder) {
  absl::StatusOr<std::unique_ptr<SqliteStore>> store = SqliteStore::Open({.folder = folder});
  Must(store.status());
  uint64_t seed = 0;
  Core core(CoreOptions(), *(*store)->Load(), Now(), [&seed] { return ++seed; });
  std::vector<Agent> agents = StartAgents(core, **store, agent_count);

  double core_seconds = 0, store_seconds = 0;
  uint64_t handled = 0, commits = 0, filling = 0;
  std::future<double> commit;
  const Clock::time_point start = Clock::now();
  const auto flush = [&] {
    if (commit.valid()) store_seconds += commit.get();
    Effects effects = core.TakeEffects();
    ++commits;
    filling = 0;
    commit = std::async(std::launch::async, [&store, batch = std::move(effects.batch)] {
      const Clock::time_point begun = Clock::now();
      Must((*store)->Commit(batch));
      return Since(begun);
    });
  };
  for (size_t i = 0; Since(start) < seconds; i = (i + 1) % agents.size()) {
    const std::string& bytes = agents[i].NextBatch();
    const Clock::time_point begun = Clock::now();
    v1::AgentMessage message;
    message.ParseFromString(bytes);
    core.OnAgentMessage(i + 1, std::move(message), Now());
    core_seconds += Since(begun);
    handled += kBatch;
    filling += kBatch;
    const bool idle = !commit.valid() || commit.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    if (idle || filling >= kMaxRowsInFlight) flush();
  }
  flush();
  store_seconds += commit.get();
  const double wall = Since(start);
  if (core.counts().measurements_ingested != handled) Must(absl::InternalError("not all measurements were taken"));
  const double batches = static_cast<double>(handled) / kBatch;
  std::printf(
      "%.0f measurements/s durable: %llu in %.2f s, %llu commits; a batch of %d: core (with parsing) %.3f ms, store "
      "%.3f ms\n",
      static_cast<double>(handled) / wall, static_cast<unsigned long long>(handled), wall,
      static_cast<unsigned long long>(commits), kBatch, 1e3 * core_seconds / batches, 1e3 * store_seconds / batches);
}

}  // namespace
}  // namespace muster::coordinator

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 5;
  const int agents = argc > 2 ? std::atoi(argv[2]) : 8;
  if (argc > 3) {
    muster::coordinator::Run(seconds, agents, argv[3]);
    return 0;
  }
  std::string folder = "/tmp/ingest-bench-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return 1;
  muster::coordinator::Run(seconds, agents, folder);
  std::filesystem::remove_all(folder);
  return 0;
}
