// Prometheus for a demonstration: the repository's configuration and rules, pointed at the demonstration's coordinator.
#ifndef MUSTER_CLI_DEMO_PROMETHEUS_SETUP_H_
#define MUSTER_CLI_DEMO_PROMETHEUS_SETUP_H_

#include <string>

#include "absl/status/statusor.h"

namespace muster::cli {

// Copies DASHBOARDS/prometheus into `folder`, with `coordinator` (HOST:PORT of its HTTP side) in place of the one it
// has; a small configuration of its own where there are no dashboards. The configuration's path.
absl::StatusOr<std::string> WritePrometheusConfig(const std::string& dashboards, const std::string& coordinator,
                                                  const std::string& folder);

// A port of 127.0.0.1 that is free now, for a program that cannot choose one by itself: "127.0.0.1:41234".
absl::StatusOr<std::string> FreeLoopbackAddress();

}  // namespace muster::cli

#endif  // MUSTER_CLI_DEMO_PROMETHEUS_SETUP_H_
