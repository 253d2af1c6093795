// One part of a device as sysman has it (its temperatures, its power domains, …), and what all parts need: calls that
// are marked, whose results become absences, and that are not made again once they are known to be unsupported.
//
//   sysman says                                          a reading is
//   UNSUPPORTED_*, no such function                      UNSUPPORTED, and not asked again
//   UNINITIALIZED                                        the same while the device answers otherwise: it is also what a
//                                                        function that the driver lacks gives where several drivers are
//   NOT_AVAILABLE, DEPENDENCY_UNAVAILABLE                UNSUPPORTED until it has worked once (the kernel has no such
//                                                        file), FAILING from then on
//   INSUFFICIENT_PERMISSIONS                             NOT_PERMITTED
//   DEVICE_LOST, anything else                           FAILING
//   success, with a sentinel (-1, all bits set)          UNSUPPORTED
#ifndef MUSTER_AGENT_TELEMETRY_SYSMAN_PART_H_
#define MUSTER_AGENT_TELEMETRY_SYSMAN_PART_H_

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/telemetry/sysman_calls.h"
#include "agent/telemetry/tile_readings.h"

namespace muster::agent {

// Absence or success: nothing is success.
using Missing = std::optional<v1::Absence>;

// What is known of one function on one handle.
struct SysmanMemo {
  bool unsupported = false;
  bool worked = false;
};

// The calls on one device.
struct SysmanDevice {
  const SysmanCalls& calls;
  CallMarker& marker;
  // Microseconds of a steady clock.
  std::function<int64_t()> now_us;
  zes_device_handle_t handle = nullptr;
  std::string pci_address;
  // A call has said so; the parts are to be made anew.
  bool lost = false;

  template <typename Function, typename... Arguments>
  Missing Ask(SysmanMemo& memo, const char* name, Function function, Arguments... arguments) {
    if (function == nullptr || memo.unsupported) return v1::ABSENCE_UNSUPPORTED;
    marker.Enter(pci_address, name);
    const ze_result_t result = function(arguments...);
    marker.Leave();
    return Judge(memo, result);
  }

  // Level Zero's way to list: once for the count, once for the handles.
  template <typename Function, typename Handle>
  Missing List(const char* name, Function function, std::vector<Handle>& handles) {
    constexpr uint32_t kMaxHandles = 128;
    SysmanMemo memo;
    uint32_t count = 0;
    handles.clear();
    if (const Missing missing =
            Ask<Function, zes_device_handle_t, uint32_t*, Handle*>(memo, name, function, handle, &count, nullptr)) {
      return missing;
    }
    count = std::min(count, kMaxHandles);
    if (count == 0) return v1::ABSENCE_UNSUPPORTED;
    handles.resize(count);
    if (const Missing missing = Ask(memo, name, function, handle, &count, handles.data())) {
      handles.clear();
      return missing;
    }
    handles.resize(std::min<size_t>(count, handles.size()));
    return std::nullopt;
  }

 private:
  Missing Judge(SysmanMemo& memo, ze_result_t result);
};

// For `name, function` of SysmanDevice's calls.
#define MUSTER_SYSMAN(device, name) #name, (device).calls.name

class SysmanPart {
 public:
  SysmanPart(SysmanDevice& device, std::initializer_list<v1::TelemetryField> fields)
      : device_(device), fields_(fields) {}
  virtual ~SysmanPart() = default;

  // Finds its handles and takes a first reading of their counters, when it has not yet.
  void Prepare();
  // All of its fields, with values or absences.
  void Read(TileReadings& readings);

 protected:
  // Nothing when the part is complete.
  virtual Missing Enumerate() = 0;
  virtual void ReadParts(TileReadings& readings) = 0;

  SysmanDevice& device_;

 private:
  std::vector<v1::TelemetryField> fields_;
  bool prepared_ = false;
  Missing missing_;
};

// All parts; they refer to `device`.
std::vector<std::unique_ptr<SysmanPart>> MakeSysmanParts(SysmanDevice& device);

std::unique_ptr<SysmanPart> MakeTemperaturePart(SysmanDevice& device);
std::unique_ptr<SysmanPart> MakeFanPart(SysmanDevice& device);
std::unique_ptr<SysmanPart> MakePowerPart(SysmanDevice& device);
std::unique_ptr<SysmanPart> MakeFrequencyPart(SysmanDevice& device);
std::unique_ptr<SysmanPart> MakeEnginePart(SysmanDevice& device);
std::unique_ptr<SysmanPart> MakeMemoryPart(SysmanDevice& device);
std::unique_ptr<SysmanPart> MakeRasPart(SysmanDevice& device);
std::unique_ptr<SysmanPart> MakePciPart(SysmanDevice& device);
std::unique_ptr<SysmanPart> MakeFabricPart(SysmanDevice& device);
std::unique_ptr<SysmanPart> MakeStatePart(SysmanDevice& device);

}  // namespace muster::agent

#endif  // MUSTER_AGENT_TELEMETRY_SYSMAN_PART_H_
