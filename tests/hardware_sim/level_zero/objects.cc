#include "tests/hardware_sim/level_zero/objects.h"

#include <algorithm>
#include <chrono>

namespace muster::sim::ze {
namespace {

using Clock = std::chrono::steady_clock;

// How often a wait looks whether its device is still there.
constexpr auto kLossPoll = std::chrono::milliseconds(10);
// Longer waits are for good.
constexpr uint64_t kLongestWaitNs = uint64_t{1} << 60;

bool IsLost(const Device* device) {
  const Simulation* simulation = Simulation::Get();
  const auto world = simulation->world();
  return device->index >= world->devices().size() || world->IsLost(device->index, simulation->now());
}

}  // namespace

void EventState::Signal(uint64_t start_ticks, uint64_t end_ticks) {
  {
    std::lock_guard lock(mutex);
    start = start_ticks;
    end = end_ticks;
    signalled = true;
  }
  changed.notify_all();
}

void EventState::Reset() {
  std::lock_guard lock(mutex);
  signalled = false;
  start = end = 0;
}

bool EventState::Signalled() {
  std::lock_guard lock(mutex);
  return signalled;
}

uint64_t DeviceTicks() { return static_cast<uint64_t>(Simulation::Get()->now() * kTicksPerSecond); }

ze_result_t WaitFor(std::mutex& mutex, std::condition_variable& changed, const Device* device, uint64_t timeout_ns,
                    const std::function<bool()>& ready) {
  const Clock::time_point begin = Clock::now();
  while (true) {
    if (device != nullptr && IsLost(device)) return ZE_RESULT_ERROR_DEVICE_LOST;
    std::unique_lock lock(mutex);
    if (ready()) return ZE_RESULT_SUCCESS;
    Clock::duration slice = kLossPoll;
    if (timeout_ns < kLongestWaitNs) {
      const auto left = begin + std::chrono::nanoseconds(timeout_ns) - Clock::now();
      if (left <= Clock::duration::zero()) return ZE_RESULT_NOT_READY;
      slice = std::min(slice, std::chrono::duration_cast<Clock::duration>(left));
    }
    changed.wait_for(lock, slice, ready);
  }
}

}  // namespace muster::sim::ze
