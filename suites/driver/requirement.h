// What a case needs of the machine, and what its absence means.
#ifndef MUSTER_SUITES_DRIVER_REQUIREMENT_H_
#define MUSTER_SUITES_DRIVER_REQUIREMENT_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "muster/v1/fleet.pb.h"
#include "suites/sdk/level_zero.h"
#include "suites/sdk/nvml.h"

namespace muster::driver {

// Throws what `status` means when a vendor's library was asked for `what` of a device that should work: "not supported"
// and "not allowed" skip the device, a lost GPU fails it, anything else is a tool error.
[[noreturn]] void Refuse(const std::string& what, const absl::Status& status);

template <typename T>
T Need(const std::string& what, absl::StatusOr<T> value) {
  if (!value.ok()) Refuse(what, value.status());
  return *std::move(value);
}

// NVML and this device in it. Throws DeviceSkipped with `otherwise` for other vendors and DeviceFailure when NVML
// cannot be used or does not list the device: with a GPU in the machine both are the driver's fault.
struct NvmlDevice {
  const sdk::Nvml& nvml;
  sdk::Nvml::Handle handle;
};
NvmlDevice RequireNvml(const v1::Device& device, const std::string& otherwise = "not an NVIDIA device");

// The same of Intel's GPUs.
sdk::LevelZeroDeviceHandles RequireLevelZero(const v1::Device& device);

// The vendor's management library serves the device; says better than its compute library what is missing. Throws
// DeviceFailure otherwise, and DeviceSkipped for a device that is neither NVIDIA's nor Intel's.
void RequireDriver(const v1::Device& device);

// Whether a case of the whole machine concerns NVIDIA's driver (machine.h).
bool MachineHasNvidiaGpu();

}  // namespace muster::driver

#endif  // MUSTER_SUITES_DRIVER_REQUIREMENT_H_
