// What a GPU says of itself while it works: power, temperatures, clocks, and what holds the clocks down. NVML tells it
// of NVIDIA's devices, Level Zero's sysman of Intel's.
//
// Each reading has a Status of its own kind: kUnimplemented where the device or its driver has no such sensor,
// kPermissionDenied where this user may not ask, anything else where the reading failed. Nothing is ever set.
#ifndef MUSTER_SUITES_SDK_SENSORS_H_
#define MUSTER_SUITES_SDK_SENSORS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "muster/v1/fleet.pb.h"

namespace muster::sdk {

// Why clocks are not at their highest.
struct ClockReason {
  uint64_t bit;
  const char* name;
  // A fault of cooling or power supply; the others are settings, limits as designed, or idleness.
  bool fault;
};

// One thread at a time, for each object.
class Sensors {
 public:
  // NotFound where the vendor's library does not list the device, or there is none.
  static absl::StatusOr<std::unique_ptr<Sensors>> Open(const v1::Device& device);
  virtual ~Sensors() = default;

  // Over the shortest time that the device averages by itself; Unimplemented on Intel's, which counts energy alone.
  virtual absl::StatusOr<double> PowerWatts() = 0;
  // A counter from some moment in the past on.
  struct Energy {
    double joules = 0;
    // When it stood so, by the counter's own clock; negative where it has none.
    double seconds = -1;
  };
  virtual absl::StatusOr<Energy> EnergyCounter() = 0;
  // What the device is held to: the lowest of what it was made for and what it was set to.
  virtual absl::StatusOr<double> PowerLimitWatts() = 0;
  virtual absl::StatusOr<double> CoreCelsius() = 0;
  virtual absl::StatusOr<double> MemoryCelsius() = 0;
  virtual absl::StatusOr<double> CoreClockHertz() = 0;
  virtual absl::StatusOr<double> MaxCoreClockHertz() = 0;
  virtual absl::StatusOr<double> MemoryClockHertz() = 0;
  // Share of the recent past in which anything ran.
  virtual absl::StatusOr<double> BusyShare() = 0;
  // Bits of ClockReasons().
  virtual absl::StatusOr<uint64_t> ClockReasonBits() = 0;
  virtual const std::vector<ClockReason>& ClockReasons() const = 0;
};

// "software power cap, sync boost"; "none".
std::string ClockReasonNames(const std::vector<ClockReason>& reasons, uint64_t bits);

// Of the two vendors; Open() takes the right one.
absl::StatusOr<std::unique_ptr<Sensors>> OpenNvmlSensors(const v1::Device& device);
absl::StatusOr<std::unique_ptr<Sensors>> OpenSysmanSensors(const v1::Device& device);

}  // namespace muster::sdk

#endif  // MUSTER_SUITES_SDK_SENSORS_H_
