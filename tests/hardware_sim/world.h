// The simulated hardware at any moment: a scenario, asked. The simulated NVML, the simulated Level Zero driver and
// muster-sim read it; all that they tell of a device they ask here.
//
// Pure: the same scenario and moment give the same answers in every process. Any thread.
#ifndef MUSTER_TESTS_HARDWARE_SIM_WORLD_H_
#define MUSTER_TESTS_HARDWARE_SIM_WORLD_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "muster/v1/fleet.pb.h"
#include "muster/v1/telemetry.pb.h"
#include "tests/hardware_sim/faults.h"
#include "tests/hardware_sim/models.h"
#include "tests/hardware_sim/scenario.pb.h"

namespace muster::sim {

// Seconds since the scenario's start.
using Seconds = double;

// A device's fixed side, after model and defaults. `device.model` ends in "(simulated)".
struct DeviceFacts {
  v1::Device device;  // Identity, PCI, memory, firmware; what its vendor's library would tell.
  Device scenario;    // Defaults filled in.
  CustomModel model;  // Filled for every model.
  ModelTraits traits;
  Bends bends;
};

struct CallFault {
  bool hangs = false;
  Seconds until = 0;   // When it hangs: until when; infinity for good.
  int64_t result = 0;  // When it does not hang.
};

class World {
 public:
  // One machine of a scenario. InvalidArgument with the place when the scenario is not in order.
  static absl::StatusOr<std::unique_ptr<World>> Make(const Scenario& scenario, std::string_view machine);

  // By PCI address. Devices keep their index, lost or not.
  const std::vector<DeviceFacts>& devices() const { return devices_; }

  // One field, as v1::Reading has it: a value or an absence. UNSUPPORTED for what the model does not have.
  v1::Reading Read(size_t device, v1::TelemetryField field, const std::vector<std::string>& labels, Seconds now) const;
  // Every label combination that the device has of a field.
  std::vector<std::vector<std::string>> LabelsOf(size_t device, v1::TelemetryField field) const;

  bool IsLost(size_t device, Seconds now) const;
  // What becomes of a call of this function on the device now; nothing when it goes well.
  std::optional<CallFault> FaultOfCall(size_t device, std::string_view function, Seconds now) const;
  std::optional<WrongResults> WrongResultsOf(size_t device, std::string_view kernel, Seconds now) const;

  struct LogLine {
    Seconds at = 0;
    int priority = 0;  // As in /dev/kmsg: 3 is an error, 4 a warning.
    std::string text;
  };
  // What the kernel logs in (after, until], in order.
  std::vector<LogLine> KernelLog(Seconds after, Seconds until) const;

 private:
  World() = default;

  std::vector<DeviceFacts> devices_;
  std::vector<LogLine> log_;  // In order.
};

// The world that the environment names: MUSTER_SIM_SCENARIO (a text proto file, read again when it changes),
// MUSTER_SIM_MACHINE and MUSTER_SIM_START_UNIX_MS. For the simulated libraries.
class LiveWorld {
 public:
  static absl::StatusOr<std::unique_ptr<LiveWorld>> FromEnvironment();
  // The scenario as it is now; a changed file that is not in order leaves the old one. Looks at the file ten times a
  // second at most. Any thread.
  std::shared_ptr<const World> world();
  Seconds now() const;

 private:
  LiveWorld() = default;
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace muster::sim

#endif  // MUSTER_TESTS_HARDWARE_SIM_WORLD_H_
