// The command line of muster-coordinator.
#ifndef MUSTER_COORDINATOR_OPTIONS_H_
#define MUSTER_COORDINATOR_OPTIONS_H_

#include <string>
#include <variant>
#include <vector>

#include "base/log.h"
#include "coordinator/server.h"

namespace muster::coordinator {

struct Options {
  ServerOptions server;
  bool init = false;               // Make the authority and the first admin's identity, and end.
  std::vector<std::string> hosts;  // With init.
  std::string ready_file;
  base::LogLevel log_level = base::LogLevel::kInfo;
};

// The options, or the exit status of a program that has nothing more to do (help, version, a mistake that was said).
std::variant<Options, int> ParseOptions(int argc, char** argv);

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_OPTIONS_H_
