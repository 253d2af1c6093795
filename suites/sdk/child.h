// A suite program that starts itself again as another process: two contexts in two processes, a crash that must not be
// ours.
//
//   const ChildMode kHold("hold", [](const std::string& argument) { …; return 0; });   // at namespace scope
//   auto child = StartChild("hold", device.uuid());   // then WaitForChild
#ifndef MUSTER_SUITES_SDK_CHILD_H_
#define MUSTER_SUITES_SDK_CHILD_H_

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace muster::sdk {

class ChildMode {
 public:
  // `run` gets StartChild's argument in the new process; what it returns is the exit status. It must not use the
  // session.
  ChildMode(std::string name, std::function<int(const std::string&)> run);
};

// A process of this program in the named mode, with the same environment; its standard output goes to our standard
// error.
absl::StatusOr<pid_t> StartChild(const std::string& mode, const std::string& argument);
// Waits. The exit status, or 128 plus the signal that killed it.
absl::StatusOr<int> WaitForChild(pid_t child);

// When the command line asks for a child mode: runs it and gives its exit status. For run_suite.cc.
std::optional<int> RunAsChild(int argc, char** argv);

}  // namespace muster::sdk

#endif  // MUSTER_SUITES_SDK_CHILD_H_
