// What the agent itself uses, by the names that Prometheus' client libraries give it.
#ifndef MUSTER_AGENT_EXPORTER_PROCESS_STATS_H_
#define MUSTER_AGENT_EXPORTER_PROCESS_STATS_H_

#include <cstdint>

namespace muster::agent {

struct ProcessStats {
  uint64_t resident_bytes = 0;  // 0: not known.
  double cpu_seconds = 0;
  int64_t start_unix_ms = 0;
};

// Of this process, without its children.
ProcessStats ReadProcessStats();

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXPORTER_PROCESS_STATS_H_
