// The objects behind core's handles. Each says what it is, so that a wrong handle is an error and not a crash; a loader
// with several drivers gives wrappers of its own to the application and these back to the driver.
//
// Who destroys an object while something that uses it still runs breaks the API's rules. What runs holds what it needs
// itself, as far as that is cheap: lists share their commands, commands share their kernel's arguments.
#ifndef MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_OBJECTS_H_
#define MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_OBJECTS_H_

#include <level_zero/ze_api.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tests/hardware_sim/level_zero/kernels.h"
#include "tests/hardware_sim/level_zero/simulation.h"

namespace muster::sim::ze {

enum class Kind : uint32_t {
  kContext = 0x7a650001,
  kEventPool,
  kEvent,
  kQueue,
  kFence,
  kCommandList,
  kModule,
  kBuildLog,
  kKernel,
  kDestroyed,
};

template <Kind kKind>
struct Object {
  static constexpr Kind kType = kKind;
  Kind kind = kKind;
  ~Object() { *const_cast<volatile Kind*>(&kind) = Kind::kDestroyed; }
};

// Null when the handle is not of this type.
template <typename T, typename Handle>
T* To(Handle handle) {
  T* object = reinterpret_cast<T*>(handle);
  return object != nullptr && object->kind == T::kType ? object : nullptr;
}

struct Context : Object<Kind::kContext> {};

// Set by one command and waited for by others, or by the host.
struct EventState {
  std::mutex mutex;
  std::condition_variable changed;
  bool signalled = false;
  // Ticks of the device's clock; both 0 for an event that the host signalled.
  uint64_t start = 0;
  uint64_t end = 0;

  void Signal(uint64_t start_ticks, uint64_t end_ticks);
  void Reset();
  bool Signalled();
};

struct EventPool : Object<Kind::kEventPool> {
  ze_event_pool_flags_t flags = 0;
  uint32_t count = 0;
  const Device* device = nullptr;  // The first of its devices.
};

struct Event : Object<Kind::kEvent> {
  bool timestamps = false;                      // Its pool has ZE_EVENT_POOL_FLAG_KERNEL_TIMESTAMP.
  std::atomic<const Device*> device = nullptr;  // Whose loss ends a wait for it: the one that is to signal it.
  std::shared_ptr<EventState> state = std::make_shared<EventState>();
};

// One step of a list. Runs on its queue's thread; the commands of a list run in order, whatever barriers it has.
struct Command {
  std::vector<std::shared_ptr<EventState>> waits;
  std::function<void()> work;          // May be empty.
  std::shared_ptr<EventState> signal;  // Gets the time stamps of the work.
};

struct Module : Object<Kind::kModule> {
  const Device* device = nullptr;
  std::vector<uint8_t> spirv;
  std::vector<std::string> names;  // Of the entry points; empty when the module names none.
};

struct BuildLog : Object<Kind::kBuildLog> {
  std::string text;
};

struct Kernel : Object<Kind::kKernel> {
  struct Argument {
    // In place of bytes, for their alignment.
    std::vector<std::max_align_t> storage;
    size_t size = 0;
    bool local = false;
    bool set = false;
  };
  const Device* device = nullptr;
  const MusterSimKernel* entry = nullptr;
  uint32_t group_size[3] = {1, 1, 1};
  std::vector<Argument> arguments;
  ze_kernel_indirect_access_flags_t indirect_access = 0;
};

// The device's clock: 12.5 MHz, of simulated time.
inline constexpr uint64_t kTicksPerSecond = 12'500'000;
inline constexpr uint32_t kTimestampBits = 36;
inline constexpr uint32_t kKernelTimestampBits = 32;
uint64_t DeviceTicks();

// Waits for `ready`, which is asked under `mutex`, until the timeout (nanoseconds; 0: asks once; UINT64_MAX: for good).
// DEVICE_LOST when the device is gone, NOT_READY when the time is over. `device` may be null.
ze_result_t WaitFor(std::mutex& mutex, std::condition_variable& changed, const Device* device, uint64_t timeout_ns,
                    const std::function<bool()>& ready);

}  // namespace muster::sim::ze

#endif  // MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_OBJECTS_H_
