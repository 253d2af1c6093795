// Reads scenarios (scenario.proto) from text and says what is wrong with one, and where.
#ifndef MUSTER_TESTS_HARDWARE_SIM_SCENARIO_FILE_H_
#define MUSTER_TESTS_HARDWARE_SIM_SCENARIO_FILE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/hardware_sim/scenario.pb.h"

namespace muster::sim {

inline constexpr uint64_t kMaxScenarioBytes = 4 << 20;
inline constexpr int kMaxMachines = 4096;
inline constexpr int kMaxDevices = 64;   // Of one machine.
inline constexpr int kMaxFaults = 256;   // Of one device.
inline constexpr int kMaxFields = 256;   // Of one device.
inline constexpr int kMaxPoints = 4096;  // Of one curve.

// Every rule of a scenario. InvalidArgument names the first that is broken:
// "machines[2].devices[0].faults[1].at_s: expected …, found …".
absl::Status CheckScenario(const Scenario& scenario);

// Text to a checked scenario; errors of the text as "SOURCE:LINE:COLUMN: …".
absl::StatusOr<Scenario> ParseScenario(std::string_view text, std::string_view source);
absl::StatusOr<Scenario> ReadScenario(const std::string& path);

// Where a device is that does not say: by its place in the scenario.
std::string PciAddressOf(const Device& device, int place);

}  // namespace muster::sim

#endif  // MUSTER_TESTS_HARDWARE_SIM_SCENARIO_FILE_H_
