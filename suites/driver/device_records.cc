#include "suites/driver/device_records.h"

#include "suites/sdk/outcome.h"

namespace muster::driver {

std::unique_ptr<DeviceRecords> DeviceRecords::Open(const v1::Device& device) {
  if (device.vendor() == v1::VENDOR_NVIDIA) return OpenNvidiaRecords(device);
  if (device.vendor() == v1::VENDOR_INTEL) return OpenIntelRecords(device);
  throw sdk::DeviceSkipped("neither an NVIDIA nor an Intel device");
}

}  // namespace muster::driver
