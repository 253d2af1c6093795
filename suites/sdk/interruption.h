// SIGTERM as a request: while an object of this class lives, the case ends by itself, with what it has so far, and then
// the program without its other cases. At any other time SIGTERM ends the program at once, as ever.
#ifndef MUSTER_SUITES_SDK_INTERRUPTION_H_
#define MUSTER_SUITES_SDK_INTERRUPTION_H_

#include <signal.h>

#include <chrono>

namespace muster::sdk {

// One at a time, on the main thread; Requested() and SleepUntil() on any.
class Interruption {
 public:
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  // Whether SIGTERM has come, for good.
  static bool Requested();
  // Sleeps; false as soon as SIGTERM has come.
  static bool SleepUntil(std::chrono::steady_clock::time_point end);

 private:
  struct sigaction before_ = {};
};

}  // namespace muster::sdk

#endif  // MUSTER_SUITES_SDK_INTERRUPTION_H_
