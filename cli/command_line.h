// The arguments of `muster`: which command, which options, help, and what a shell can complete.
#ifndef MUSTER_CLI_COMMAND_LINE_H_
#define MUSTER_CLI_COMMAND_LINE_H_

#include <string>
#include <vector>

#include "cli/environment.h"

namespace muster::cli {

// Runs the command that `arguments` (without the program's name) ask for. Returns the exit status; errors are printed
// to the environment's `err`.
int RunCommandLine(const std::vector<std::string>& arguments, const Environment& environment);

}  // namespace muster::cli

#endif  // MUSTER_CLI_COMMAND_LINE_H_
