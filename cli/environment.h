// What a command may touch of the process it runs in. main.cc fills it with the real things, tests with strings.
#ifndef MUSTER_CLI_ENVIRONMENT_H_
#define MUSTER_CLI_ENVIRONMENT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

namespace muster::cli {

struct TerminalSize {
  size_t width = 80;
  size_t height = 24;
};

// What the user asked for with a key or a signal while a command runs.
enum class Interrupt {
  kNone,
  kCancel,  // Ctrl-C, SIGTERM.
  kDetach,  // Ctrl-\, SIGHUP.
};

struct Environment {
  std::istream* in = nullptr;
  // Results; what a script reads.
  std::ostream* out = nullptr;
  // Errors, notes, and progress where `out` carries JSON.
  std::ostream* err = nullptr;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  // An environment variable, unset or empty: nullopt.
  std::function<std::optional<std::string>(const std::string& name)> variable;
  std::function<TerminalSize()> terminal_size;
  std::function<int64_t()> now_unix_ms;
  // The oldest interrupt that was not taken yet. From the first call on, signals no longer end the process.
  std::function<Interrupt()> take_interrupt;
};

// Exit statuses of the program.
inline constexpr int kExitGreen = 0;
inline constexpr int kExitVerdict = 1;    // A verdict that is not green.
inline constexpr int kExitUsage = 2;      // The request makes no sense: options, names, plans.
inline constexpr int kExitMachinery = 3;  // No connection, a coordinator's error, a watch that was left or lost.

}  // namespace muster::cli

#endif  // MUSTER_CLI_ENVIRONMENT_H_
