// What a scenario's faults come to: which hold now, what they have counted, and how they bend what load would give.
#ifndef MUSTER_TESTS_HARDWARE_SIM_FAULTS_H_
#define MUSTER_TESTS_HARDWARE_SIM_FAULTS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/hardware_sim/curve.h"
#include "tests/hardware_sim/models.h"
#include "tests/hardware_sim/scenario.pb.h"

namespace muster::sim {

bool IsActive(const Fault& fault, double now_s);

// Whole events that a fault of this rate has brought by now, `at_once` of them at its beginning.
double CountBy(const Fault& fault, double at_once, double per_second, double now_s);

// Off the bus: DeviceLost, Xid 79.
bool IsLost(const Device& device, double now_s);

// Errors of device memory. Kind "corrected" or "uncorrected"; location "total" for all. For Intel the locations are
// the categories of its RAS counters.
double MemoryErrors(const Device& device, std::string_view kind, std::string_view location, double now_s);
// Locations that the faults name, as they name them.
std::vector<std::string> MemoryErrorLocations(const Device& device);
// The RAS category that a location is: "dram" is "memory".
std::string RasCategory(std::string_view location);
double EngineResets(const Device& device, double now_s);
bool IsWedged(const Device& device, double now_s);

struct RowRemaps {
  double corrected = 0;
  double uncorrected = 0;
  bool pending = false;
  bool failed = false;
};
RowRemaps RowRemapsOf(const Device& device, double now_s);

// Whether the clocks are held down now for a reason of TelemetryField.THROTTLED.
bool IsThrottled(const Device& device, std::string_view reason, double now_s);
// For how long they were.
double ThrottleSeconds(const Device& device, std::string_view reason, double now_s);

struct PcieLink {
  uint32_t generation = 0;
  uint32_t lanes = 0;
};
// As the faults leave it.
PcieLink PcieLinkOf(const Device& device, const CustomModel& model, double now_s);
double PcieReplaysOf(const Device& device, double now_s);

bool IsFanStopped(const Device& device, uint32_t fan, double now_s);

bool IsLinkDown(const Device& device, uint32_t link, double now_s);
double LinkErrors(const Device& device, uint32_t link, std::string_view kind, double now_s);

// How much of what the load asks for the device does, over time.
struct Bends {
  Steps present;  // 0 while it is lost.
  Steps clock;    // The share of the highest clock that throttling leaves.
  Steps power;    // The same of the power that load adds; at a power cap all of it.
  Steps pcie;     // The share of the link's bandwidth that its training leaves.
};
Bends BendsOf(const Device& device, const CustomModel& model);
// 0 while the link is down.
Steps LinkSteps(const Device& device, uint32_t link);

}  // namespace muster::sim

#endif  // MUSTER_TESTS_HARDWARE_SIM_FAULTS_H_
