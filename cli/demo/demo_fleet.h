// The simulated fleet of a demonstration: its machines and GPUs, and the faults they were given so far, as a scenario's
// text (tests/hardware_sim/scenario.proto). Pure; the same seed gives the same demonstration.
#ifndef MUSTER_CLI_DEMO_DEMO_FLEET_H_
#define MUSTER_CLI_DEMO_DEMO_FLEET_H_

#include <cstddef>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cli/demo/fault_kinds.h"

namespace muster::cli {

class DemoFleet {
 public:
  struct Machine {
    std::string name;  // "demo-intel-1"
    v1::Vendor vendor = v1::VENDOR_UNSPECIFIED;
    std::string model;  // As scenario.proto calls it.
  };
  struct Target {
    size_t machine = 0;
    size_t gpu = 0;
    auto operator<=>(const Target&) const = default;
  };
  static constexpr size_t kGpusPerMachine = 2;

  // Intel and NVIDIA in turns.
  DemoFleet(size_t machines, uint64_t seed);

  const std::vector<Machine>& machines() const { return machines_; }

  // The next kind of fault: each once in an order of the seed's, those that last behind the others, then again.
  const FaultKind& NextKind();
  // A GPU that can have the fault: by chance one of those that are not in `avoid`, any when all are.
  Target Choose(const FaultKind& kind, const std::set<Target>& avoid);
  // From `at_s` to `until_s` after the scenario's start; 0: for good.
  void Inject(const FaultKind& kind, const Target& target, double at_s, double until_s);

  std::string ScenarioText() const;

 private:
  struct Injected {
    Target target;
    std::string text;
  };
  std::vector<Machine> machines_;
  std::vector<Injected> injected_;
  std::vector<const FaultKind*> deck_;  // The next at the back.
  std::mt19937_64 random_;
};

}  // namespace muster::cli

#endif  // MUSTER_CLI_DEMO_DEMO_FLEET_H_
