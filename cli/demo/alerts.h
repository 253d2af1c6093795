// What Prometheus alerts of, asked over its HTTP API on this machine.
#ifndef MUSTER_CLI_DEMO_ALERTS_H_
#define MUSTER_CLI_DEMO_ALERTS_H_

#include <compare>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace muster::cli {

struct Alert {
  std::string name;
  std::string machine;
  std::string gpu;  // Empty: of no GPU.
  auto operator<=>(const Alert&) const = default;
};

// Those that fire now. `address` is HOST:PORT of Prometheus; waits for a second at most.
absl::StatusOr<std::set<Alert>> FiringAlerts(const std::string& address);

// The answer of /api/v1/alerts.
absl::StatusOr<std::set<Alert>> ParseFiringAlerts(std::string_view json);

}  // namespace muster::cli

#endif  // MUSTER_CLI_DEMO_ALERTS_H_
