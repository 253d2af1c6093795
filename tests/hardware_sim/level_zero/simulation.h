// The simulated Level Zero devices of this process: which there are, and what a call on one of them does now.
//
// Made once, from the environment (world.h), when a loader first asks; it lives as long as the process. The loader's
// handles are addresses of the objects below: a core and a sysman handle of a device are the same. Any thread.
#ifndef MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_SIMULATION_H_
#define MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_SIMULATION_H_

#include <level_zero/ze_api.h>
#include <level_zero/zes_api.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/hardware_sim/world.h"

namespace muster::sim::ze {

struct Device;

// What sysman enumerates of a device: each kind has a list of its own.
enum class Part { kTemperature, kPower, kFrequency, kEngine, kMemory, kRas, kFan, kFabricPort, kFirmware, kCount };

// One sensor, domain, engine group, …: a value of the first label of the telemetry field that it stands for.
struct Component {
  Device* device = nullptr;
  Part part = Part::kCount;
  std::string label;
  uint32_t index = 0;  // Among those of its part.
};

struct Device {
  size_t index = 0;  // In the world.
  DeviceFacts facts;
  std::array<std::vector<std::unique_ptr<Component>>, static_cast<size_t>(Part::kCount)> components;
  std::atomic<uint64_t> allocated_bytes = 0;
};

// How sysman was turned on; Intel's driver has two ways that exclude each other.
enum class SysmanMode { kOff, kWithCore, kOwn };

class Simulation {
 public:
  // Null when the environment names no world, the world is not in order (said on stderr once), or it has no Intel GPU.
  static Simulation* Get();

  // All devices that were there when the process began; sysman's view.
  const std::vector<std::unique_ptr<Device>>& devices() const { return devices_; }
  // Those that ZE_AFFINITY_MASK leaves; the view of core.
  const std::vector<Device*>& visible() const { return visible_; }

  std::shared_ptr<const World> world() const { return live_->world(); }
  Seconds now() const { return live_->now(); }

  // zeInit with ZES_ENABLE_SYSMAN=1; zesInit. False when the other way was taken before.
  void EnableSysmanWithCore();
  bool EnableOwnSysman();
  bool sysman_enabled() const { return sysman_ != SysmanMode::kOff; }

 private:
  static std::unique_ptr<Simulation> Make();
  void AddDevice(const World& world, size_t index);

  std::unique_ptr<LiveWorld> live_;
  std::vector<std::unique_ptr<Device>> devices_;
  std::vector<Device*> visible_;
  std::atomic<SysmanMode> sysman_ = SysmanMode::kOff;
};

// One call of the API on a device, at one moment: lost devices and faults are seen to first, then it is asked for
// readings. A call that the scenario lets hang stays in the constructor while the fault stands.
class Call {
 public:
  // `function` is the API's name of the calling function: __func__.
  Call(const Device* device, const char* function);
  Call(const Component* component, const char* function)
      : Call(component == nullptr ? nullptr : component->device, function) {}

  bool failed() const { return result_ != ZE_RESULT_SUCCESS; }
  ze_result_t result() const { return result_; }

  // The reading, or what an absent one makes of the call: UNSUPPORTED_FEATURE, INSUFFICIENT_PERMISSIONS, NOT_AVAILABLE.
  ze_result_t Read(v1::TelemetryField field, const std::vector<std::string>& labels, double& value) const;
  // For the fields of a structure that has no other way to say that one is not there.
  double ReadOr(v1::TelemetryField field, const std::vector<std::string>& labels, double otherwise) const;
  std::vector<std::vector<std::string>> LabelsOf(v1::TelemetryField field) const;

  // Time stamp of what is read.
  uint64_t microseconds() const;

 private:
  const Device* device_;
  std::shared_ptr<const World> world_;
  Seconds now_ = 0;
  ze_result_t result_ = ZE_RESULT_SUCCESS;
};

// The scenario's fault for a call of no device ("zeInit") on any of them.
ze_result_t ResultOfDriverCall(const char* function);

// Whole numbers of a reading: rounded, never below 0.
uint64_t Whole(double value);

// Level Zero's way to list: `*count` 0 asks for the number; otherwise at most `*count` are given, and it is made the
// number that there are when it was greater.
template <typename Item, typename Give>
ze_result_t ListItems(size_t available, uint32_t* count, Item* items, Give give) {
  if (count == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  if (*count == 0 || *count > available) {
    const bool asks = *count == 0;
    *count = static_cast<uint32_t>(available);
    if (asks) return ZE_RESULT_SUCCESS;
  }
  if (items == nullptr) return *count == 0 ? ZE_RESULT_SUCCESS : ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  for (uint32_t i = 0; i < *count; ++i) give(i, items[i]);
  return ZE_RESULT_SUCCESS;
}

// sysman's handle type is the same.
inline Device* ToDevice(ze_device_handle_t handle) { return reinterpret_cast<Device*>(handle); }

}  // namespace muster::sim::ze

#endif  // MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_SIMULATION_H_
