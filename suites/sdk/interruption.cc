#include "suites/sdk/interruption.h"

#include <algorithm>
#include <thread>

namespace muster::sdk {
namespace {

volatile sig_atomic_t requested = 0;

}  // namespace

Interruption::Interruption() {
  struct sigaction action = {};
  action.sa_handler = [](int) { requested = 1; };
  action.sa_flags = SA_RESTART;
  sigaction(SIGTERM, &action, &before_);
}

Interruption::~Interruption() { sigaction(SIGTERM, &before_, nullptr); }

bool Interruption::Requested() { return requested != 0; }

// In short naps: the signal may come to another thread.
bool Interruption::SleepUntil(std::chrono::steady_clock::time_point end) {
  constexpr auto kNap = std::chrono::milliseconds(10);
  while (!Requested()) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= end) return true;
    std::this_thread::sleep_until(std::min(now + kNap, end));
  }
  return false;
}

}  // namespace muster::sdk
