// What muster-sim does: checks scenarios, says how a program comes to see one, and keeps a machine's tree.
#ifndef MUSTER_TESTS_HARDWARE_SIM_SIMULATOR_H_
#define MUSTER_TESTS_HARDWARE_SIM_SIMULATOR_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace muster::sim {

struct SimulatedMachine {
  std::string scenario;  // Path.
  std::string machine;
  int64_t start_unix_ms = 0;
};

// What a scenario holds, in lines for people. InvalidArgument as ReadScenario() has it.
absl::StatusOr<std::string> DescribeScenario(const std::string& path);

// Names and values of what a program needs in its environment. `own_folder` is where muster-sim is; the simulated
// libraries lie beside it, or in the build tree that it belongs to. NotFound when they do not.
absl::StatusOr<std::vector<std::pair<std::string, std::string>>> EnvironmentOf(const SimulatedMachine& machine,
                                                                               const std::string& own_folder);
// "export NAME='VALUE'" for a shell, one a line.
std::string ForShell(const std::vector<std::pair<std::string, std::string>>& environment);

// Keeps the machine's tree in `root` until SIGTERM or SIGINT; prints "ready" when it is there for the first time. Takes
// both signals for itself.
absl::Status Serve(const SimulatedMachine& machine, const std::string& root);

}  // namespace muster::sim

#endif  // MUSTER_TESTS_HARDWARE_SIM_SIMULATOR_H_
