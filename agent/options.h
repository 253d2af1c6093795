// What the agent can be told: command line, or a file of the same names (--config).
#ifndef MUSTER_AGENT_OPTIONS_H_
#define MUSTER_AGENT_OPTIONS_H_

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "agent/exporter/compat_metrics.h"
#include "base/log.h"

namespace muster::agent {

struct Options {
  std::string coordinator;  // HOST:PORT
  std::string name;         // In the fleet; from the host's name when not given.
  std::string state_dir = "/var/lib/muster-agent";
  std::string suites_dir;
  std::string token;  // Enrolment token; used when there is no identity yet.
  std::map<std::string, std::string> labels;
  uint64_t outbox_limit_bytes = 256 << 20;
  std::string suite_user;                         // Whom suite programs run as; empty: the agent's own user.
  std::string metrics_listen = "127.0.0.1:9465";  // HOST:PORT of /metrics; empty: none.
  std::string metrics_advertise;                  // HOST:PORT for others; empty: from the one listened on.
  std::vector<Compat> compat;
  // Where /proc, /sys, /etc, /run and /dev/kmsg are; a simulated machine's folder.
  std::string root = "/";
  int64_t telemetry_interval_ms = 1'000;
  bool insecure_loopback = false;
  bool enroll_only = false;
  base::LogLevel log_level = base::LogLevel::kInfo;
};

// The options, or the exit status of a program that has nothing more to do (help, version, a mistake that was said).
std::variant<Options, int> ParseOptions(int argc, char** argv);

}  // namespace muster::agent

#endif  // MUSTER_AGENT_OPTIONS_H_
