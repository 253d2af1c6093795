// A leased device as CUDA sees it.
#ifndef MUSTER_SUITES_SDK_CUDA_DEVICE_H_
#define MUSTER_SUITES_SDK_CUDA_DEVICE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "muster/v1/fleet.pb.h"
#include "suites/sdk/peak.h"

namespace muster::sdk::cuda {

// CUDA's number of the device with this UUID ("GPU-…"); nullopt when CUDA shows none such. Throws ToolError when CUDA
// cannot be used at all.
std::optional<int> OrdinalOf(const std::string& uuid);

// Clocks and widths, from which peaks are computed.
GpuFigures FiguresOf(int ordinal);

// The calling thread works on `device` for as long as this lives; the one before comes back after it.
// Throws DeviceSkipped for a device of another vendor, DeviceFailure when CUDA does not show the device.
class DeviceScope {
 public:
  explicit DeviceScope(const v1::Device& device);
  ~DeviceScope();
  DeviceScope(const DeviceScope&) = delete;
  DeviceScope& operator=(const DeviceScope&) = delete;

  int ordinal() const { return ordinal_; }
  GpuFigures Figures() const { return FiguresOf(ordinal_); }
  uint64_t FreeMemoryBytes() const;

 private:
  int ordinal_ = 0;
  int before_ = 0;
};

}  // namespace muster::sdk::cuda

#endif  // MUSTER_SUITES_SDK_CUDA_DEVICE_H_
