// What a vendor's driver records of one device, through its management library: NVML, Level Zero's sysman. The cases of
// health_cases.cc and firmware_cases.cc judge both vendors' alike.
//
// Each answer is a value or a Status that Refuse() of requirement.h understands: kUnimplemented where this device or
// driver has no such thing, kPermissionDenied, kUnavailable when the GPU is lost.
#ifndef MUSTER_SUITES_DRIVER_DEVICE_RECORDS_H_
#define MUSTER_SUITES_DRIVER_DEVICE_RECORDS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "muster/v1/fleet.pb.h"

namespace muster::driver {

struct EccMode {
  bool enabled = false;
  bool pending = false;  // After the next reset.
};
// Of memory, caches and compute units, since the driver was loaded.
struct ErrorCounts {
  double corrected = 0;
  double uncorrected = 0;
};
struct Temperature {
  double celsius = 0;
  // Where the GPU slows itself down; nothing when the driver does not say.
  std::optional<double> slowdown_celsius;
};
struct Firmware {
  std::string name;  // "vbios", "GSC".
  std::string version;
};

class DeviceRecords {
 public:
  // Throws DeviceFailure when the library cannot be used or does not list the device, DeviceSkipped for other vendors.
  static std::unique_ptr<DeviceRecords> Open(const v1::Device& device);
  virtual ~DeviceRecords() = default;

  virtual absl::StatusOr<EccMode> Ecc() const = 0;
  virtual absl::StatusOr<ErrorCounts> MemoryErrors() const = 0;
  // Of the hottest part that has a sensor and a limit; without a limit, of the hottest.
  virtual absl::StatusOr<Temperature> Heat() const = 0;
  // The link as it is now, and what card and slot can do together.
  virtual absl::StatusOr<v1::PciLink> Link() const = 0;
  // What lies in the card's flash.
  virtual absl::StatusOr<std::vector<Firmware>> FlashedFirmware() const = 0;
  // Why the driver says that the device must be reset or repaired; empty when it does not.
  virtual absl::StatusOr<std::string> NeedOfReset() const = 0;
  // How much of its memory the host can reach at once, as the library says.
  virtual absl::StatusOr<uint64_t> HostVisibleBytes() const = 0;
};

std::unique_ptr<DeviceRecords> OpenNvidiaRecords(const v1::Device& device);
std::unique_ptr<DeviceRecords> OpenIntelRecords(const v1::Device& device);

}  // namespace muster::driver

#endif  // MUSTER_SUITES_DRIVER_DEVICE_RECORDS_H_
