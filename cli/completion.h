// Completion for shells, from the very structure that parses the arguments: an option that is added is completed at
// once.
//
// The scripts for bash, zsh and fish only ask `muster __complete WORD…`; it prints a candidate a line,
// "VALUE<TAB>DESCRIPTION", or
// ":files" where the name of a file is expected.
#ifndef MUSTER_CLI_COMPLETION_H_
#define MUSTER_CLI_COMPLETION_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace muster::cli {

struct Candidate {
  std::string value;
  std::string description;
};

// What an option or an argument takes.
enum class Values { kChoices, kFiles, kPlans, kRuns, kJobs, kMachines, kTargets, kQuarantined, kSuites };
struct Takes {
  Values values = Values::kChoices;
  std::vector<std::string> choices;
};
using TakesByOption = std::map<const CLI::Option*, Takes>;

// What the words before the one to complete lead to.
struct CompletionPoint {
  const CLI::App* command = nullptr;
  const CLI::Option* takes_value = nullptr;  // The option or argument whose value is to be completed.
  std::string word;                          // What is there of it.
  // Values of options seen on the way, by their longest name, for the connection.
  std::map<std::string, std::string> seen;
};
CompletionPoint FindCompletionPoint(const CLI::App& app, const std::vector<std::string>& words);

// Candidates that begin with the point's word. `look_up` asks the coordinator.
std::vector<Candidate> Complete(const CompletionPoint& point, const TakesByOption& takes,
                                const std::function<std::vector<Candidate>(Values)>& look_up);

// The script for "bash", "zsh" or "fish"; InvalidArgument for another shell.
absl::StatusOr<std::string> CompletionScript(const std::string& shell);

}  // namespace muster::cli

#endif  // MUSTER_CLI_COMPLETION_H_
