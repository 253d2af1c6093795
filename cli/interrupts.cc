#include "cli/interrupts.h"

#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace muster::cli {
namespace {

volatile std::sig_atomic_t cancels = 0;
volatile std::sig_atomic_t detaches = 0;

void NoteSignal(int signal) {
  if (signal == SIGINT || signal == SIGTERM) {
    cancels = cancels + 1;
  } else {
    detaches = detaches + 1;
  }
}

// Stopped with Ctrl-Z: the shell gets its cursor back, and the live view comes again with the next frame.
void ShowCursorAndStop(int) {
  constexpr char kShowCursor[] = "\x1b[?25h";
  if (isatty(STDOUT_FILENO) == 1) (void)!write(STDOUT_FILENO, kShowCursor, sizeof(kShowCursor) - 1);
  raise(SIGSTOP);
}

void Install(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigaction(signal, &action, nullptr);
}

}  // namespace

Interrupt TakeInterrupt() {
  static const bool installed = [] {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) Install(signal, NoteSignal);
    Install(SIGTSTP, ShowCursorAndStop);
    return true;
  }();
  (void)installed;
  if (detaches > 0) {
    detaches = detaches - 1;
    return Interrupt::kDetach;
  }
  if (cancels == 0) return Interrupt::kNone;
  cancels = cancels - 1;
  return Interrupt::kCancel;
}

}  // namespace muster::cli
