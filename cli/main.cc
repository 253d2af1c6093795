// muster: the command line of a fleet. Usage: muster --help.
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <iostream>

#include "cli/command_line.h"
#include "cli/interrupts.h"

namespace {

using muster::cli::Environment;
using muster::cli::TerminalSize;

TerminalSize MeasureTerminal() {
  for (const int descriptor : {STDOUT_FILENO, STDERR_FILENO}) {
    winsize size = {};
    if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
      return {.width = size.ws_col, .height = size.ws_row};
  }
  return {};
}

std::optional<std::string> ReadVariable(const std::string& name) {
  const char* value = getenv(name.c_str());
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

int64_t NowUnixMs() {
  using std::chrono::duration_cast;
  return duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

int main(int argc, char** argv) {
  // gRPC logs to standard error what the commands say in words.
  setenv("GRPC_VERBOSITY", "NONE", 0);
  const Environment environment{.in = &std::cin,
                                .out = &std::cout,
                                .err = &std::cerr,
                                .out_is_terminal = isatty(STDOUT_FILENO) == 1,
                                .err_is_terminal = isatty(STDERR_FILENO) == 1,
                                .variable = ReadVariable,
                                .terminal_size = MeasureTerminal,
                                .now_unix_ms = NowUnixMs,
                                .take_interrupt = muster::cli::TakeInterrupt};
  return muster::cli::RunCommandLine({argv + 1, argv + argc}, environment);
}
