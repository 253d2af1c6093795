// One simulated world: a coordinator, a few machines, users, and faults until a certain time; then everything must come
// right.
#ifndef MUSTER_TESTS_SIMULATION_WORLD_H_
#define MUSTER_TESTS_SIMULATION_WORLD_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/scene.h"
#include "tests/simulation/simulated_coordinator.h"
#include "tests/simulation/simulated_machine.h"

namespace muster::simulation {

struct Outcome {
  std::vector<std::string> wrong;  // Empty: all invariants held.
  uint64_t results = 0;            // Results and measurements that machines gave.
  uint64_t faults = 0;
  int64_t simulated_ms = 0;
};

class World {
 public:
  World(uint64_t seed, bool trace);
  Outcome Run();

 private:
  void PlanUsers(int64_t until_ms);
  void PlanFaults(int64_t until_ms);
  void MakeFault();
  void FaultOfMachine(SimulatedMachine& machine);
  void ChangeOfHealth();
  void FaultOfNetwork();
  void FaultOfCoordinator();
  void EndFaults();
  bool Quiet();
  bool KnowsHealth(const SimulatedMachine& machine);
  void CheckEnd();

  Scene scene_;
  SimulatedCoordinator coordinator_;
  std::vector<std::unique_ptr<SimulatedMachine>> machines_;
  bool faults_ended_ = false;
  uint64_t faults_ = 0;
};

}  // namespace muster::simulation

#endif  // MUSTER_TESTS_SIMULATION_WORLD_H_
