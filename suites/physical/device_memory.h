// Memory that goes with its owner: the device's, and page-locked memory of the host. Throws ToolError when there is not
// that much.
#ifndef MUSTER_SUITES_PHYSICAL_DEVICE_MEMORY_H_
#define MUSTER_SUITES_PHYSICAL_DEVICE_MEMORY_H_

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "suites/physical/compute_device.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {

// `device` outlives it.
class DeviceMemory {
 public:
  DeviceMemory(ComputeDevice& device, uint64_t bytes) : device_(device), bytes_(bytes), data_(device.Allocate(bytes)) {
    if (data_ == nullptr) {
      throw sdk::ToolError(absl::StrCat("expected ", bytes, " bytes of device memory, ", device.FreeBytes(),
                                        " are free; end what else uses the GPU"));
    }
  }
  ~DeviceMemory() { device_.Free(data_); }
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  void* data() const { return data_; }
  uint64_t bytes() const { return bytes_; }

 private:
  ComputeDevice& device_;
  const uint64_t bytes_;
  void* const data_;
};

class PinnedMemory {
 public:
  PinnedMemory(ComputeDevice& device, uint64_t bytes)
      : device_(device), bytes_(bytes), data_(device.AllocateHost(bytes)) {
    if (data_ == nullptr) {
      throw sdk::ToolError(absl::StrCat("expected ", bytes, " bytes of page-locked host memory, and there are not",
                                        "; end what uses the machine's memory"));
    }
  }
  ~PinnedMemory() { device_.FreeHost(data_); }
  PinnedMemory(const PinnedMemory&) = delete;
  PinnedMemory& operator=(const PinnedMemory&) = delete;

  void* data() const { return data_; }
  uint64_t bytes() const { return bytes_; }

 private:
  ComputeDevice& device_;
  const uint64_t bytes_;
  void* const data_;
};

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_DEVICE_MEMORY_H_
