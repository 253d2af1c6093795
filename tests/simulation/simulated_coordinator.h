// The coordinator: its store, which outlives everything, and its core, which is started and killed. Commits take time;
// what the core says leaves after them, as in coordinator/daemon/core_runner.h.
#ifndef MUSTER_TESTS_SIMULATION_SIMULATED_COORDINATOR_H_
#define MUSTER_TESTS_SIMULATION_SIMULATED_COORDINATOR_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "coordinator/core/core.h"
#include "coordinator/store/memory_store_fake.h"
#include "tests/simulation/scene.h"

namespace muster::simulation {

class SimulatedCoordinator {
 public:
  explicit SimulatedCoordinator(Scene& scene) : scene_(scene) {}

  void Start();
  // A batch that is being committed is durable or is not: chance decides.
  void Kill();
  bool running() const { return core_ != nullptr; }
  void SetStoreSlow(bool slow) { slow_ = slow; }
  void SetStoreFull(bool full) { full_ = full; }
  void JumpClock(int64_t by_ms) { clock_offset_ms_ += by_ms; }
  void StartRun(const v1::StartRunRequest& request);
  // One of the active ones.
  void CancelSomeRun();
  // `device` empty: the machine.
  void Quarantine(const std::string& machine, const std::string& device);
  void Release(const std::string& machine, const std::string& device);
  // All runs that the store knows are finished, and nothing waits to be committed.
  bool quiet();
  // The time of the health report that it has of a machine; 0: none, or the machine is not connected.
  int64_t HealthReportOf(const std::string& machine);
  coordinator::Store& store() { return store_; }
  std::string Describe();

 private:
  base::Time Now() const;
  void Input(const std::function<void(coordinator::Core&)>& input);
  void Flush();
  void Commit();
  void Release(coordinator::Effects effects);
  void SetTimer();
  void CheckLeases();
  // What the core was told, so that its grants can be checked.
  void Learn(StreamId id, const v1::AgentMessage& message);
  void ForgetSession(StreamId id);
  void CheckGates(const coordinator::Effects& effects);
  void CheckAcks(const v1::Acks& acks);

  Scene& scene_;
  coordinator::MemoryStoreFake store_;
  int64_t clock_offset_ms_ = 0;
  bool slow_ = false;
  bool full_ = false;

  // Of the core's life.
  std::shared_ptr<bool> alive_;
  std::unique_ptr<coordinator::Core> core_;
  std::optional<coordinator::Effects> committing_;
  bool flush_posted_ = false;
  // Machines ("m0") and devices in quarantine, and devices that have FAILED in their machine's session, each since that
  // many flushes.
  std::map<std::string, uint64_t> quarantined_, failed_;
  std::map<std::string, StreamId> sessions_;  // By machine.
  uint64_t flushes_ = 1;
  uint64_t last_granted_ = 0;  // Epoch.

  // Of all its lives: what may have kept a job away.
  std::set<std::string> ever_quarantined_, ever_failed_;
  int64_t timer_at_ms_ = INT64_MAX;
};

}  // namespace muster::simulation

#endif  // MUSTER_TESTS_SIMULATION_SIMULATED_COORDINATOR_H_
