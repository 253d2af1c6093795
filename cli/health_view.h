// How the devices of a machine are, for people. Pure functions from a MachineStatus to text.
#ifndef MUSTER_CLI_HEALTH_VIEW_H_
#define MUSTER_CLI_HEALTH_VIEW_H_

#include <cstdint>
#include <string>

#include "cli/palette.h"
#include "cli/table.h"
#include "muster/v1/control_service.pb.h"

namespace muster::cli {

// "FAILED"; a state of a newer release is "UNKNOWN".
std::string HealthName(v1::HealthState state);
Style HealthStyle(v1::HealthState state);

// For a line of a list: "✗ 1 of 8 FAILED, QUARANTINED".
Cell HealthSummary(const v1::MachineStatus& status, const Palette& palette);

// Device by device: health, conditions, what was read last, quarantine; then the machine's own.
std::string HealthDetails(const v1::MachineStatus& status, const Palette& palette, int64_t now_unix_ms);

// "temperature 45 °C  power 312 W of 700 W": the readings that people look at first; why, where one is not there.
std::string ReadingsLine(const v1::DeviceSample& sample);

// The newest events, oldest first, a line each.
std::string EventLines(const v1::MachineStatus& status, const Palette& palette);

}  // namespace muster::cli

#endif  // MUSTER_CLI_HEALTH_VIEW_H_
