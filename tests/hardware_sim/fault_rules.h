// The rules of a scenario's faults, and the sentences that every rule of a scenario is told in.
#ifndef MUSTER_TESTS_HARDWARE_SIM_FAULT_RULES_H_
#define MUSTER_TESTS_HARDWARE_SIM_FAULT_RULES_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "tests/hardware_sim/scenario.pb.h"

namespace muster::sim {

inline constexpr double kMaxSeconds = 1e9;
inline constexpr double kMaxValue = 1e18;

// "PLACE: expected WHAT, found FOUND".
absl::Status Wrong(std::string_view place, std::string_view expected, std::string_view found);
// In quotes, cut and without control characters.
std::string Shown(std::string_view text);

absl::Status CheckNumber(std::string_view place, double value, double low, double high);
// Printable, of so many bytes.
absl::Status CheckText(std::string_view place, std::string_view text, size_t shortest, size_t longest);
absl::Status CheckMachineName(std::string_view place, std::string_view name);

// `model` is that of the device.
absl::Status CheckFault(const std::string& place, const Fault& fault, const CustomModel& model);

}  // namespace muster::sim

#endif  // MUSTER_TESTS_HARDWARE_SIM_FAULT_RULES_H_
