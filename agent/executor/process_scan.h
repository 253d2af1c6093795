// Processes of this machine as /proc shows them, for finding those of a job where no control group holds them.
#ifndef MUSTER_AGENT_EXECUTOR_PROCESS_SCAN_H_
#define MUSTER_AGENT_EXECUTOR_PROCESS_SCAN_H_

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace muster::agent {

struct ProcessEntry {
  pid_t pid = 0;
  pid_t parent = 0;
  pid_t session = 0;
  bool zombie = false;
};

std::vector<ProcessEntry> ListProcesses();

// Whether a variable of the process's initial environment begins with `text` ("NAME=begin of value"). False for one
// that may not be read.
bool EnvironmentHas(pid_t pid, std::string_view text);

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXECUTOR_PROCESS_SCAN_H_
