#include "tests/simulation/world.h"

#include <algorithm>

namespace muster::simulation {
namespace {

// From the end of the faults to the last thing that can still be waited for: queue limits, resends, leases.
constexpr int64_t kSettleMs = 1'800'000;

}  // namespace

World::World(uint64_t seed, bool trace) : scene_(seed, trace), coordinator_(scene_) {
  const int64_t machines = scene_.random.Between(1, 3);
  for (int i = 0; i < machines; ++i) {
    machines_.push_back(std::make_unique<SimulatedMachine>(scene_, i, static_cast<int>(scene_.random.Between(0, 2))));
  }
  scene_.network.SetUnruly(scene_.random.OneIn(2));
}

Outcome World::Run() {
  coordinator_.Start();
  for (const auto& machine : machines_) machine->Start();
  const int64_t faults_ms = scene_.random.Between(10'000, 60'000);
  PlanUsers(faults_ms);
  PlanFaults(faults_ms);
  scene_.loop.Advance(faults_ms);
  EndFaults();
  const int64_t settle_until_ms = scene_.now_ms() + kSettleMs;
  while (!Quiet() && scene_.now_ms() < settle_until_ms && scene_.wrong.empty()) scene_.loop.Advance(1'000);
  CheckEnd();
  return {.wrong = scene_.wrong, .results = scene_.truth.results(), .faults = faults_, .simulated_ms = scene_.now_ms()};
}

void World::PlanUsers(int64_t until_ms) {
  Random& random = scene_.random;
  for (int64_t runs = random.Between(1, 3); runs > 0; --runs) {
    v1::StartRunRequest request;
    v1::Plan& plan = *request.mutable_plan();
    plan.set_name("plan");
    plan.set_max_attempts(static_cast<uint32_t>(random.Between(1, 3)));
    plan.set_queue_time_limit_ms(random.Between(20'000, 60'000));
    request.set_on_quarantined(random.OneIn(4));
    for (const char* suite : {"one", "all", "host", "look"}) {
      if (!random.OneIn(3)) plan.add_suites()->set_suite(suite);
    }
    if (plan.suites().empty()) plan.add_suites()->set_suite("host");
    scene_.After(random.Between(500, until_ms * 2 / 3), [this, request] { coordinator_.StartRun(request); });
  }
}

void World::PlanFaults(int64_t until_ms) {
  const int64_t pause_ms = scene_.random.Between(500, 6'000);
  for (int64_t at_ms = scene_.random.Between(0, pause_ms); at_ms < until_ms;
       at_ms += scene_.random.Between(1, 2 * pause_ms)) {
    scene_.After(at_ms, [this] { MakeFault(); });
  }
}

void World::MakeFault() {
  ++faults_;
  const int64_t what = scene_.random.Between(0, 12);
  if (what < 4) {
    FaultOfNetwork();
  } else if (what < 7) {
    FaultOfMachine(
        *machines_[static_cast<size_t>(scene_.random.Between(0, static_cast<int64_t>(machines_.size()) - 1))]);
  } else if (what < 9) {
    FaultOfCoordinator();
  } else if (what < 10) {
    coordinator_.CancelSomeRun();
  } else {
    ChangeOfHealth();
  }
}

// Or of what users think of it.
void World::ChangeOfHealth() {
  Random& random = scene_.random;
  SimulatedMachine& machine =
      *machines_[static_cast<size_t>(random.Between(0, static_cast<int64_t>(machines_.size()) - 1))];
  if (!random.OneIn(3)) {
    machine.ChangeHealth();
    return;
  }
  const bool whole = machine.devices() == 0 || random.OneIn(3);
  const std::string device = whole ? "" : machine.device(static_cast<int>(random.Between(0, machine.devices() - 1)));
  if (random.OneIn(2)) {
    coordinator_.Quarantine(machine.name(), device);
  } else {
    coordinator_.Release(machine.name(), device);
  }
}

void World::FaultOfNetwork() {
  Random& random = scene_.random;
  const std::vector<StreamId> streams = scene_.network.Whole();
  if (!streams.empty()) {
    const StreamId id = streams[static_cast<size_t>(random.Between(0, static_cast<int64_t>(streams.size()) - 1))];
    scene_.Trace("network: stream ", id, " is cut");
    scene_.network.Cut(id);
  }
  if (!random.OneIn(3)) return;
  const int machine = static_cast<int>(random.Between(0, static_cast<int64_t>(machines_.size()) - 1));
  scene_.Trace("network: machine ", machine, " is cut off");
  scene_.network.SetUp(machine, false);
  scene_.After(random.Between(100, 25'000), [this, machine] { scene_.network.SetUp(machine, true); });
}

void World::FaultOfMachine(SimulatedMachine& machine) {
  Random& random = scene_.random;
  switch (random.Between(0, 11)) {
    case 0:
      if (random.OneIn(3)) machine.Lose();
      break;
    case 1:
      if (machine.lost()) break;
      machine.WipeDisk();
      scene_.truth.Wiped(machine.index(), coordinator_.store());
      scene_.After(random.Between(10, 2'000), [&machine] { machine.Start(); });
      break;
    case 2:
      machine.SetDiskFull(true);
      scene_.After(random.Between(100, 10'000), [&machine] { machine.SetDiskFull(false); });
      break;
    case 3:
      machine.FailSync();
      break;
    case 4:
    case 5:
      machine.JumpClock(random.Between(-4'000'000, 4'000'000));
      break;
    default:
      machine.Kill(random.OneIn(2));
      scene_.After(random.Between(10, random.OneIn(4) ? 20'000 : 2'000), [&machine] { machine.Start(); });
  }
}

void World::FaultOfCoordinator() {
  Random& random = scene_.random;
  switch (random.Between(0, 5)) {
    case 0:
      scene_.Trace("coordinator: the store is slow");
      coordinator_.SetStoreSlow(true);
      scene_.After(random.Between(500, 10'000), [this] { coordinator_.SetStoreSlow(false); });
      break;
    case 1:
      scene_.Trace("coordinator: the store is full");
      coordinator_.SetStoreFull(true);
      scene_.After(random.Between(500, 10'000), [this] { coordinator_.SetStoreFull(false); });
      break;
    case 2:
      coordinator_.JumpClock(random.Between(-4'000'000, 4'000'000));
      break;
    default:
      coordinator_.Kill();
      scene_.After(random.Between(10, random.OneIn(4) ? 15'000 : 1'000), [this] { coordinator_.Start(); });
  }
}

void World::EndFaults() {
  scene_.Trace("the faults end");
  scene_.network.SetUnruly(false);
  coordinator_.SetStoreSlow(false);
  coordinator_.SetStoreFull(false);
  coordinator_.Start();
  for (size_t i = 0; i < machines_.size(); ++i) {
    scene_.network.SetUp(static_cast<int>(i), true);
    machines_[i]->SetDiskFull(false);
    machines_[i]->Start();
  }
}

bool World::Quiet() {
  return coordinator_.quiet() && std::all_of(machines_.begin(), machines_.end(), [&](const auto& machine) {
           return machine->quiet() && KnowsHealth(*machine);
         });
}

// A health report may be lost with its stream; the newest arrives all the same.
bool World::KnowsHealth(const SimulatedMachine& machine) {
  return machine.lost() || machine.health_report() == 0 ||
         coordinator_.HealthReportOf(machine.name()) == machine.health_report();
}

void World::CheckEnd() {
  if (!Quiet() && scene_.wrong.empty()) {
    std::string why = coordinator_.Describe();
    for (const auto& machine : machines_) {
      absl::StrAppend(&why, "; ", machine->Describe());
      if (!KnowsHealth(*machine)) absl::StrAppend(&why, ", whose newest health report did not arrive");
    }
    scene_.Wrong(absl::StrCat("the world does not come to rest: ", why));
  }
  for (const std::string& what : scene_.truth.Check(coordinator_.store())) scene_.Wrong(what);
}

}  // namespace muster::simulation
