// The daemons that a demonstration starts: each with its output in a file, all ended with it.
//
// One thread; Pump() must be called now and then, for a child whose output nobody reads stops.
#ifndef MUSTER_CLI_DEMO_CHILDREN_H_
#define MUSTER_CLI_DEMO_CHILDREN_H_

#include <chrono>
#include <list>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/subprocess.h"

namespace muster::cli {

class Children {
 public:
  Children() = default;
  // As End().
  ~Children() { End(); }
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;

  struct Child {
    std::string name;  // For people: "muster-agent of demo-intel-1".
    std::string program;
    std::vector<std::string> arguments;
    std::vector<std::string> environment;  // Besides PATH, HOME, LANG and TMPDIR.
    std::string log;                       // File.
    bool may_end = false;                  // The demonstration goes on without it.
  };
  absl::Status Start(const Child& child);

  // Copies what they wrote to their logs, for at most `wait` while there is nothing. An error when one has ended that
  // may not; one that may is said once in `ended`.
  absl::Status Pump(std::chrono::milliseconds wait, std::string* ended = nullptr);

  // SIGTERM to all, the newest first; SIGKILL to what is left after ten seconds.
  void End();

 private:
  struct Running {
    std::string name;
    std::string log_path;
    base::OwnedFd log;
    base::Subprocess process;
    bool may_end = false;
  };
  static void Copy(Running& running);

  std::list<Running> running_;
};

// "NAME=value" of the variables that programs need to run at all.
std::vector<std::string> PlainEnvironment();

}  // namespace muster::cli

#endif  // MUSTER_CLI_DEMO_CHILDREN_H_
